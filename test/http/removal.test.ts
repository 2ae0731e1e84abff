import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { waitForCounts } from '../support/patience.ts';
import { type MadeKey, type Person, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let verifier: string;
beforeAll(async () => {
  s = await scenario();
  verifier = await s.verifier('production');
});
afterAll(() => s.end());

const DAY = 86_400_000;
const use = (key: MadeKey, ip: string, userAgent: string) =>
  call(s.url, 'POST', '/v1/verify', { token: verifier, body: { key: key.secret, ip, userAgent } });
const code = async (key: MadeKey) => (await use(key, '192.0.2.1', 'test')).body.code;
const preview = (person: Person, by: Person = s.owner) => s.as(by, 'GET', `W/members/${person.membershipId}/removal`);
const remove = (person: Person, version?: string) =>
  s.as(
    s.owner,
    'DELETE',
    `W/members/${person.membershipId}`,
    undefined,
    version === undefined ? {} : { headers: { 'if-match': version } },
  );

let agents = 0;
/** An agent as enrolment leaves it. */
async function enrolled(person: Person, key: MadeKey, name: string): Promise<void> {
  agents++;
  const { store, now } = s.companion.deps;
  await store.transact(async (tx) => {
    await tx
      .insertInto('agent')
      .values({
        id: `agt_${agents}`,
        workspace_id: s.workspaceId,
        name,
        public_key: `k${agents}`,
        public_key_thumbprint: `t${agents}`,
        enrolled_key_id: key.id,
        enrolled_key: JSON.stringify({ name: key.name, prefix: key.prefix }),
        enrolled_membership_id: person.membershipId,
        enrolled_by: JSON.stringify({ membershipId: person.membershipId, name: person.name, email: person.email }),
        created_at: now(),
        removed_at: null,
      })
      .execute();
  });
  const check = { permissions: undefined, customer: undefined, environment: undefined, workspaceId: undefined };
  s.companion.deps.checker.check({
    ...check,
    key: key.secret,
    ip: '198.51.100.7',
    userAgent: 'installer/1',
    verifierId: null,
    purpose: 'enrolment',
    requestId: `req_enrol${agents}`,
  });
}

test('the preview tells direct use from enrolments, and the removal does what the preview said', async () => {
  waitForCounts();
  const jo = await s.member('Jo');
  const [nightly, install, unused] = [
    await s.key(jo, { name: 'nightly-export' }),
    await s.key(jo, { name: 'install-only' }),
    await s.key(jo, { name: 'never-used' }),
  ];
  for (let i = 0; i < 3; i++) await use(nightly, '203.0.113.8', 'python-requests/2.32');
  s.companion.pass(5);
  await use(nightly, '203.0.113.9', 'curl/8.5.0');
  await enrolled(jo, install, 'truck-17');
  await enrolled(jo, install, 'truck-22');
  const revoked = await s.key(jo, { name: 'revoked-before' });
  await s.as(jo, 'POST', `W/keys/${revoked.id}/revoke`);

  const { status, body, headers } = await preview(jo);
  expect(status).toBe(200);
  expect(headers.get('etag')).toBe(`"${body.version}"`);
  expect(body.member).toMatchObject({ id: jo.membershipId, email: jo.email });
  expect(body.keys.map((k: { id: string }) => k.id)).toEqual([nightly.id, install.id, unused.id]);
  expect(body.keys[0]).toMatchObject({ name: 'nightly-export', prefix: nightly.prefix, directUses: 4, enrolments: 0 });
  expect(body.keys[0].sources).toEqual([
    { ip: '203.0.113.9', userAgent: 'curl/8.5.0', uses: 1, lastAt: expect.any(String) },
    { ip: '203.0.113.8', userAgent: 'python-requests/2.32', uses: 3, lastAt: expect.any(String) },
  ]);
  expect(body.keys[0].lastUsed).toMatchObject({ ip: '203.0.113.9', userAgent: 'curl/8.5.0' });
  expect(body.keys[1]).toMatchObject({ directUses: 0, enrolments: 2, sources: [], lastUsed: null });
  expect(body.keys[2]).toMatchObject({ directUses: 0, enrolments: 0, sources: [], lastUsed: null });
  expect(body.agents.map((a: { name: string }) => a.name)).toEqual(['truck-17', 'truck-22']);

  const removed = await remove(jo, headers.get('etag') ?? '');
  expect(removed.body).toEqual({
    revokedKeys: body.keys.length,
    endedSessions: body.sessions,
    unaffectedAgents: body.agents.length,
    knownSecrets: [],
  });
  for (const key of [nightly, install, unused]) expect(await code(key)).toBe('revoked');
  expect((await s.as(jo, 'GET', '/v1/me')).status).toBe(401);
  const listed = await s.as(s.owner, 'GET', `W/keys?owner=all&q=nightly-export`);
  expect(listed.body.items[0]).toMatchObject({ status: 'revoked', revokedReason: 'member_left' });
});

test('names the tokens and verifiers whose secrets the one who leaves was shown, as they are now', async () => {
  const made = async (by: Person, path: string, body: object) => (await s.as(by, 'POST', path, body)).body;
  const ola = await s.member('Ola', 'owner');
  const edge = { name: 'edge', environment: 'production' };
  const { verifier: hers } = await made(ola, 'W/verifiers', edge);
  await made(s.owner, 'W/verifiers', { name: 'core', environment: 'production' });
  const { token: kept } = await made(ola, 'W/scim/tokens', { name: 'Okta' });
  const { token: rotatedAway } = await made(ola, 'W/scim/tokens', { name: 'Entra' });
  const { token: rotatedHere } = await made(s.owner, 'W/scim/tokens', { name: 'Ping' });
  expect((await preview(ola)).body.knownSecrets.map((k: { name: string }) => k.name)).toEqual([
    'Entra',
    'Okta',
    'edge',
  ]);
  await made(s.owner, `W/scim/tokens/${rotatedAway.id}/rotate`, {});
  const { version } = (await preview(ola)).body;
  await made(ola, `W/scim/tokens/${rotatedHere.id}/rotate`, {});
  const refused = await remove(ola, `"${version}"`);
  expect([refused.status, refused.body.detail]).toEqual([412, expect.stringContaining('secrets they know')]);
  const known = [
    { kind: 'scim_token', id: kept.id, name: 'Okta' },
    { kind: 'scim_token', id: rotatedHere.id, name: 'Ping' },
    { kind: 'verifier', id: hers.id, name: 'edge' },
  ];
  const { body } = await preview(ola);
  expect(body.knownSecrets).toEqual(known);
  // What plain SQL left behind stands in no removal's way.
  const db = new Database(s.companion.deps.store.files.database);
  db.exec(`update verifier set created_by = 'nobody' where name = 'core'`);
  db.close();
  expect((await remove(ola, `"${body.version}"`)).body.knownSecrets).toEqual(known);
});

test('a removal writes an audit row for the member and one for each key, with who did it and from where', async () => {
  const al = await s.member('Al');
  const keys = [await s.key(al), await s.key(al)];
  await remove(al);
  const { items } = (await s.as(s.owner, 'GET', 'W/audit?limit=10')).body;
  const rows = items.filter((row: { action: string }) => ['member.removed', 'key.revoked'].includes(row.action));
  const mine = rows.filter((row: { target: { id: string } }) =>
    [al.membershipId, ...keys.map((k) => k.id)].includes(row.target.id),
  );
  expect(mine).toHaveLength(3);
  for (const row of mine)
    expect(row).toMatchObject({ actor: { type: 'member', id: s.owner.membershipId }, ip: '127.0.0.1' });
  expect((await s.as(s.owner, 'GET', 'W/audit/verify')).body.valid).toBe(true);
});

test('use of more than 30 days ago breaks nothing any more', async () => {
  waitForCounts();
  const old = await s.member('Old');
  const key = await s.key(old);
  await use(key, '203.0.113.8', 'cron/1');
  s.companion.pass(29 * DAY);
  s.owner.token = await s.signIn(s.owner);
  expect((await preview(old)).body.keys[0].directUses).toBe(1);
  s.companion.pass(DAY + 60_000);
  expect((await preview(old)).body.keys[0]).toMatchObject({
    directUses: 0,
    sources: [],
    lastUsed: { ip: '203.0.113.8' },
  });
  // Removing asks for a recent sign-in.
  s.owner.token = await s.signIn(s.owner);
});

test('refused calls are no use: nothing breaks that did not work', async () => {
  const ref = await s.member('Ref');
  const key = await s.key(ref, { ipAllowlist: ['10.0.0.0/8'] });
  expect((await use(key, '203.0.113.8', 'curl')).body.code).toBe('ip_not_allowed');
  expect((await preview(ref)).body.keys[0]).toMatchObject({ directUses: 0, sources: [] });
});

test('an admin who looked is told what has changed since, and nothing is removed; without a preview it is', async () => {
  waitForCounts();
  const kim = await s.member('Kim');
  const first = await s.key(kim, { name: 'first' });
  const path = `W/members/${kim.membershipId}`;
  const agentsOf = async () => (await preview(kim)).body.agents;
  const changes: [string, () => Promise<unknown>, string][] = [
    ['keys', () => s.key(kim, { name: 'second' }), '“second” was made'],
    ['keys', () => s.as(kim, 'POST', `W/keys/${first.id}/disable`), '“first” was disabled'],
    ['keys', () => s.as(kim, 'POST', `W/keys/${first.id}/enable`), '“first” was enabled'],
    ['keys', () => use(first, '10.0.0.1', 'curl/8'), '“first” was used directly from 10.0.0.1 by curl/8'],
    ['keys', () => use(first, '10.0.0.2', 'curl/8'), '“first” was used directly from 10.0.0.2 by curl/8'],
    ['keys', () => use(first, '10.0.0.2', 'nightly/1'), '“first” was used directly from 10.0.0.2 by nightly/1'],
    ['keys', () => s.as(kim, 'POST', `W/keys/${first.id}/rotate`, {}), '“first” was rotated'],
    ['agents', () => enrolled(kim, first, 'rig-5'), '“rig-5” was enrolled'],
    ['agents', async () => s.as(kim, 'DELETE', `W/agents/${(await agentsOf())[0].id}`), '“rig-5” was removed'],
    ['keys', () => s.as(kim, 'POST', `W/keys/${first.id}/revoke`), '“first” was revoked'],
    ['member', () => s.as(s.owner, 'PATCH', path, { role: 'admin' }), 'has the role admin now'],
    ['member', () => s.as(s.owner, 'POST', `${path}/suspend`), 'was suspended'],
    ['member', () => s.as(s.owner, 'POST', `${path}/reinstate`), 'was reinstated'],
  ];
  for (const [what, change, told] of changes) {
    // What the known callers do is no change, and is not told as one.
    await use(first, '10.9.9.9', 'known/1');
    const seen = (await preview(kim)).body;
    s.companion.pass(5);
    await change();
    await use(first, '10.9.9.9', 'known/1');
    const refused = await remove(kim, `"${seen.version}"`);
    expect([told, refused.status, refused.body.code]).toEqual([told, 412, 'precondition_failed']);
    expect(refused.body.errors).toEqual([{ path: expect.stringContaining(what), message: told }]);
    expect(refused.body.detail).toBe(`Nothing was removed. Since you looked: ${told}.`);
    expect((await preview(kim)).status).toBe(200);
    s.companion.pass(5);
  }
  // A row of the audit log that somebody made unreadable past its trigger names nobody, and stands in nobody's way.
  const before = (await preview(kim)).body;
  const db = new Database(s.companion.deps.store.files.database);
  db.exec('drop trigger audit_readable');
  db.prepare(
    `insert into audit (workspace_id, at, actor, action, target) values (?, ?, '{}', 'key.enabled', 'no JSON')`,
  ).run(s.workspaceId, s.companion.deps.now());
  db.close();
  await s.key(kim, { name: 'third' });
  expect((await remove(kim, `"${before.version}"`)).body.errors).toMatchObject([{ message: '“third” was made' }]);
  // What does not matter for the decision does not get in the way: names, more uses of a used key, another sign-in.
  const seen = (await preview(kim)).body;
  await s.signIn(kim);
  await s.as(kim, 'PATCH', `W/keys/${seen.keys[0].id}`, { name: 'renamed' });
  expect((await remove(kim, `"${seen.version}", "other"`)).status).toBe(200);
  const again = await s.member('Kim Again');
  expect((await remove(again, 'unquoted')).body.errors).toMatchObject([{ path: 'If-Match' }]);
  expect((await remove(again, '"made-up"')).status).toBe(412);
  expect((await remove(again, '*')).status).toBe(200);
});

test('the preview is for admins and oneself; for anybody else the member does not exist', async () => {
  const [ann, bob] = [await s.member('Ann'), await s.member('Bob')];
  const admin = await s.member('Adm', 'admin');
  expect((await preview(ann, admin)).status).toBe(200);
  expect((await preview(ann, ann)).status).toBe(200);
  expect((await preview(s.owner, admin)).status).toBe(403);
  const [other, nobody] = [await preview(ann, bob), await s.as(bob, 'GET', 'W/members/mem_nobody/removal')];
  expect([other.status, nobody.status]).toEqual([404, 404]);
  expect({ ...other.body, requestId: '' }).toEqual({ ...nobody.body, requestId: '' });
});

test('suspending refuses keys at once and reinstating accepts them again', async () => {
  const sus = await s.member('Sus');
  const key = await s.key(sus);
  expect(await code(key)).toBe('valid');
  await s.as(s.owner, 'POST', `W/members/${sus.membershipId}/suspend`);
  expect(await code(key)).toBe('owner_suspended');
  await s.as(s.owner, 'POST', `W/members/${sus.membershipId}/reinstate`);
  expect(await code(key)).toBe('valid');
});

test('whoever comes back gets no key back', async () => {
  const ret = await s.member('Ret');
  const key = await s.key(ret);
  await remove(ret);
  const { link } = (await s.as(s.owner, 'POST', 'W/invitations', { email: ret.email, role: 'member' })).body;
  const session = await s.signIn(ret);
  const token = new URL(link).hash.slice(1);
  const back = await call(s.url, 'POST', '/v1/invitations/accept', { token: session, body: { token } });
  expect(back.status).toBe(201);
  expect(await code(key)).toBe('revoked');
  const again = { ...ret, token: session, membershipId: back.body.membership.id };
  expect((await s.as(again, 'GET', 'W/keys')).body.items).toEqual([]);
  expect((await s.as(again, 'POST', `W/keys/${key.id}/enable`)).status).toBe(404);
  // The name is free again for a new key.
  expect((await s.key(again, { name: key.name })).id).not.toBe(key.id);
});

test('an invitation does not outlast the authority of whoever made it', async () => {
  const boss = await s.member('Boss', 'admin');
  const invite = async () => {
    const { body } = await s.as(boss, 'POST', 'W/invitations', { email: 'backdoor@acme.example', role: 'admin' });
    return new URL(body.link).hash.slice(1);
  };
  const accept = (token: string) =>
    call(s.url, 'POST', '/v1/invitations/accept', {
      body: { token, name: 'Back', password: 'correct horse battery' },
    });
  const demoted = await invite();
  await s.as(s.owner, 'PATCH', `W/members/${boss.membershipId}`, { role: 'member' });
  expect((await accept(demoted)).status).toBe(404);
  await s.as(s.owner, 'PATCH', `W/members/${boss.membershipId}`, { role: 'admin' });
  const removed = await invite();
  await remove(boss);
  expect((await accept(removed)).status).toBe(404);
  expect((await s.as(s.owner, 'GET', 'W/invitations')).body.items).toEqual([]);
});
