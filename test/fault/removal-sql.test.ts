import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { findProgram } from '../support/programs.ts';
import { orphans, remains, rowsIn } from '../support/rows.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let verifier: string;
beforeEach(async () => {
  s = await scenario();
  verifier = await s.verifier('production');
});
afterEach(() => s.end());

const codeOf = async (secret: string) =>
  (await call(s.url, 'POST', '/v1/verify', { token: verifier, body: { key: secret } })).body.code;
const whoami = async (secret: string) => (await call(s.url, 'GET', '/v1/whoami', { token: secret })).status;

const deletions = [
  ['the member', 'delete from membership where id = ?', 'membershipId'],
  ['the user', 'delete from user where id = ?', 'userId'],
  ['every member', 'delete from membership where ? is not null', 'membershipId'],
  ['everyone, without a condition', 'delete from membership', undefined],
  ['every user, without a condition', 'delete from user', undefined],
] as const;

for (const foreignKeys of [true, false])
  for (const [what, statement, column] of deletions)
    test(`deleting ${what} by plain SQL revokes their keys at once, foreign keys ${foreignKeys ? 'on' : 'off'}`, async () => {
      const rows = rowsIn(s.companion.folder, foreignKeys);
      const [gone] = rows.members(1, 3);
      if (!gone) throw new Error('no member');
      const [key] = gone.keys;
      expect(await codeOf(key?.secret ?? '')).toBe('valid');
      rows.db.prepare(statement).run(...(column ? [gone[column]] : []));
      expect(await codeOf(key?.secret ?? '')).toBe('revoked');
      expect((await call(s.url, 'GET', '/v1/me', { token: gone.token })).status).toBe(401);
      expect(orphans(rows.db)).toEqual([]);
      expect(remains(rows.db, gone)).toEqual({
        memberships: 0,
        sessions: 0,
        live: 0,
        left: 3,
        audited: 1,
        keysAudited: 3,
      });
      rows.close();
    });

test('deleting the workspace by plain SQL revokes every key in it', async () => {
  for (const foreignKeys of [true, false]) {
    const other = await scenario();
    const rows = rowsIn(other.companion.folder, foreignKeys);
    const members = rows.members(3, 2);
    rows.db.prepare('delete from workspace').run();
    for (const member of members) {
      expect(remains(rows.db, member)).toMatchObject({ memberships: 0, sessions: 0, live: 0, left: 2, keysAudited: 2 });
      for (const { secret } of member.keys)
        expect((await call(other.url, 'GET', '/v1/whoami', { token: secret })).status).toBe(401);
    }
    expect(orphans(rows.db)).toEqual([]);
    rows.close();
    await other.end();
  }
});

test('no statement that replaces a row gets rid of a member without their keys', async () => {
  const rows = rowsIn(s.companion.folder, false);
  const [one, two] = rows.members(2, 2);
  if (!one || !two) throw new Error('no members');
  const statements = [
    `insert or replace into membership select id, workspace_id, '${two.userId}', role, joined_at, suspended_at from membership where id = '${one.membershipId}'`,
    `replace into membership select 'mem_new', workspace_id, user_id, role, joined_at, suspended_at from membership where id = '${one.membershipId}'`,
    `insert or replace into user (id, name, email, created_at) select 'usr_new', name, email, 1 from user where id = '${one.userId}'`,
    `insert or replace into user (id, name, email, created_at) values ('${one.userId}', 'x', 'new@acme.example', 1)`,
    `insert or replace into workspace select * from workspace`,
    `update or replace membership set user_id = '${two.userId}' where id = '${one.membershipId}'`,
    `update or replace membership set id = '${two.membershipId}' where id = '${one.membershipId}'`,
    `update or replace user set email = (select email from user where id = '${two.userId}') where id = '${one.userId}'`,
    `update or replace user set id = '${two.userId}' where id = '${one.userId}'`,
    `update or replace workspace set id = 'ws_new'`,
    `insert or replace into api_key select * from api_key where membership_id = '${one.membershipId}'`,
    `insert or replace into api_key (id, workspace_id, membership_id, created_by, name, name_folded, description, environment, customers, ip_allowlist, created_at)
       select 'key_new', workspace_id, membership_id, '{}', name, name_folded, '', environment, '[]', '[]', 1 from api_key where id = '${one.keys[0]?.id}'`,
    `update or replace api_key set id = '${two.keys[0]?.id}' where id = '${one.keys[0]?.id}'`,
    // By the row number, foreign keys off: there is none.
    `insert or replace into membership (rowid, id, workspace_id, user_id, role, joined_at) select rowid, 'mem_new', workspace_id, 'usr_new', role, 1 from membership where id = '${one.membershipId}'`,
    `update or replace membership set rowid = (select rowid from membership where id = '${two.membershipId}') where id = '${one.membershipId}'`,
    `insert or replace into user (rowid, id, name, email, created_at) select rowid, 'usr_new', 'x', 'new@acme.example', 1 from user where id = '${one.userId}'`,
    `update or replace user set rowid = (select rowid from user where id = '${two.userId}') where id = '${one.userId}'`,
    `insert or replace into workspace (rowid, id, name, plan, key_limit, created_at) select rowid, 'ws_new', 'x', 'team', 5, 1 from workspace`,
    `update or replace workspace set rowid = rowid + 1`,
    `update or replace api_key set rowid = (select rowid from api_key where id = '${two.keys[0]?.id}') where id = '${one.keys[0]?.id}'`,
    `update or replace api_key set name_folded = 'key 1' where id = '${one.keys[0]?.id}'`,
  ];
  const before = JSON.stringify([one, two].map((member) => remains(rows.db, member)));
  for (const statement of statements) expect(() => rows.db.exec(statement), statement).toThrow();
  expect(JSON.stringify([one, two].map((member) => remains(rows.db, member)))).toBe(before);
  expect(orphans(rows.db)).toEqual([]);
  rows.close();
});

test('no statement brings a key back, hands it on, or issues one to nobody', async () => {
  const rows = rowsIn(s.companion.folder, false);
  const [gone, here] = rows.members(2, 2);
  if (!gone || !here) throw new Error('no members');
  rows.db.prepare('delete from membership where id = ?').run(gone.membershipId);
  const key = gone.keys[0]?.id;
  const statements = [
    `update api_key set revoked_at = null, revoked_reason = null where id = '${key}'`,
    `update api_key set revoked_at = null, revoked_reason = null, membership_id = '${here.membershipId}' where id = '${key}'`,
    `update api_key set membership_id = '${here.membershipId}' where id = '${key}'`,
    `update api_key set revoked_reason = 'by_owner' where id = '${key}'`,
    `update api_key set revoked_at = revoked_at + 1 where id = '${key}'`,
    `update api_key set membership_id = null where id = '${here.keys[0]?.id}'`,
    `update api_key set membership_id = '${gone.membershipId}' where id = '${here.keys[0]?.id}'`,
    `update api_key set workspace_id = 'ws_other' where id = '${here.keys[0]?.id}'`,
    `delete from api_key where id = '${here.keys[0]?.id}'`,
    `insert into api_key (id, workspace_id, membership_id, created_by, name, name_folded, description, environment, customers, ip_allowlist, created_at)
       values ('key_x', '${rows.workspaceId}', '${gone.membershipId}', '{}', 'x', 'x', '', 'production', '[]', '[]', 1)`,
    `insert into api_key (id, workspace_id, membership_id, created_by, name, name_folded, description, environment, customers, ip_allowlist, created_at)
       values ('key_x', 'ws_other', '${here.membershipId}', '{}', 'x', 'x', '', 'production', '[]', '[]', 1)`,
  ];
  for (const statement of statements) expect(() => rows.db.exec(statement), statement).toThrow();
  // The same membership id again, and the same user: the keys stay dead.
  rows.db
    .prepare(`insert into membership (id, workspace_id, user_id, role, joined_at) values (?, ?, ?, 'member', 1)`)
    .run(gone.membershipId, rows.workspaceId, gone.userId);
  for (const { secret } of gone.keys) expect([await codeOf(secret), await whoami(secret)]).toEqual(['revoked', 401]);
  expect(orphans(rows.db)).toEqual([]);
  rows.close();
});

test.skipIf(!findProgram('sqlite3'))('the sqlite3 shell removes a member as everything else does', async () => {
  const rows = rowsIn(s.companion.folder);
  const [gone] = rows.members(1, 2);
  if (!gone) throw new Error('no member');
  const file = join(s.companion.folder, 'heex.sqlite');
  const done = spawnSync('sqlite3', [file, `delete from user where id = '${gone.userId}'`], { encoding: 'utf8' });
  expect([done.status, done.stderr]).toEqual([0, '']);
  expect(await codeOf(gone.keys[0]?.secret ?? '')).toBe('revoked');
  expect(remains(rows.db, gone)).toMatchObject({ memberships: 0, sessions: 0, live: 0, left: 2 });
  rows.close();
});
