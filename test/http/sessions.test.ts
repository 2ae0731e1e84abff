import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createThrottle } from '../../companion/identity/throttle.ts';
import { call } from '../support/client.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
beforeAll(async () => {
  s = await scenario();
});
afterAll(() => s.end());

const DAY = 86_400_000;
const me = (token: string) => call(s.url, 'GET', '/v1/me', { token }).then((a) => a.status);
const signIn = (email: string, password: string) => call(s.url, 'POST', '/v1/sessions', { body: { email, password } });

test('one’s own sessions are listed and ended; another’s don’t exist', async () => {
  const [mia, max] = [await s.member('Mia'), await s.member('Max')];
  const second = await s.signIn(mia);
  const list = (await s.as(mia, 'GET', '/v1/sessions')).body.items;
  expect(list).toHaveLength(2);
  expect(list.filter((one: { current: boolean }) => one.current)).toHaveLength(1);
  expect(list[0]).toMatchObject({ client: 'api', ip: '127.0.0.1' });
  const other = list.find((one: { current: boolean }) => !one.current);
  expect((await s.as(max, 'DELETE', `/v1/sessions/${other.id}`)).status).toBe(404);
  expect((await s.as(max, 'DELETE', '/v1/sessions/ses_nothing')).status).toBe(404);
  expect(await me(second)).toBe(200);
  expect((await s.as(mia, 'DELETE', `/v1/sessions/${other.id}`)).status).toBe(204);
  expect(await me(second)).toBe(401);
  expect((await s.as(mia, 'DELETE', '/v1/sessions/current')).status).toBe(204);
  expect(await me(mia.token)).toBe(401);
  expect((await s.as(undefined, 'GET', '/v1/sessions')).status).toBe(401);
});

test('a session ends seven days after its last use and thirty days after its start', async () => {
  const ida = await s.member('Ida');
  const idle = await s.signIn(ida);
  s.companion.pass(7 * DAY - 60_000);
  expect(await me(ida.token)).toBe(200);
  s.companion.pass(120_000);
  expect(await me(idle)).toBe(401);
  for (let day = 7; day < 28; day += 6) {
    s.companion.pass(6 * DAY);
    expect(await me(ida.token)).toBe(day + 6 < 30 ? 200 : 401);
  }
  expect(await me(ida.token)).toBe(401);
  s.owner.token = await s.signIn(s.owner);
});

test('of more than five hundred sessions of one person, those that were not used for longest end, and that is on record', async () => {
  const uma = await s.member('Uma');
  const [{ id: first }] = (await s.as(uma, 'GET', '/v1/sessions')).body.items;
  const at = s.companion.deps.now();
  const db = new Database(s.companion.deps.store.files.database);
  const insert = db.prepare(`insert into session
    (id, user_id, token_hash, client, label, created_at, last_used_at, expires_at, authenticated_at)
    values (?, ?, ?, 'api', 'Script', ?, ?, ?, ?)`);
  for (let i = 1; i <= 500; i++)
    insert.run(
      `ses_script_${i}`,
      uma.userId,
      `hash ${i}`,
      at - DAY,
      at - Math.ceil((i + 1) / 2) * 1000,
      at + DAY,
      at - DAY,
    );
  db.close();
  const last = await s.signIn(uma);
  const ids: string[] = [];
  for (let query = '?limit=100'; query; ) {
    const { items, nextCursor } = (await call(s.url, 'GET', `/v1/sessions${query}`, { token: last })).body;
    expect(items).toHaveLength(100);
    ids.push(...items.map((one: { id: string }) => one.id));
    query = nextCursor === null ? '' : `?limit=100&cursor=${nextCursor}`;
  }
  expect([ids.length, new Set(ids).size]).toEqual([500, 500]);
  expect(ids.slice(2, 5)).toEqual(['ses_script_1', 'ses_script_2', 'ses_script_3']);
  expect(ids).toEqual(expect.arrayContaining([first, 'ses_script_1', 'ses_script_498']));
  const ended = (await s.as(s.owner, 'GET', `W/audit?action=session.ended&actor=${uma.email}`)).body.items;
  expect(ended.map((e: { target: { id: string } }) => e.target.id).sort()).toEqual([
    'ses_script_499',
    'ses_script_500',
  ]);
});

test('a session that is over is not listed, whether it lay idle or came to its end', async () => {
  const ivy = await s.member('Ivy');
  const idle = await s.signIn(ivy);
  const listed = async (token: string) => (await call(s.url, 'GET', '/v1/sessions', { token })).body.items.length;
  s.companion.pass(5 * DAY);
  const young = await s.signIn(ivy);
  const inUse = async (days: number) => {
    s.companion.pass(days * DAY);
    for (const token of [ivy.token, young]) expect(await me(token)).toBe(200);
    await s.companion.deps.background.idle();
  };
  await inUse(1);
  expect(await listed(young)).toBe(3);
  await inUse(2);
  expect([await listed(young), await me(idle)]).toEqual([2, 401]);
  for (const days of [6, 6, 6, 3]) await inUse(days);
  s.companion.pass(2 * DAY);
  expect([await listed(young), await me(ivy.token)]).toEqual([1, 401]);
  s.owner.token = await s.signIn(s.owner);
});

test('a removal and its preview count the sessions that live, neither those that lay idle nor those past their time', async () => {
  const [idle, old] = [await s.member('Idle'), await s.member('Old')];
  const sessions = async (of: typeof idle) =>
    (await s.as(s.owner, 'GET', `W/members/${of.membershipId}/removal`)).body.sessions;
  expect([await sessions(idle), await sessions(old)]).toEqual([1, 1]);
  for (const days of [6, 6, 6, 6, 5]) {
    s.companion.pass(days * DAY);
    expect(await me(old.token)).toBe(200);
    await s.companion.deps.background.idle();
    s.owner.token = await s.signIn(s.owner);
  }
  expect([await sessions(idle), await sessions(old)]).toEqual([0, 1]);
  s.companion.pass(2 * DAY);
  s.owner.token = await s.signIn(s.owner);
  expect([await sessions(idle), await sessions(old)]).toEqual([0, 0]);
  for (const { membershipId } of [idle, old])
    expect((await s.as(s.owner, 'DELETE', `W/members/${membershipId}`)).body).toMatchObject({ endedSessions: 0 });
});

test('a token is stored as its hash only', async () => {
  const rows = await s.companion.deps.store.read.selectFrom('session').selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain(s.owner.token.slice(6));
});

test('a key, a verifier or a mangled token is no session', async () => {
  const verifier = await s.verifier();
  const mangled = s.owner.token.slice(0, -1) + (s.owner.token.endsWith('x') ? 'y' : 'x');
  for (const token of [verifier, mangled, 'heexs_', 'x', s.owner.token.toUpperCase()])
    expect(await me(token)).toBe(401);
  const odd = await call(s.url, 'GET', '/v1/me', { headers: { authorization: `Basic ${s.owner.token}` } });
  expect([odd.status, odd.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="heex-keys"']);
});

test('an unknown address and a wrong password get the same answer, and both are slowed down after ten tries', async () => {
  const eve = await s.member('Eve');
  const statuses: Record<string, number[]> = {};
  const bodies = new Set<string>();
  for (const email of [eve.email, 'nobody@acme.example']) {
    statuses[email] = [];
    for (let i = 0; i < 12; i++) {
      const answer = await signIn(email, `guess number ${i}`);
      statuses[email].push(answer.status);
      const { requestId: _, detail, ...rest } = answer.body;
      bodies.add(JSON.stringify({ ...rest, detail: detail.replace(/\d+ s/, 'n s') }));
      if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
  }
  expect(statuses[eve.email]).toEqual([...Array(10).fill(401), 429, 429]);
  expect(statuses['nobody@acme.example']).toEqual(statuses[eve.email]);
  expect(bodies.size).toBe(2);
  // The right password does not get through either while it lasts: a guesser would learn it.
  expect((await signIn(eve.email, eve.password)).status).toBe(429);
  // Others are not slowed.
  expect((await signIn(s.owner.email, s.owner.password)).status).toBe(201);
});

test('success forgives: signing in often is no guessing', async () => {
  const joe = await s.member('Joe');
  for (let i = 0; i < 15; i++) expect((await signIn(joe.email.toUpperCase(), joe.password)).status).toBe(201);
});

test('strangers who guess at an address from elsewhere do not shut its owner out', async () => {
  const throttle = createThrottle();
  const attempt = (ip: string) =>
    throttle.attempt('sign_in', 'eve@acme.example', ip).then(
      () => 'asked',
      () => 'refused',
    );
  const guesses: string[] = [];
  for (let i = 0; i < 120; i++) guesses.push(await attempt('192.0.2.66'));
  expect(guesses.filter((g) => g === 'asked')).toHaveLength(10);
  expect(await attempt('198.51.100.2')).toBe('asked');
  // Even when many places guess together, the place where its owner has signed in before is spared.
  await throttle.forgive('sign_in', 'eve@acme.example', '198.51.100.2');
  for (let i = 0; i < 150; i++) await attempt(`203.0.113.${i}`);
  expect(await attempt('203.0.113.250')).toBe('refused');
  expect(await attempt('198.51.100.2')).toBe('asked');
});
