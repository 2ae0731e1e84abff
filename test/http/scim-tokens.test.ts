import { afterAll, beforeAll, expect, test } from 'vitest';
import { createScimUser } from '../../companion/app/scim.ts';
import { authenticateScim } from '../../companion/app/scim-tokens.ts';
import { call } from '../support/client.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { SCIM_ERROR, scimClient, scimToken } from '../support/scim.ts';

let s: Scenario;
let token: string;
beforeAll(async () => {
  s = await scenario();
  token = await scimToken(s);
});
afterAll(() => s.end());

const { audit } = scimClient(() => ({ s, token }));

test('a token works for SCIM alone, is shown once, and is refused as soon as it is rotated or removed', async () => {
  const made = await s.as(s.owner, 'POST', 'W/scim/tokens', { name: 'Spare' });
  expect(made.body.secret).toMatch(/^heexm_/);
  const { id } = made.body.token;
  const users = async (bearer?: string) => (await call(s.url, 'GET', '/scim/v2/Users', { token: bearer })).status;
  expect(await users(made.body.secret)).toBe(200);
  const settings = await s.as(s.owner, 'GET', 'W/scim');
  expect(settings.body).toMatchObject({
    baseUrl: `${s.companion.deps.config.publicUrl}/scim/v2`,
    deactivation: 'remove',
    tokens: [{ name: 'Okta' }, { name: 'Spare', prefix: made.body.token.prefix, lastUsedAt: expect.any(String) }],
  });
  expect(JSON.stringify(settings.body)).not.toContain(made.body.secret);
  const rotated = await s.as(s.owner, 'POST', `W/scim/tokens/${id}/rotate`);
  expect([await users(made.body.secret), await users(rotated.body.secret)]).toEqual([401, 200]);
  expect((await s.as(s.owner, 'DELETE', `W/scim/tokens/${id}`)).status).toBe(204);
  for (const bearer of [rotated.body.secret, s.owner.token, await s.verifier(), undefined, 'x'])
    expect(await users(bearer)).toBe(401);
  expect((await call(s.url, 'GET', '/v1/me', { token })).status).toBe(401);
  const answer = await call(s.url, 'GET', '/scim/v2/Users');
  expect([answer.headers.get('www-authenticate'), answer.body.schemas]).toEqual([
    'Bearer realm="heex-keys"',
    [SCIM_ERROR],
  ]);
  const rows = (await audit('&action=scim_token')).map((e: { action: string }) => e.action);
  expect(rows.slice(0, 3)).toEqual(['scim_token.removed', 'scim_token.rotated', 'scim_token.created']);
  expect(JSON.stringify(await audit())).not.toMatch(/heex[a-z]?_\w{40}/);
});

test('the settings count the people whom the identity provider has here, and tell its last call to the minute', async () => {
  const { scim, provision } = scimClient(() => ({ s, token }));
  const people = async () => (await s.as(s.owner, 'GET', 'W/scim')).body.people;
  const before = await people();
  const { id } = await provision({ userName: 'counted@acme.example' });
  expect(await people()).toBe(before + 1);
  await scim('DELETE', `/Users/${id}`);
  expect(await people()).toBe(before);
  const called = async () => Date.parse((await s.as(s.owner, 'GET', 'W/scim')).body.tokens[0].lastUsedAt);
  const first = await called();
  s.companion.pass(61_000);
  await scim('GET', '/Users');
  expect((await called()) - first).toBeGreaterThanOrEqual(60_000);
});

test('a token that is removed while a request is on its way changes nothing any more', async () => {
  const made = await s.as(s.owner, 'POST', 'W/scim/tokens', { name: 'Late' });
  const origin = { requestId: 'req_1', ip: null, userAgent: null };
  const caller = await authenticateScim(s.companion.deps, made.body.secret, origin);
  await s.as(s.owner, 'DELETE', `W/scim/tokens/${made.body.token.id}`);
  const late = createScimUser(s.companion.deps, caller, { userName: 'late@acme.example' });
  await expect(late).rejects.toMatchObject({ code: 'unauthorized' });
});

test('a companion’s own disk has the hash of a token only', async () => {
  const rows = await s.companion.deps.store.read.selectFrom('scim_token').selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain(token);
  expect(s.companion.lines.join('\n')).not.toContain(token);
});
