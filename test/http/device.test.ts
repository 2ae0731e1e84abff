import { afterAll, beforeAll, expect, test } from 'vitest';
import { decideDevice, readDevice } from '../../companion/app/device.ts';
import { sweep } from '../../companion/app/jobs/retention.ts';
import { authenticateSession } from '../../companion/app/sessions.ts';
import { visitor } from '../support/browserless.ts';
import { call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const ORIGIN = { requestId: 'req_1', ip: '127.0.0.1', userAgent: null };

let s: Scenario;
let ada: Person;
beforeAll(async () => {
  s = await scenario();
  ada = await s.member('Ada');
});
afterAll(() => s.end());

const form = (path: string, fields: Record<string, string> | string) =>
  call(s.url, 'POST', path, {
    body: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
/** Throttling has tests of its own: here every request for a code comes after a quiet minute. */
async function begin(fields: Record<string, string> = {}) {
  const { throttle } = s.companion.deps;
  await throttle.forgive('token', 'device code 127.0.0.1', '127.0.0.1');
  await throttle.forgive('typed_code', `device ${ada.userId}`, '127.0.0.1');
  const answer = await form('/v1/device/code', { client_id: 'heex-cli', device_name: 'ada-laptop', ...fields });
  expect(answer.status).toBe(200);
  return answer.body as { device_code: string; user_code: string };
}
const poll = (device_code: string, more: Record<string, string> = {}) =>
  form('/v1/device/token', { grant_type: GRANT, client_id: 'heex-cli', device_code, ...more });
const caller = (token: string) => authenticateSession(s.companion.deps, token, ORIGIN);
const decide = async (code: string, decision: 'approved' | 'denied', token = ada.token) =>
  decideDevice(s.companion.deps, await caller(token), code, decision);

test('a device gets a code to type, waits, and once it is approved gets a session that works', async () => {
  const answer = await form('/v1/device/code', { client_id: 'heex-cli', device_name: 'ada-laptop', scope: 'ignored' });
  expect(answer.body).toEqual({
    device_code: expect.stringMatching(/^[0-9A-Za-z]{43}$/),
    user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
    verification_uri: `${s.companion.deps.config.publicUrl}/device`,
    expires_in: 600,
    interval: 5,
  });
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const { device_code, user_code } = answer.body;
  const waiting = await poll(device_code);
  expect([waiting.status, waiting.body.error]).toEqual([400, 'authorization_pending']);
  expect(await readDevice(s.companion.deps, await caller(ada.token), user_code.toLowerCase())).toMatchObject({
    clientId: 'heex-cli',
    deviceName: 'ada-laptop',
    ip: '127.0.0.1',
  });
  await decide(user_code, 'approved');
  const { status, body } = await poll(device_code);
  expect([status, body.token_type, body.access_token]).toEqual([200, 'Bearer', body.session.token]);
  expect(body.expires_in).toBeGreaterThan(29 * 86_400);
  expect((await call(s.url, 'GET', '/v1/me', { token: body.access_token })).body.user.email).toBe(ada.email);
  const { items } = (await call(s.url, 'GET', '/v1/sessions', { token: body.access_token })).body;
  expect(items.find((i: { current: boolean }) => i.current)).toMatchObject({ client: 'cli', label: 'ada-laptop' });
  const log = await s.as(s.owner, 'GET', 'W/audit?action=session.connected');
  expect(log.body.items[0]).toMatchObject({
    actor: { name: ada.email },
    client: 'cli',
    after: { label: 'ada-laptop' },
  });
});

test('a code makes one session, also when two polls come at once', async () => {
  const { device_code, user_code } = await begin();
  await decide(user_code, 'approved');
  const answers = await Promise.all([poll(device_code), poll(device_code), poll(device_code)]);
  expect(answers.map((a) => a.status).sort()).toEqual([200, 400, 400]);
  expect((await poll(device_code)).body.error).toBe('invalid_grant');
});

test('a typed code is decided once, and a wrong, used or expired one is the same 404', async () => {
  const { device_code, user_code } = await begin();
  await decide(user_code, 'denied');
  expect((await poll(device_code)).body.error).toBe('access_denied');
  for (const code of [user_code, 'BBBBBBBB', '', '<script>'])
    await expect(decide(code, 'approved'), code).rejects.toMatchObject({ code: 'not_found' });
  const late = await begin();
  s.companion.pass(10 * 60_000);
  await expect(decide(late.user_code, 'approved')).rejects.toMatchObject({ code: 'not_found' });
  expect((await poll(late.device_code)).body.error).toBe('expired_token');
});

test('asking too often makes the interval longer', async () => {
  const { device_code } = await begin();
  const after = async (ms: number) => {
    s.companion.pass(ms);
    return (await poll(device_code)).body.error;
  };
  expect(await after(0)).toBe('authorization_pending');
  expect(await after(2_000)).toBe('slow_down');
  expect(await after(6_000)).toBe('slow_down');
  expect(await after(16_000)).toBe('authorization_pending');
});

test('errors have the form of RFC 6749, whatever is wrong', async () => {
  const { device_code } = await begin();
  for (const [body, error] of [
    [{ client_id: 'heex-cli', device_code, grant_type: 'password' }, 'unsupported_grant_type'],
    [{ grant_type: 'authorization_code', code: 'x' }, 'unsupported_grant_type'],
    [{ client_id: 'heex-cli', device_code }, 'invalid_request'],
    [{ client_id: 'heex-cli', device_code: 'x'.repeat(43), grant_type: GRANT }, 'invalid_grant'],
    [{ client_id: 'another', device_code, grant_type: GRANT }, 'invalid_grant'],
    [{ client_id: 'heex-cli', grant_type: GRANT }, 'invalid_request'],
    [`grant_type=${GRANT}&device_code=a&device_code=b&client_id=c`, 'invalid_request'],
    ['device_code=%ff', 'invalid_request'],
  ] as const) {
    const answer = await form('/v1/device/token', body);
    expect([answer.status, answer.body], error).toEqual([400, { error, error_description: expect.any(String) }]);
  }
  for (const bad of [
    { client_id: '' },
    { client_id: '<b>x' },
    { device_name: 'x'.repeat(201) },
    { device_name: '\u202e' },
  ])
    expect((await form('/v1/device/code', { client_id: 'heex-cli', ...bad })).body.error).toBe('invalid_request');
  expect((await call(s.url, 'POST', '/v1/device/code', { body: { client_id: 'heex-cli' } })).status).toBe(200);
});

test('typing codes is slowed down for a person, asking for codes for an address', async () => {
  const bea = await s.member('Bea');
  const guess = () => decide('BCDFBCDF', 'approved', bea.token);
  for (let i = 0; i < 10; i++) await expect(guess()).rejects.toMatchObject({ code: 'not_found' });
  await expect(guess()).rejects.toMatchObject({ code: 'rate_limited' });
  await begin();
  const answers = [];
  for (let i = 0; i < 101; i++) answers.push(await form('/v1/device/code', { client_id: 'heex-cli' }));
  const last = answers.at(-1);
  expect([last?.status, last?.body.error]).toEqual([429, 'temporarily_unavailable']);
  expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('a restart between approval and poll loses nothing', async () => {
  const { device_code, user_code } = await begin();
  await decide(user_code, 'approved');
  await s.companion.restart();
  expect((await poll(device_code)).status).toBe(200);
});

test('who was removed after approving gets no session', async () => {
  const cy = await s.member('Cy');
  const { device_code, user_code } = await begin();
  await decide(user_code, 'approved', cy.token);
  expect((await s.as(s.owner, 'DELETE', `W/members/${cy.membershipId}`)).status).toBe(200);
  expect((await poll(device_code)).body.error).toBe('invalid_grant');
});

test('neither code is in the database or in the log', async () => {
  const { device_code, user_code } = await begin();
  const rows = await s.companion.deps.store.read.selectFrom('device_code').selectAll().execute();
  const all = JSON.stringify(rows) + s.companion.lines.join('\n');
  for (const code of [device_code, user_code, user_code.replace('-', '')]) expect(all).not.toContain(code);
});

/** A browser in which Ada is signed in. */
async function adasBrowser() {
  const v = visitor(s.url);
  await v.submit('/signin', { email: ada.email, password: ada.password });
  return v;
}

test('on the page the code is typed, then it says who asks from where, then the terminal is let in', async () => {
  expect((await visitor(s.url).get('/device')).location).toBe('/signin?next=%2Fdevice');
  const v = await adasBrowser();
  const { device_code, user_code } = await begin({ device_name: 'ada <b>laptop' });
  expect((await v.get('/device')).html).toContain('Type the code');
  const second = await v.submit('/device', { code: ` ${user_code.toLowerCase().replace('-', ' ')} ` });
  expect(second.status).toBe(200);
  for (const shown of [
    'Approve this terminal?',
    'heex-cli',
    'ada &lt;b&gt;laptop',
    '127.0.0.1',
    'same as this browser',
  ])
    expect(second.html).toContain(shown);
  expect(second.html).toContain('Just now');
  const code = user_code.replace('-', '');
  const done = await v.submit('/device/decide', { code, decision: 'approve' });
  expect([done.status, done.location]).toEqual([303, '/device/approved']);
  expect((await poll(device_code)).status).toBe(200);
  expect((await v.submit('/device/decide', { code, decision: 'approve' })).status).toBe(404);
});

test('the page warns when another address asks than the one in front of it', async () => {
  const v = await adasBrowser();
  const { user_code } = await begin();
  await s.companion.deps.store.transact(async (tx) => {
    await tx.updateTable('device_code').set({ ip: '203.0.113.9' }).where('decision', 'is', null).execute();
  });
  expect((await v.submit('/device', { code: user_code })).html).toContain('not this browser’s address');
});

test('denied on the page, a terminal gets no access; a wrong code says so beside the field', async () => {
  const v = await adasBrowser();
  const { device_code, user_code } = await begin();
  await s.companion.deps.store.transact(async (tx) => {
    await tx.updateTable('device_code').set({ ip: '203.0.113.9' }).where('decision', 'is', null).execute();
  });
  const denials = async () => (await s.as(s.owner, 'GET', 'W/audit?action=session.denied')).body.items;
  const before = (await denials()).length;
  expect((await v.submit('/device/decide', { code: user_code, decision: 'deny' })).location).toBe('/device/denied');
  // Who asked from elsewhere is what somebody wants to know afterwards.
  const rows = await denials();
  expect(rows).toHaveLength(before + 1);
  expect(rows[0]).toMatchObject({
    actor: { id: ada.membershipId, name: ada.email },
    after: { client: 'cli', label: 'ada-laptop', askedFrom: '203.0.113.9' },
    ip: '127.0.0.1',
    client: 'web',
  });
  expect((await poll(device_code)).body.error).toBe('access_denied');
  const wrong = await v.submit('/device', { code: 'WRNG-WRNG' });
  expect(wrong.status).toBe(404);
  expect(wrong.html).toContain('id="code-error"');
  for (const code of ['', 'x'.repeat(5000)]) expect((await v.submit('/device', { code })).status).toBe(404);
});

test('no other site can type or approve a code, and no address carries one', async () => {
  const v = await adasBrowser();
  const { device_code, user_code } = await begin();
  for (const path of ['/device', '/device/decide'])
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }])
      expect((await v.submit(path, { code: user_code, decision: 'approve' }, headers)).status).toBe(403);
  expect((await v.get(`/device?code=${user_code}`)).html).not.toContain(user_code);
  expect((await visitor(s.url).submit('/device/decide', { code: user_code, decision: 'approve' })).location).toContain(
    '/signin',
  );
  expect((await poll(device_code)).body.error).toBe('authorization_pending');
});

test('for an hour an expired code is told from one that never was, whenever the companion tidies up; then it is forgotten', async () => {
  const { device_code } = await begin();
  s.companion.pass(10 * 60_000 + 1);
  await sweep.run(s.companion.deps);
  expect((await poll(device_code)).body.error).toBe('expired_token');
  s.companion.pass(60 * 60_000);
  await sweep.run(s.companion.deps);
  expect((await poll(device_code)).body.error).toBe('invalid_grant');
});
