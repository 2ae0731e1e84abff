import Database from 'better-sqlite3';
import type { Selectable } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CHAIN_START, chainHash } from '../../companion/store/audit-chain.ts';
import type { AuditRow } from '../../companion/store/tables.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let db: Database.Database;
beforeEach(async () => {
  s = await scenario();
  db = new Database(s.companion.deps.store.files.database);
});
afterEach(async () => {
  db.close();
  await s.end();
});

const verify = async () => (await s.as(s.owner, 'GET', 'W/audit/verify')).body;

// What can be changed without moving the row; the number and the workspace are covered below.
test.each(['at', 'actor', 'action', 'target', 'before', 'after', 'ip', 'client'])(
  'the chain breaks where the %s of a row was changed, added or taken away',
  async (column) => {
    const mia = await s.member('Mia');
    await s.as(s.owner, 'PATCH', `W/members/${mia.membershipId}`, { role: 'admin' });
    const row = db.prepare<[], { seq: number; value: string | number | null }>(
      `select seq, "${column}" as value from audit where action = 'member.role_changed'`,
    );
    const { seq, value } = row.get() ?? { seq: 0, value: null };
    expect(value).not.toBeNull();
    for (const name of db
      .prepare(`select name from sqlite_master where type = 'trigger' and tbl_name = 'audit'`)
      .pluck()
      .all())
      db.exec(`drop trigger ${name}`);
    const set = db.prepare(`update audit set "${column}" = ? where seq = ?`);
    expect(await verify()).toMatchObject({ valid: true });
    const others = typeof value === 'number' ? [value + 1] : [`${value} `, ''];
    if (['before', 'after', 'ip', 'client'].includes(column)) others.push(null as never);
    for (const other of others) {
      set.run(other, seq);
      expect([other, await verify()]).toMatchObject([other, { valid: false, brokenAt: seq }]);
    }
    set.run(value, seq);
    expect(await verify()).toMatchObject({ valid: true });
  },
);

test('the hash of a row covers every column that it has, also one that is added later', () => {
  const row = db.prepare<[], Selectable<AuditRow>>('select * from audit order by seq').get() as Selectable<AuditRow>;
  const columns = db
    .prepare<[], string>(`select name from pragma_table_info('audit') where name <> 'hash'`)
    .pluck()
    .all();
  expect(columns).toContain('workspace_id');
  const hash = chainHash(CHAIN_START, row);
  for (const column of columns)
    expect([column, chainHash(CHAIN_START, { ...row, [column]: 'another' }) === hash]).toEqual([column, false]);
  expect(chainHash(hash, row)).not.toBe(hash);
});
