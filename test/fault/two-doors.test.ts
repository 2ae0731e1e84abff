import { afterAll, beforeAll, expect, test } from 'vitest';
import { visitor } from '../support/browserless.ts';
import { call } from '../support/client.ts';
import { SETUP_TOKEN } from '../support/companion.ts';
import { type CompanionProcess, scratchFolder, startProcess } from '../support/process.ts';

// Two companions on one data folder: what one was told, the other knows.
let [one, two] = [] as unknown as [CompanionProcess, CompanionProcess];
let [token, workspace] = ['', ''];
const owner = { name: 'Ada', email: 'ada@acme.example', password: 'correct horse battery' };
beforeAll(async () => {
  const folder = scratchFolder();
  one = await startProcess(folder);
  two = await startProcess(folder);
  const { body } = await call(one.url, 'POST', '/v1/setup', {
    body: { ...owner, token: SETUP_TOKEN, workspace: 'Acme' },
  });
  token = body.session.token;
  workspace = `/v1/workspaces/${body.workspace.id}`;
});
afterAll(() => Promise.all([one.end(), two.end()]));

test('a command line asks at one, is approved at the other, and gets its session once', async () => {
  const { body } = await call(one.url, 'POST', '/v1/device/code', { body: { client_id: 'test' } });
  const browser = visitor(two.url);
  await browser.submit('/signin', { email: owner.email, password: owner.password });
  const decided = await browser.submit('/device/decide', { code: body.user_code, decision: 'approve' });
  expect(decided.location).toBe('/device/approved');
  const poll = (url: string) =>
    call(url, 'POST', '/v1/device/token', {
      body: {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        client_id: 'test',
        device_code: body.device_code,
      },
    });
  const answers = await Promise.all([poll(one.url), poll(two.url), poll(one.url), poll(two.url)]);
  expect(answers.map((a) => a.status).sort()).toEqual([200, 400, 400, 400]);
  const session = answers.find((a) => a.status === 200)?.body.access_token;
  for (const { url } of [one, two]) expect((await call(url, 'GET', '/v1/me', { token: session })).status).toBe(200);
});

test('a SCIM token that one removes is refused by the other; the audit chain has one order', async () => {
  const made = await call(one.url, 'POST', `${workspace}/scim/tokens`, { token, body: { name: 'Okta' } });
  const scim = made.body.secret;
  const create = (url: string, i: number) =>
    call(url, 'POST', '/scim/v2/Users', { token: scim, body: { schemas: [], userName: `p${i}@acme.example` } });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => create(i % 2 ? one.url : two.url, i)));
  expect(new Set(answers.map((a) => a.status))).toEqual(new Set([201]));
  const report = await call(two.url, 'GET', `${workspace}/audit/verify`, { token });
  expect(report.body).toMatchObject({ valid: true, pending: 0 });
  await call(two.url, 'DELETE', `${workspace}/scim/tokens/${made.body.token.id}`, { token });
  expect((await create(one.url, 99)).status).toBe(401);
});
