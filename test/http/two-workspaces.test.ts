import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

// A companion sets one workspace up; the database holds several. What one may do must never reach into another. People who are in
// both have their tests in `scim-workspaces.test.ts`.

const OTHER = '/v1/workspaces/ws_other';
let s: Scenario;
/** Owner of the other workspace, plain member of the first. */
let bo: Person;
let token: string;
let verifier: string;
beforeAll(async () => {
  s = await scenario();
  bo = await s.member('Bo');
  sql(`insert into workspace (id, name, plan, key_limit, created_at) values ('ws_other', 'Other', 'team', 100, 1)`);
  join('mem_bo', bo, 'owner');
  token = (await s.as(bo, 'POST', `${OTHER}/scim/tokens`, { name: 'Okta' })).body.secret;
  verifier = await s.verifier();
});
afterAll(() => s.end());

function sql(text: string): void {
  const db = new Database(s.companion.deps.store.files.database);
  db.exec(text);
  db.close();
}
const join = (id: string, { userId }: Person, role: string) =>
  sql(
    `insert into membership (id, workspace_id, user_id, role, joined_at) values ('${id}', 'ws_other', '${userId}', '${role}', 1)`,
  );
const scim = (method: string, path: string, body?: object) =>
  call(s.url, method, `/scim/v2${path}`, {
    token,
    body,
    headers: body ? { 'content-type': 'application/scim+json' } : {},
  });
const patch = (id: string, value: object) => scim('PATCH', `/Users/${id}`, { Operations: [{ op: 'replace', value }] });
const codeOf = async (key: string) =>
  (await call(s.url, 'POST', '/v1/verify', { token: verifier, body: { key } })).body.code;

test('an identity provider neither sees nor changes people of another workspace', async () => {
  const ada = await s.member('Ada');
  const { secret } = await s.key(ada);
  const { Resources } = (await scim('GET', '/Users')).body;
  expect(Resources.map((r: { id: string }) => r.id)).toEqual([bo.userId]);
  const replaced = { userName: ada.email, active: false };
  for (const answer of [
    await scim('GET', `/Users/${ada.userId}`),
    await patch(ada.userId, { active: false }),
    await scim('PUT', `/Users/${ada.userId}`, replaced),
    await scim('DELETE', `/Users/${ada.userId}`),
  ])
    expect(answer.status).toBe(404);
  expect([await codeOf(secret), (await s.as(ada, 'GET', '/v1/me')).body.user.name]).toEqual(['valid', 'Ada']);
});

test('whom an identity provider suspends in one workspace is let back in there by it alone, and stays in the other', async () => {
  const fay = await s.member('Fay');
  const { secret } = await s.key(fay);
  join('mem_fay', fay, 'member');
  expect((await s.as(bo, 'PATCH', `${OTHER}/scim`, { deactivation: 'suspend' })).status).toBe(200);
  expect((await patch(fay.userId, { active: false })).status).toBe(200);
  const again = () => sql(`update membership set suspended_at = null where id = 'mem_fay'`);
  expect(again).toThrow('deprovisioned');
  expect((await s.as(bo, 'POST', `${OTHER}/members/mem_fay/reinstate`)).body.code).toBe('conflict');
  expect([await codeOf(secret), (await s.as(fay, 'GET', 'W')).status]).toEqual(['valid', 200]);
  expect((await patch(fay.userId, { active: true })).status).toBe(200);
  expect((await s.as(fay, 'GET', OTHER)).status).toBe(200);
});

test('an owner elsewhere is no owner here', async () => {
  expect((await s.as(bo, 'DELETE', `${OTHER}/members/mem_bo`)).body.code).toBe('last_owner');
  expect((await s.as(bo, 'PATCH', `${OTHER}/members/mem_bo`, { role: 'member' })).body.code).toBe('last_owner');
  expect((await s.as(bo, 'GET', 'W/members')).status).toBe(403);
});

test('what belongs to one workspace does not exist below another', async () => {
  const dan = await s.member('Dan');
  const key = await s.key(dan);
  const spare = (await s.as(s.owner, 'POST', 'W/scim/tokens', { name: 'Spare' })).body.token.id;
  const invited = await s.as(s.owner, 'POST', 'W/invitations', { email: 'eve@acme.example', role: 'member' });
  const member = `${OTHER}/members/${dan.membershipId}`;
  for (const [method, path, body] of [
    ['PATCH', member, { role: 'admin' }],
    ['DELETE', member],
    ['GET', `${member}/removal`],
    ['POST', `${member}/suspend`],
    ['POST', `${member}/reset`],
    ['POST', `${OTHER}/keys/${key.id}/revoke`],
    ['DELETE', `${OTHER}/scim/tokens/${spare}`],
    ['POST', `${OTHER}/scim/tokens/${spare}/rotate`],
    ['DELETE', `${OTHER}/invitations/${invited.body.invitation.id}`],
  ] as const)
    expect([method, path, (await s.as(bo, method, path, body)).status]).toEqual([method, path, 404]);
  expect(await codeOf(key.secret)).toBe('valid');
});

test('nobody makes a reset link for the owner of another workspace', async () => {
  join('mem_olga', s.owner, 'member');
  expect((await s.as(bo, 'POST', `${OTHER}/members/mem_olga/reset`)).body.code).toBe('forbidden');
});

test('nor for somebody whom the identity provider of another workspace may let in again, without a say there', async () => {
  const [amy, tim] = [await s.member('Amy', 'admin'), await s.member('Tim')];
  const reset = async () => (await s.as(amy, 'POST', `W/members/${tim.membershipId}/reset`)).status;
  join('mem_tim', tim, 'member');
  join('mem_amy', amy, 'member');
  await s.as(bo, 'PATCH', `${OTHER}/scim`, { deactivation: 'remove' });
  expect((await patch(tim.userId, { active: false })).status).toBe(200);
  expect(await reset()).toBe(403);
  sql(`update membership set role = 'admin' where id = 'mem_amy'`);
  expect(await reset()).toBe(201);
});

test('a verifier of another workspace learns nothing of a key, and counts nothing on it', async () => {
  const key = await s.key(s.owner);
  const mine = await call(s.url, 'POST', '/v1/verify/resolve', { token: verifier, body: { key: key.secret } });
  const made = await s.as(bo, 'POST', `${OTHER}/verifiers`, { name: 'theirs', environment: 'production' });
  const theirs = (path: string, body: object) => call(s.url, 'POST', path, { token: made.body.secret, body });
  expect((await theirs('/v1/verify', { key: key.secret })).body).toMatchObject({ valid: false, code: 'unknown' });
  expect((await theirs('/v1/verify/resolve', { key: key.secret })).body.key).toBeNull();
  const headers = { 'x-heex-verifier': made.body.secret, 'x-api-key': key.secret };
  expect((await call(s.url, 'GET', '/v1/auth', { headers })).status).toBe(401);
  const at = s.companion.deps.now();
  const of = { keyId: key.id, secretId: mine.body.key.secretId, code: 'valid' };
  const report = {
    batch: 'a-report-of-theirs',
    uses: [{ ...of, count: 41, lastAt: at, lastIp: null, lastUserAgent: null }],
    notes: [{ ...of, requestId: `req_${'a'.repeat(20)}`, at, ip: null, userAgent: null }],
  };
  expect((await theirs('/v1/verify/usage', report)).body).toEqual({ counted: 0 });
  expect((await s.as(s.owner, 'GET', `W/keys/${key.id}`)).body.usageCount).toBe(0);
  expect((await s.as(s.owner, 'GET', `W/keys/${key.id}/requests`)).body.items).toEqual([]);
});
