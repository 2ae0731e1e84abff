import { afterEach, beforeEach, expect, test } from 'vitest';
import { exportAudit } from '../../companion/app/audit-log.ts';
import { authorize, type MemberCaller } from '../../companion/app/caller.ts';
import { authenticateSession } from '../../companion/app/sessions.ts';
import { Refusal } from '../../companion/domain/refusal.ts';
import { type AuditLog, auditLog } from '../support/audit.ts';
import { call } from '../support/client.ts';

let log: AuditLog;
beforeEach(async () => {
  log = await auditLog();
});
afterEach(() => log.end());

/** Whoever set the workspace up, as the routes know them. */
async function reader(): Promise<MemberCaller> {
  const { deps } = log.companion;
  const caller = await authenticateSession(deps, log.token, { requestId: 'req_1', ip: null, userAgent: null });
  return { ...caller, member: await authorize(deps.store.read, caller.user.id, log.workspaceId, 'audit.read') };
}

test('a list is newest first, pages by cursor, and says who did what to what, from where and by which client', async () => {
  await log.write(5);
  const first = await log.get('?limit=4');
  expect(first.body.items.map((e: { seq: number }) => e.seq)).toEqual([6, 5, 4, 3]);
  const rest = await log.get(`?limit=4&cursor=${first.body.nextCursor}`);
  expect(rest.body.items.map((e: { seq: number }) => e.seq)).toEqual([2, 1]);
  expect(rest.body.nextCursor).toBeNull();
  expect(rest.body.items[1]).toMatchObject({
    actor: { type: 'member', name: 'ada@acme.example' },
    action: 'workspace.created',
    target: { type: 'workspace', id: log.workspaceId, name: 'Acme' },
    ip: '127.0.0.1',
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect((await log.get('?cursor=nonsense')).body.errors).toEqual([expect.objectContaining({ path: 'cursor' })]);
});

test('filters by actor, action, target and time narrow the list and the export alike', async () => {
  await log.write(2);
  log.companion.pass(60_000);
  const from = new Date(log.companion.deps.now()).toISOString();
  await log.write(1, { action: 'key.created', actor: { type: 'key', id: 'key_9', name: 'Ünïx' } });
  await log.write(1, { action: 'keyring.made', target: { type: 'member', id: 'mem_7', name: 'Bo@acme.example' } });
  await log.write(1, { action: 'user.provisioned', actor: { type: 'scim', id: 'scim_1', name: 'Entra' } });
  log.sql(`update user set name = 'Zoë Zhang'`);
  const { hash } = (await log.get('?actor=key_9')).body.items[0];
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
    expect((await log.get(search)).body.items, query).toHaveLength(count);
    const lines = (await log.get(`/export${search}`)).body.split('\n').filter(Boolean);
    expect(lines, query).toHaveLength(count);
  }
  for (const bad of ['action=Key%', 'from=2026-02-30T00:00:00Z', 'limit=0', 'nothing=1'])
    expect((await log.get(`?${bad}`)).status, bad).toBe(400);
});

test('what a filter asks for is found and paged through, however far back it is', async () => {
  await log.write(3, { action: 'key.created' });
  log.sql(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 12000)
      insert into audit (workspace_id, at, actor, action, target) select '${log.workspaceId}', 1, '{"type":"database"}', iif(i % 1000 < 6, 'often.so', 'x.y'), '{"type":"note","id":"n","name":null}' from n`,
  );
  await log.write(1, { action: 'key.created' });
  const seqs = ({ items }: { items: { seq: number }[] }) => items.map(({ seq }) => seq);
  const first = (await log.get('?action=key&limit=2')).body;
  expect(seqs(first)).toEqual([12_005, 4]);
  const rest = (await log.get(`?action=key&limit=2&cursor=${first.nextCursor}`)).body;
  expect([seqs(rest), rest.nextCursor]).toEqual([[3, 2], null]);
  expect((await log.get('?action=often&limit=100')).body.items).toHaveLength(72);
  expect((await log.get('?action=agent')).body).toEqual({ items: [], nextCursor: null });
  // The exports, too, and between two stretches others have their turn.
  const query = { format: 'jsonl', action: 'often' } as const;
  let [text, turns, more] = ['', 0, true];
  const turn = () => {
    turns += 1;
    if (more) setImmediate(turn);
  };
  setImmediate(turn);
  for await (const part of exportAudit(log.companion.deps, await reader(), query)) text += part;
  more = false;
  expect([text.trimEnd().split('\n').length, turns]).toEqual([72, 2]);
});

test('the JSON Lines export has every row, oldest first, with the hashes that chain it', async () => {
  await log.write(1200);
  const answer = await log.get('/export');
  expect(answer.headers.get('content-type')).toContain('application/jsonl');
  expect(answer.headers.get('content-disposition')).toMatch(
    /^attachment; filename="heex-audit-\d{4}-\d\d-\d\d\.jsonl"$/,
  );
  const rows = answer.body.trimEnd().split('\n').map(JSON.parse);
  expect(rows.map((r: { seq: number }) => r.seq)).toEqual(Array.from({ length: 1201 }, (_, i) => i + 1));
  expect(rows.at(-1).hash).toBe((await log.verify()).head.hash);
});

test('the CSV export can be opened in a spreadsheet: no cell starts a formula, none breaks out of its quotes', async () => {
  const names = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1', 'a","=1', 'plain, with "quotes"'];
  for (const name of names) await log.write(1, { target: { type: 'group', id: '=id', name } });
  const answer = await log.get('/export?format=csv&target==id');
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
    expect((await call(log.companion.url, 'GET', `/v1/workspaces/${log.workspaceId}/audit${path}`)).status).toBe(401);
    expect(
      (await call(log.companion.url, 'GET', `/v1/workspaces/ws_other/audit${path}`, { token: log.token })).status,
    ).toBe(404);
    log.sql(`update membership set role = 'member'`);
    expect((await log.get(path)).status).toBe(403);
    log.sql(`update membership set role = 'admin'`);
    expect((await log.get(path)).status).toBe(200);
  }
});

test.each([
  ['session', 'delete from session'],
  ['membership', 'delete from membership'],
  ['role', "update membership set role = 'member'"],
])('an export that is being read ends with the %s of its reader', async (_, sql) => {
  await log.write(300);
  const lines = exportAudit(log.companion.deps, await reader(), { format: 'jsonl' });
  expect((await lines.next()).value).toContain('workspace.created');
  log.sql(sql);
  await expect(lines.next()).rejects.toThrow(Refusal);
});
