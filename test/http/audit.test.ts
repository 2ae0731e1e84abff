import Database from 'better-sqlite3';
import type { Selectable } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AuditEntry, audit } from '../../companion/app/audit.ts';
import { CHAIN_START, chainHash } from '../../companion/store/audit-chain.ts';
import type { AuditRow } from '../../companion/store/tables.ts';
import { call } from '../support/client.ts';
import { SETUP_TOKEN, type TestCompanion, testCompanion } from '../support/companion.ts';

let companion: TestCompanion;
let token: string;
let workspaceId: string;

beforeEach(async () => {
  companion = await testCompanion();
  const { body } = await call(companion.url, 'POST', '/v1/setup', {
    body: { token: SETUP_TOKEN, workspace: 'Acme', name: 'Ada', email: 'ada@acme.example', password: 'correct horse' },
  });
  token = body.session.token;
  workspaceId = body.workspace.id;
});
afterEach(() => companion.end());

const get = (path: string) => call(companion.url, 'GET', `/v1/workspaces/${workspaceId}/audit${path}`, { token });
const verify = async (query = '') => (await get(`/verify${query}`)).body;

/** Rows as the use cases write them. */
async function write(count: number, entry: Partial<AuditEntry> = {}) {
  for (let i = 0; i < count; i++)
    await companion.deps.store.transact((tx) =>
      audit(tx, {
        workspaceId,
        at: companion.deps.now(),
        actor: { type: 'member', id: 'mem_1', name: 'ada@acme.example' },
        action: 'group.created',
        target: { type: 'group', id: `grp_${i}`, name: `Group ${i}` },
        after: { permissions: ['customers:read'] },
        ...entry,
      }),
    );
}

/** Plain SQL, as the `sqlite3` shell would run it; `tamper` first takes the triggers away. */
function plainSql(sql: string, tamper = false) {
  const db = new Database(`${companion.folder}/heex.sqlite`);
  if (tamper) {
    const triggers = db.prepare(`select name from sqlite_master where type = 'trigger' and tbl_name = 'audit'`).pluck();
    for (const name of triggers.all()) db.exec(`drop trigger ${name}`);
  }
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

test('a list is newest first, pages by cursor, and says who did what to what, from where and by which client', async () => {
  await write(5);
  const first = await get('?limit=4');
  expect(first.body.items.map((e: { seq: number }) => e.seq)).toEqual([6, 5, 4, 3]);
  const rest = await get(`?limit=4&cursor=${first.body.nextCursor}`);
  expect(rest.body.items.map((e: { seq: number }) => e.seq)).toEqual([2, 1]);
  expect(rest.body.nextCursor).toBeNull();
  expect(rest.body.items[1]).toMatchObject({
    actor: { type: 'member', name: 'ada@acme.example' },
    action: 'workspace.created',
    target: { type: 'workspace', id: workspaceId, name: 'Acme' },
    ip: '127.0.0.1',
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect((await get('?cursor=nonsense')).body.errors).toEqual([expect.objectContaining({ path: 'cursor' })]);
});

test('filters by actor, action, target and time narrow the list and the export alike', async () => {
  await write(2);
  companion.pass(60_000);
  const from = new Date(companion.deps.now()).toISOString();
  await write(1, { action: 'key.created', actor: { type: 'key', id: 'key_9', name: 'Ünïx' } });
  await write(1, { action: 'keyring.made', target: { type: 'member', id: 'mem_7', name: 'Bo@acme.example' } });
  await write(1, { action: 'user.provisioned', actor: { type: 'scim', id: 'scim_1', name: 'Entra' } });
  plainSql(`update user set name = 'Zoë Zhang'`);
  const { hash } = (await get('?actor=key_9')).body.items[0];
  for (const [query, count] of [
    ['actor=key_9', 1],
    ['actor=ADA@acme.example', 4],
    ['action=group.created', 2],
    ['action=key', 1],
    ['target=mem_7', 1],
    ['target=bo@ACME.example', 1],
    ['actor=scim', 1],
    ['actor=system', 0],
    ['q=mem_7', 1],
    ['q=BO@acme', 1],
    ['q=acme.example', 4],
    ['q=Zhang', 4],
    ['q=zhang&action=key', 0],
    ['q=100%', 0],
    [`q=${hash.slice(0, 8)}`, 1],
    [`q=${hash.slice(0, 8).toUpperCase()}`, 1],
    [`q=${hash.slice(1, 9)}`, 0],
    [`from=${from}`, 3],
    [`to=${from}`, 3],
    [`from=${from}&action=key`, 1],
    ['target=nobody', 0],
  ] as const) {
    const search = `?${query.replaceAll('%', '%25').replaceAll('+', '%2B')}`;
    expect((await get(search)).body.items, query).toHaveLength(count);
    const lines = (await get(`/export${search}`)).body.split('\n').filter(Boolean);
    expect(lines, query).toHaveLength(count);
  }
  for (const bad of ['action=Key%', 'from=2026-02-30T00:00:00Z', 'limit=0', 'nothing=1'])
    expect((await get(`?${bad}`)).status, bad).toBe(400);
});

test('what a filter asks for is found and paged through, however far back it is', async () => {
  await write(3, { action: 'key.created' });
  plainSql(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 12000)
      insert into audit (workspace_id, at, actor, action, target) select '${workspaceId}', 1, '{"type":"database"}', 'x.y', '{}' from n`,
  );
  await write(1, { action: 'key.created' });
  const seqs = ({ items }: { items: { seq: number }[] }) => items.map(({ seq }) => seq);
  const first = (await get('?action=key&limit=2')).body;
  expect(seqs(first)).toEqual([12_005, 4]);
  const rest = (await get(`?action=key&limit=2&cursor=${first.nextCursor}`)).body;
  expect([seqs(rest), rest.nextCursor]).toEqual([[3, 2], null]);
  expect((await get('?action=agent')).body).toEqual({ items: [], nextCursor: null });
});

test('an untouched chain verifies, and its head proves later that nothing before it went missing', async () => {
  await write(3);
  const report = await verify();
  expect(report).toEqual({
    valid: true,
    entries: 4,
    since: (await get('')).body.items[3].at,
    pending: 0,
    head: { seq: 4, hash: expect.any(String) },
  });
  await write(2);
  const anchor = `?seq=${report.head.seq}&hash=${report.head.hash}`;
  expect(await verify(anchor)).toMatchObject({ valid: true, entries: 6 });
  expect(await verify(`?seq=9&hash=${report.head.hash}`)).toMatchObject({ valid: false, brokenAt: 9 });
  expect((await get('/verify?seq=4')).status).toBe(400);
});

test('plain SQL can neither change, delete, replace, reorder nor forge a row', async () => {
  await write(2);
  for (const sql of [
    `update audit set action = 'x' where seq = 2`,
    `update audit set hash = null where seq = 2`,
    'update or replace audit set seq = 1 where seq = 2',
    'delete from audit',
    'delete from audit where seq = 3',
    `insert or replace into audit (seq, workspace_id, at, actor, action, target) values (2, 'w', 1, '{}', 'x', '{}')`,
    `insert into audit (seq, workspace_id, at, actor, action, target) values (-1, 'w', 1, '{}', 'x', '{}')`,
    `insert into audit (workspace_id, at, actor, action, target, hash) values ('w', 1, '{}', 'x', '{}', 'h')`,
  ])
    expect(() => plainSql(sql), sql).toThrow(/append-only|sealed after/);
  expect(await verify()).toMatchObject({ valid: true, entries: 3 });
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
  ['a row unsealed', 'update audit set hash = null where seq = 3', 4],
];
for (const [name, sql, brokenAt] of TAMPERED) {
  test(`the chain breaks at ${name}`, async () => {
    await write(4);
    plainSql(sql, true);
    expect(await verify()).toMatchObject({ valid: false, brokenAt });
    // Nor does going on as usual heal it.
    if (name !== 'everything gone') await write(1);
    expect((await verify()).valid).toBe(false);
  });
}

test('who has the database but not the hash key can’t chain a changed log anew', async () => {
  await write(3);
  plainSql(`update audit set actor = '{"type":"system"}' where seq = 2`, true);
  const db = new Database(`${companion.folder}/heex.sqlite`);
  let previous = CHAIN_START;
  for (const row of db.prepare<[], Selectable<AuditRow>>('select * from audit order by seq').all()) {
    previous = chainHash(previous, row);
    db.prepare('update audit set hash = ? where seq = ?').run(previous, row.seq);
    db.prepare('update audit_head set hash = ?').run(previous);
  }
  db.close();
  expect(await verify()).toMatchObject({ valid: false, brokenAt: 4 });
});

test('a row that plain SQL wrote is pending until the next change or start seals it', async () => {
  const insert = `insert into audit (workspace_id, at, actor, action, target)
    values ('${workspaceId}', 1, '{"type":"database"}', 'note.made', '{"type":"note","id":"n","name":null}')`;
  plainSql(insert);
  expect(await verify()).toMatchObject({ valid: true, entries: 2, pending: 1, head: { seq: 1 } });
  await write(1);
  expect(await verify()).toMatchObject({ valid: true, entries: 3, pending: 0, head: { seq: 3 } });
  plainSql(insert);
  await companion.restart();
  expect(await verify()).toMatchObject({ valid: true, entries: 4, pending: 0, head: { seq: 4 } });
});

test('the JSON Lines export has every row, oldest first, with the hashes that chain it', async () => {
  await write(1200);
  const answer = await get('/export');
  expect(answer.headers.get('content-type')).toContain('application/jsonl');
  expect(answer.headers.get('content-disposition')).toMatch(
    /^attachment; filename="heex-audit-\d{4}-\d\d-\d\d\.jsonl"$/,
  );
  const rows = answer.body.trimEnd().split('\n').map(JSON.parse);
  expect(rows.map((r: { seq: number }) => r.seq)).toEqual(Array.from({ length: 1201 }, (_, i) => i + 1));
  expect(rows.at(-1).hash).toBe((await verify()).head.hash);
});

test('the CSV export can be opened in a spreadsheet: no cell starts a formula, none breaks out of its quotes', async () => {
  const names = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1', 'a","=1', 'plain, with "quotes"'];
  for (const name of names) await write(1, { target: { type: 'group', id: '=id', name } });
  const answer = await get('/export?format=csv&target==id');
  expect(answer.headers.get('content-type')).toContain('text/csv');
  expect(answer.headers.get('content-disposition')).toContain('.csv"');
  const [head, ...rows] = answer.body
    .split('\r\n')
    .filter(Boolean)
    .join('\r\n')
    .split(/\r\n(?=\d|$)/);
  expect(head).toMatch(/^"seq","at","actor_type"/);
  expect(rows).toHaveLength(names.length);
  const cells = rows.map((row: string) =>
    [...row.matchAll(/"((?:[^"]|"")*)"/g)].map((m) => m[1]?.replaceAll('""', '"')),
  );
  for (const row of cells) for (const cell of row) expect(cell).not.toMatch(/^[=+\-@＝\t\r]/);
  expect(cells.map((row: string[]) => row[7])).toEqual([
    ...["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'\r=1", "'＝1"],
    ...['a","=1', 'plain, with "quotes"'],
  ]);
});

test('only owners and admins read the log; to an outsider the workspace does not exist', async () => {
  for (const path of ['', '/export', '/verify']) {
    expect((await call(companion.url, 'GET', `/v1/workspaces/${workspaceId}/audit${path}`)).status).toBe(401);
    expect((await call(companion.url, 'GET', `/v1/workspaces/ws_other/audit${path}`, { token })).status).toBe(404);
    plainSql(`update membership set role = 'member'`);
    expect((await get(path)).status).toBe(403);
    plainSql(`update membership set role = 'admin'`);
    expect((await get(path)).status).toBe(200);
  }
});
