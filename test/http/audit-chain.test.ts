import { createHash } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Selectable } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CHAIN_START, chainHash } from '../../companion/store/audit-chain.ts';
import type { AuditRow } from '../../companion/store/tables.ts';
import { auditEntry } from '../../shared/contract/audit.ts';
import { type AuditLog, auditLog } from '../support/audit.ts';
import { call } from '../support/client.ts';

let log: AuditLog;
beforeEach(async () => {
  log = await auditLog();
});
afterEach(() => log.end());

/** A row that plain SQL adds, in the name of somebody. */
const outside = () => `insert into audit (workspace_id, at, actor, action, target)
  values ('${log.workspaceId}', 1, '{"type":"member"}', 'note.made', '{"type":"key","id":"k","name":null}')`;

test('an untouched chain verifies, and its head proves later that nothing before it went missing', async () => {
  await log.write(3);
  const report = await log.verify();
  expect(report).toEqual({
    valid: true,
    entries: 4,
    since: (await log.get('')).body.items[3].at,
    pending: 0,
    head: { seq: 4, hash: expect.any(String) },
  });
  await log.write(2);
  const anchor = `?seq=${report.head.seq}&hash=${report.head.hash}`;
  expect(await log.verify(anchor)).toMatchObject({ valid: true, entries: 6 });
  expect(await log.verify(`?seq=9&hash=${report.head.hash}`)).toMatchObject({ valid: false, brokenAt: 9 });
  expect((await log.get('/verify?seq=4')).status).toBe(400);
});

test('the hash of a row is the one that the documentation says', async () => {
  await log.write(2);
  log.sql(outside());
  await log.write(1);
  const db = new Database(join(log.companion.folder, 'heex.sqlite'), { readonly: true });
  let previous = '0'.repeat(64);
  for (const row of db.prepare<[], Record<string, unknown>>('select * from audit order by seq').all()) {
    const fields = ['seq', 'workspace_id', 'at', 'actor', 'action', 'target', 'before', 'after', 'ip', 'client'];
    const values = [previous, ...fields.map((field) => row[field]), ...(row.source === null ? [] : [row.source])];
    previous = createHash('sha256').update(JSON.stringify(values)).digest('hex');
    expect(row.hash).toBe(previous);
  }
  db.close();
});

const row = (seq: number | string, more = '') =>
  `insert into audit (seq, workspace_id, at, actor, action, target) values
    (${seq}, 'w', 1, '{"type":"member"}', 'x.y', '{"type":"key","id":"k","name":null}')${more}`;

test('plain SQL can neither change, delete, replace, reorder nor seal a row, nor skip a number', async () => {
  await log.write(2);
  for (const sql of [
    `update audit set action = 'x' where seq = 2`,
    `update audit set source = 'outside' where seq = 2`,
    `update audit set hash = null where seq = 2`,
    'update or replace audit set seq = 1 where seq = 2',
    'delete from audit',
    'delete from audit where seq = 3',
    row(2).replace('insert', 'insert or replace'),
    ...[-1, 0, 3, 5, 99, '9223372036854775807'].map((seq) => row(seq)),
    row(4, `, (6, 'w', 1, '{"type":"member"}', 'x.y', '{"type":"key","id":"k","name":null}')`),
    outside()
      .replace('target)', 'target, hash)')
      .replace(/\)$/, `, '${'0'.repeat(64)}')`),
  ])
    expect(() => log.sql(sql), sql).toThrow(/append-only|sealed after|UNIQUE/);
  await log.write(1);
  expect(await log.verify()).toMatchObject({ valid: true, entries: 4, head: { seq: 4 } });
});

test('plain SQL can add no row that keeps the log from being read', async () => {
  for (const [from, to] of [
    ['{"type":"member"}', '{}'],
    ['{"type":"member"}', 'nobody'],
    ['{"type":"member"}', '{"type":"member","name":5}'],
    ['{"type":"key","id":"k","name":null}', '"k"'],
    ['{"type":"key","id":"k","name":null}', '{"type":"key"}'],
    [' 1,', ' 9000000000000000,'],
  ] as const)
    expect(() => log.sql(outside().replace(from, to)), to).toThrow(/malformed JSON|names actor, target and time/);
  log.sql(outside());
  expect((await log.get('')).status).toBe(200);
});

/** A row that claims to be sealed, at whatever place. */
const forged = (seq: string) =>
  `insert into audit (seq, workspace_id, at, actor, action, target, hash)
    select ${seq}, workspace_id, at, actor, 'member.removed', target, hash from audit where seq = 2`;

test('rows that somebody made unreadable past the triggers are shown as such, and keep nobody from the others', async () => {
  await log.write(1);
  const unreadable = [
    ['nobody', '{"type":"key","id":"k","name":null}', 1],
    ['{"type":"member"}', '[', 1],
    ['7', '{"type":"key"}', 9e15],
    ['{"type":1}', 'null', -9e15],
  ] as const;
  for (const [actor, target, at] of unreadable)
    log.sql(
      `insert into audit (workspace_id, at, actor, action, target, before, after)
        values ('${log.workspaceId}', ${at}, '${actor}', 'note.made', '${target}', '{', '[1]')`,
      true,
    );
  const { status, body } = await log.get('');
  expect(status).toBe(200);
  expect(() => body.items.map((item: unknown) => auditEntry.parse(item))).not.toThrow();
  expect(body.items).toHaveLength(6);
  expect(body.items[2]).toMatchObject({
    actor: { type: 'member' },
    target: { type: 'unreadable', name: '[' },
    before: { unreadable: '{' },
    after: { unreadable: '[1]' },
  });
  expect(body.items[3]).toMatchObject({ actor: { type: 'unreadable', name: 'nobody' }, target: { id: 'k' } });
  expect((await log.get('/export?format=csv')).body.trimEnd().split('\r\n')).toHaveLength(7);
  for (const filter of ['actor=system', 'actor=mem_1', 'target=grp_0', 'q=ada'])
    expect((await log.get(`?${filter}`)).status, filter).toBe(200);
  expect((await log.get('?actor=mem_1')).body.items).toHaveLength(1);
});

// Each needs the triggers dropped first; the chain still tells.
const TAMPERED: [string, string, number][] = [
  ['an edited row', `update audit set after = '{}' where seq = 3`, 3],
  ['an edited actor', `update audit set actor = '{"type":"system"}' where seq = 2`, 2],
  ['a moved time', 'update audit set at = at + 1 where seq = 5', 5],
  ['a deleted row', 'delete from audit where seq = 3', 4],
  ['a deleted first row', 'delete from audit where seq = 1', 2],
  [
    'two rows in each other’s place',
    'update audit set seq = 9 where seq = 2; update audit set seq = 2 where seq = 3; update audit set seq = 3 where seq = 9',
    2,
  ],
  ['a last row cut off', 'delete from audit where seq = 5', 5],
  ['an end cut off', 'delete from audit where seq > 2', 3],
  ['everything gone', 'delete from audit', 1],
  ['an end and its head cut off', 'delete from audit where seq > 2; delete from audit_head', 1],
  [
    'a head put back',
    'delete from audit where seq > 4; update audit_head set seq = 4, hash = (select hash from audit where seq = 4)',
    4,
  ],
  ['head gone', 'delete from audit_head', 1],
  ['everything gone, the head too', 'delete from audit; delete from audit_head', 1],
  ['a mark taken off', 'update audit set source = null where seq = 6', 6],
  ['a mark made', `update audit set source = 'outside' where seq = 4`, 4],
  ['a row put before the first', forged('-9007199254740994'), -9007199254740994],
  ['a row put far behind the last', forged('9007199254740994'), 9007199254740994],
  ['a row unsealed', 'update audit set hash = null where seq = 3', 4],
];
test.each(TAMPERED)('the chain breaks at %s, and going on as usual does not heal it', async (name, sql, brokenAt) => {
  await log.write(4);
  if (name.startsWith('a mark')) {
    log.sql(outside());
    await log.write(1);
  }
  log.sql(sql, true);
  expect(await log.verify()).toMatchObject({ valid: false, brokenAt });
  await log.write(1);
  expect((await log.verify()).valid).toBe(false);
  await log.companion.restart();
  await log.write(1);
  expect((await log.verify()).valid).toBe(false);
});

test('only the making of a workspace begins a chain: a forged beginning does not', async () => {
  await log.write(2);
  const begun = `'workspace.created', '{"type":"workspace","id":"${log.workspaceId}","name":"Acme"}'`;
  log.sql(
    `delete from audit; delete from audit_head; delete from sqlite_sequence where name = 'audit';
    insert into audit (seq, workspace_id, at, actor, action, target) values (1, '${log.workspaceId}', 1, '{"type":"member"}', ${begun});
    insert into audit_head values ('${log.workspaceId}', 0, '${CHAIN_START}', '${'0'.repeat(64)}')`,
    true,
  );
  expect(await log.verify()).toMatchObject({ valid: false, brokenAt: 1 });
  await log.write(1);
  expect(await log.verify()).toMatchObject({ valid: false, brokenAt: 1 });
});

test('an old head put back together with a shortened log is found out by a head that was kept, and by nothing else', async () => {
  await log.write(2);
  log.sql('create table kept as select * from audit_head');
  await log.write(2);
  const { seq, hash } = (await log.verify()).head;
  log.sql(
    `delete from audit where seq > 3; delete from audit_head; insert into audit_head select * from kept;
    update sqlite_sequence set seq = 3 where name = 'audit'`,
    true,
  );
  expect(await log.verify()).toMatchObject({ valid: true, entries: 3 });
  expect(await log.verify(`?seq=${seq}&hash=${hash}`)).toMatchObject({ valid: false, brokenAt: 5 });
  // Nor do other rows in their place stand in for them.
  await log.write(4);
  expect(await log.verify()).toMatchObject({ valid: true, entries: 7 });
  expect(await log.verify(`?seq=${seq}&hash=${hash}`)).toMatchObject({ valid: false, brokenAt: 5 });
});

test('who has the database but not the hash key can’t chain a changed log anew', async () => {
  await log.write(3);
  log.sql(`update audit set actor = '{"type":"system"}' where seq = 2`, true);
  const db = new Database(`${log.companion.folder}/heex.sqlite`);
  let previous = CHAIN_START;
  for (const row of db.prepare<[], Selectable<AuditRow>>('select * from audit order by seq').all()) {
    previous = chainHash(previous, row);
    db.prepare('update audit set hash = ? where seq = ?').run(previous, row.seq);
    db.prepare('update audit_head set hash = ?').run(previous);
  }
  db.close();
  expect(await log.verify()).toMatchObject({ valid: false, brokenAt: 4 });
});

test('a row from outside is pending until the next change or start seals it', async () => {
  log.sql(outside());
  expect(await log.verify()).toMatchObject({ valid: true, entries: 2, pending: 1, head: { seq: 1 } });
  await log.write(1);
  expect(await log.verify()).toMatchObject({ valid: true, entries: 3, pending: 0, head: { seq: 3 } });
  log.sql(outside());
  await log.companion.restart();
  expect(await log.verify()).toMatchObject({ valid: true, entries: 4, pending: 0, head: { seq: 4 } });
});

test('whatever a row from outside says of itself, it is marked for good, in the list and in the exports', async () => {
  await log.write(1);
  log.sql(outside());
  log.sql(outside().replace('target)', 'target, source)').replace(/\)$/, ', null)'));
  const sources = async () => (await log.get('')).body.items.map((e: { source: string }) => e.source).reverse();
  expect(await sources()).toEqual(['companion', 'companion', 'outside', 'outside']);
  await log.write(1);
  expect(await sources()).toEqual(['companion', 'companion', 'outside', 'outside', 'companion']);
  const lines = (await log.get('/export')).body.trimEnd().split('\n').map(JSON.parse);
  expect(lines.map((e: { source: string }) => e.source)).toEqual(await sources());
  const cells = (await log.get('/export?format=csv')).body.trimEnd().split('\r\n');
  expect(cells.map((line: string) => line.split(',').at(-1))).toEqual(
    ['source', ...(await sources())].map((cell) => `"${cell}"`),
  );
});

test('a removal by plain SQL is marked, also where it claims an actor; one by the companion is not', async () => {
  const remove = (userId: string) => {
    log.sql(`insert into user values ('${userId}', '${userId}', '${userId}@acme.example', null, 1, null);
      insert into membership values ('mem_${userId}', '${log.workspaceId}', '${userId}', 'member', 1, null)`);
    return `delete from membership where id = 'mem_${userId}'`;
  };
  log.sql(remove('usr_1'));
  log.sql(`insert into acting values (1, 5, '{"type":"member","id":"mem_1"}', null, 'web'); ${remove('usr_2')}`);
  remove('usr_3');
  const { token } = log;
  const path = `/v1/workspaces/${log.workspaceId}/members/mem_usr_3`;
  expect((await call(log.companion.url, 'DELETE', path, { token })).status).toBe(200);
  const { items } = (await log.get('?action=member.removed')).body;
  const told = items.map((e: { actor: { type: string }; source: string }) => [e.actor.type, e.source]);
  expect(told).toEqual([
    ['member', 'companion'],
    ['member', 'outside'],
    ['database', 'outside'],
  ]);
});

// The limits that the documentation tells.
test('the chain does not show a pending row that was taken away, nor who wrote what a foreign trigger adds', async () => {
  log.sql(outside());
  log.sql('delete from audit where hash is null', true);
  expect(await log.verify()).toMatchObject({ valid: true, entries: 1 });
  log.sql(
    `create trigger foreign_hand after insert on audit when new.action = 'group.created' begin ${outside()}; end`,
  );
  await log.write(1);
  const { items } = (await log.get('')).body;
  expect(items[0]).toMatchObject({ action: 'note.made', source: 'companion' });
});
