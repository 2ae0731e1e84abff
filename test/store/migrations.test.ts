import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, expect, test } from 'vitest';
import { ACTIVITY_MIGRATIONS, MIGRATIONS, migrate } from '../../companion/store/migrate.ts';
import { call } from '../support/client.ts';
import { type CompanionProcess, scratchFolder, startProcess } from '../support/process.ts';

const HASH_KEY = Buffer.alloc(32, 7);
let companion: CompanionProcess | undefined;
afterAll(() => companion?.end());

/** A data folder as a companion of the first schema left it: a member with a live key, a revoked one, and some use. */
function firstFolder(): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'hash.key'), HASH_KEY.toString('base64'));
  const db = new Database(join(folder, 'heex.sqlite'));
  migrate(db, MIGRATIONS.slice(0, 1), 'heex.sqlite');
  const fingerprint = createHmac('sha256', HASH_KEY).update('heex-keys hash key').digest('hex');
  db.prepare('insert into meta values (?, ?)').run('hash_key_fingerprint', fingerprint);
  const key = `insert into api_key (id, workspace_id, membership_id, created_by, name, name_folded, description, environment, customers, ip_allowlist, created_at, revoked_at, revoked_reason)
    values (?, 'ws_1', 'mem_1', '{"membershipId":"mem_1","name":"Ada","email":"ada@acme.example"}', ?, ?, '', 'production', '[]', '[]', 1000, ?, ?)`;
  db.exec(`insert into workspace values ('ws_1', 'Acme', 'team', 10, null, 1000);
    insert into user values ('usr_1', 'Ada', 'ada@acme.example', null, 1000, null);
    insert into membership values ('mem_1', 'ws_1', 'usr_1', 'owner', 1000, null);`);
  db.prepare(key).run('key_live', 'live', 'live', null, null);
  db.prepare(key).run('key_dead', 'dead', 'dead', 2000, 'leaked');
  for (const id of ['live', 'dead'])
    db.prepare(`insert into api_key_secret values (?, ?, 'heex_prod_abcdefgh', ?, 1000, 1, null)`).run(
      `sec_${id}`,
      `key_${id}`,
      id,
    );
  db.close();
  const activity = new Database(join(folder, 'activity.sqlite'));
  migrate(activity, ACTIVITY_MIGRATIONS.slice(0, 1), 'activity.sqlite');
  activity.prepare(`insert into secret_use values ('sec_live', 'key_live', 42, 5000, '192.0.2.1', 'curl')`).run();
  activity.close();
  return folder;
}

test('a database of the first schema is brought to the newest with everything that was in it', async () => {
  const folder = firstFolder();
  companion = await startProcess(folder);
  const db = new Database(join(folder, 'heex.sqlite'));
  expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
  const keys = db.prepare('select id, name, revoked_reason from api_key order by id').all();
  expect(keys).toEqual([
    { id: 'key_dead', name: 'dead', revoked_reason: 'leaked' },
    { id: 'key_live', name: 'live', revoked_reason: null },
  ]);
  expect(db.pragma('foreign_key_check')).toEqual([]);
  expect(db.prepare('select count(*) from api_key_secret').pluck().get()).toBe(2);
  db.close();
  const activity = new Database(join(folder, 'activity.sqlite'));
  expect(activity.prepare('select * from secret_use').all()).toEqual([
    {
      key_id: 'key_live',
      secret_id: 'sec_live',
      uses: 42,
      last_at: 5000,
      last_ip: '192.0.2.1',
      last_user_agent: 'curl',
    },
  ]);
  activity.close();
  expect((await call(companion.url, 'GET', '/readyz')).status).toBe(200);
});

test('each step is one transaction: one that fails leaves the version and the schema as they were', () => {
  const db = new Database(':memory:');
  expect(() =>
    migrate(
      db,
      ['create table a (x integer) strict;', 'create table b (x integer) strict; insert into nowhere values (1);'],
      'x',
    ),
  ).toThrow('nowhere');
  expect(db.pragma('user_version', { simple: true })).toBe(1);
  expect(db.prepare(`select name from sqlite_schema where type = 'table'`).pluck().all()).toEqual(['a']);
});
