import { setImmediate as otherWork } from 'node:timers/promises';
import { type Selectable, type SelectQueryBuilder, sql } from 'kysely';
import type * as z from 'zod/mini';
import type { AuditEntry, auditExportQuery, auditQuery } from '../../shared/contract/audit.ts';
import { csvLine } from '../domain/csv.ts';
import { badField } from '../domain/refusal.ts';
import type { AuditRow, Tables } from '../store/tables.ts';
import type { Deps } from './deps.ts';

type Filters = Pick<z.infer<typeof auditQuery>, 'actor' | 'action' | 'target' | 'from' | 'to'>;
type Rows = SelectQueryBuilder<Tables, 'audit', Selectable<AuditRow>>;

const parse = (text: string | null) => (text === null ? null : JSON.parse(text));

function entryOf(row: Selectable<AuditRow>): AuditEntry {
  return {
    seq: row.seq,
    at: new Date(row.at).toISOString(),
    actor: JSON.parse(row.actor),
    action: row.action,
    target: JSON.parse(row.target),
    before: parse(row.before),
    after: parse(row.after),
    ip: row.ip,
    client: row.client,
    hash: row.hash,
  };
}

/** Whether `column`, a JSON object, has this id or (in any case) this name. */
const names = (column: 'actor' | 'target', value: string) =>
  sql<boolean>`(${sql.ref(column)} ->> 'id' = ${value} or lower(${sql.ref(column)} ->> 'name') = lower(${value}))`;

function filtered(deps: Deps, workspaceId: string, filters: Filters): Rows {
  const { actor, action, target, from, to } = filters;
  let rows: Rows = deps.store.read.selectFrom('audit').selectAll().where('workspace_id', '=', workspaceId);
  if (actor !== undefined) rows = rows.where(names('actor', actor));
  if (target !== undefined) rows = rows.where(names('target', target));
  if (action?.includes('.')) rows = rows.where('action', '=', action);
  else if (action !== undefined)
    rows = rows.where(sql<boolean>`substr(action, 1, ${action.length + 1}) = ${`${action}.`}`);
  if (from !== undefined) rows = rows.where('at', '>=', Date.parse(from));
  if (to !== undefined) rows = rows.where('at', '<', Date.parse(to));
  return rows;
}

/** The log of a workspace, newest first. @throws Refusal bad_request for a cursor that no list gave */
export async function listAudit(deps: Deps, workspaceId: string, query: z.infer<typeof auditQuery>) {
  const { cursor, limit } = query;
  if (cursor !== undefined && !/^[1-9]\d{0,14}$/.test(cursor)) throw badField('cursor', 'is not one that a list gave');
  let rows = filtered(deps, workspaceId, query);
  if (cursor !== undefined) rows = rows.where('seq', '<', Number(cursor));
  const found = await rows
    .orderBy('seq', 'desc')
    .limit(limit + 1)
    .execute();
  const last = found.length > limit ? found[limit - 1] : undefined;
  return { items: found.slice(0, limit).map(entryOf), nextCursor: last ? String(last.seq) : null };
}

const COLUMNS = [
  ...['seq', 'at', 'actor_type', 'actor_id', 'actor_name', 'action', 'target_type', 'target_id', 'target_name'],
  ...['before', 'after', 'ip', 'client', 'hash'],
];

function csvOf(entry: AuditEntry): string {
  const { actor, target, before, after } = entry;
  return csvLine([
    ...[entry.seq, entry.at, actor.type, actor.id ?? null, actor.name ?? null, entry.action],
    ...[target.type, target.id, target.name ?? null, before && JSON.stringify(before), after && JSON.stringify(after)],
    ...[entry.ip, entry.client, entry.hash],
  ]);
}

/** Rows read at a stretch; between two of them other requests have their turn. */
const BATCH = 250;

/** The log as lines, oldest first, read in batches: no more than one of them is in memory. */
export async function* exportAudit(
  deps: Deps,
  workspaceId: string,
  query: z.infer<typeof auditExportQuery>,
): AsyncGenerator<string> {
  const line = query.format === 'csv' ? csvOf : (entry: AuditEntry) => `${JSON.stringify(entry)}\n`;
  if (query.format === 'csv') yield csvLine(COLUMNS);
  for (let after = 0; ; ) {
    const rows = await filtered(deps, workspaceId, query)
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(BATCH)
      .execute();
    if (rows.length) yield rows.map((row) => line(entryOf(row))).join('');
    const last = rows.at(-1);
    if (!last || rows.length < BATCH) return;
    after = last.seq;
    await otherWork();
  }
}
