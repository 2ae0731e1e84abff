import { setImmediate as otherWork } from 'node:timers/promises';
import { type Selectable, type SelectQueryBuilder, sql } from 'kysely';
import type * as z from 'zod/mini';
import { type AuditEntry, type auditExportQuery, type auditQuery, NOBODY } from '../../shared/contract/audit.ts';
import { csvLine } from '../../shared/csv.ts';
import { badField } from '../domain/refusal.ts';
import { LAST_TIME_MS } from '../store/audit-chain.ts';
import type { AuditRow, Tables } from '../store/tables.ts';
import { type MemberCaller, stillMay } from './caller.ts';
import type { Deps } from './deps.ts';

type Filters = Pick<z.infer<typeof auditQuery>, 'actor' | 'action' | 'target' | 'q' | 'from' | 'to'>;
type Rows = SelectQueryBuilder<Tables, 'audit', Selectable<AuditRow>>;

type Json = Record<string, unknown>;

/** A JSON object, or undefined: past the triggers plain SQL can write anything, and the rest of the log is still to be read. */
function objectIn(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}
const UNREADABLE = 'unreadable';
const change = (text: string | null) => (text === null ? null : (objectIn(text) ?? { [UNREADABLE]: text }));
const isText = (value: unknown, ...others: unknown[]) => typeof value === 'string' || others.includes(value);

function actorOf(text: string): AuditEntry['actor'] {
  const actor = objectIn(text);
  const { type, id, name } = actor ?? {};
  const fits = isText(type) && isText(id, undefined) && isText(name, undefined);
  return fits ? (actor as AuditEntry['actor']) : { type: UNREADABLE, name: text };
}

function targetOf(text: string): AuditEntry['target'] {
  const target = objectIn(text);
  const { type, id, name } = target ?? {};
  const fits = isText(type) && isText(id) && isText(name, null);
  return fits ? (target as AuditEntry['target']) : { type: UNREADABLE, id: '', name: text };
}

const timeOf = (at: number) => new Date(Math.min(LAST_TIME_MS, Math.max(-LAST_TIME_MS, at))).toISOString();

function entryOf(row: Selectable<AuditRow>): AuditEntry {
  return {
    seq: row.seq,
    at: timeOf(row.at),
    actor: actorOf(row.actor),
    action: row.action,
    target: targetOf(row.target),
    before: change(row.before),
    after: change(row.after),
    ip: row.ip,
    client: row.client,
    hash: row.hash,
    // A companion seals its own rows before anybody can read them.
    source: row.hash === null || row.source ? 'outside' : 'companion',
  };
}

type Who = 'actor' | 'target';
/** A part of the JSON of a column of the log; null where it is none, for past the triggers plain SQL can write anything. */
export const part = (column: Who | 'after', name: 'id' | 'name' | 'type' | 'client' | 'denial') =>
  sql<string | null>`(case when json_valid(${sql.ref(column)}) then ${sql.ref(column)} ->> ${sql.lit(name)} end)`;

/** Whether `column`, a JSON object, has this id or (in any case) this name. */
const names = (column: Who, value: string) =>
  sql<boolean>`(${part(column, 'id')} = ${value} or lower(${part(column, 'name')}) = lower(${value}))`;

const isNobody = (text: string): boolean => NOBODY.some((type) => type === text);

const contains = (column: Who, text: string) => sql<boolean>`instr(lower(${part(column, 'name')}), lower(${text})) > 0`;

/** Whether `column` is somebody who is called so now: entries name people by their address. */
const isCalled = (column: Who, text: string) =>
  sql<boolean>`${part(column, 'name')} in (select email from user where instr(lower(name), lower(${text})) > 0)`;

function anywhere(text: string) {
  const has = (column: Who) =>
    sql<boolean>`(${names(column, text)} or ${contains(column, text)} or ${isCalled(column, text)})`;
  const hash = /^[0-9a-f]{4,64}$/i.test(text)
    ? sql<boolean>`substr(hash, 1, ${text.length}) = ${text.toLowerCase()}`
    : sql<boolean>`false`;
  return sql<boolean>`(${has('actor')} or ${has('target')} or ${hash})`;
}

function filtered(deps: Deps, workspaceId: string, filters: Filters): Rows {
  const { actor, action, target, q, from, to } = filters;
  let rows: Rows = deps.store.read.selectFrom('audit').selectAll().where('workspace_id', '=', workspaceId);
  if (actor !== undefined && isNobody(actor)) rows = rows.where(sql<boolean>`${part('actor', 'type')} = ${actor}`);
  else if (actor !== undefined) rows = rows.where(names('actor', actor));
  if (q) rows = rows.where(anywhere(q));
  if (target !== undefined) rows = rows.where(names('target', target));
  if (action?.includes('.')) rows = rows.where('action', '=', action);
  else if (action !== undefined)
    rows = rows.where(sql<boolean>`substr(action, 1, ${action.length + 1}) = ${`${action}.`}`);
  if (from !== undefined) rows = rows.where('at', '>=', Date.parse(from));
  if (to !== undefined) rows = rows.where('at', '<', Date.parse(to));
  return rows;
}

/** Rows looked through at a stretch for what a filter asks for: a few milliseconds, for which verification waits. */
const STRETCH = 5000;

/** The log of a workspace, newest first. @throws Refusal bad_request for a cursor that no list gave */
export async function listAudit(deps: Deps, workspaceId: string, query: z.infer<typeof auditQuery>) {
  const { cursor, limit } = query;
  if (cursor !== undefined && !/^[1-9]\d{0,14}$/.test(cursor)) throw badField('cursor', 'is not one that a list gave');
  const found = await newest(deps, workspaceId, query, cursor === undefined ? undefined : Number(cursor));
  const last = found.length > limit ? found[limit - 1] : undefined;
  return { items: found.slice(0, limit).map(entryOf), nextCursor: last ? String(last.seq) : null };
}

/** One row more than a page, below `before`, newest first; where little fits, in stretches between which others have their turn. */
async function newest(deps: Deps, workspaceId: string, query: z.infer<typeof auditQuery>, before: number | undefined) {
  const found: Selectable<AuditRow>[] = [];
  for (let below = before ?? Number.MAX_SAFE_INTEGER; ; await otherWork()) {
    const all = deps.store.read.selectFrom('audit').where('workspace_id', '=', workspaceId).where('seq', '<', below);
    const floor = await all.select('seq').orderBy('seq', 'desc').offset(STRETCH).limit(1).executeTakeFirst();
    let rows = filtered(deps, workspaceId, query).where('seq', '<', below);
    if (floor) rows = rows.where('seq', '>', floor.seq);
    const wanted = query.limit + 1 - found.length;
    found.push(...(await rows.orderBy('seq', 'desc').limit(wanted).execute()));
    if (!floor || found.length > query.limit) return found;
    below = floor.seq + 1;
  }
}

const COLUMNS = [
  ...['seq', 'at', 'actor_type', 'actor_id', 'actor_name', 'action', 'target_type', 'target_id', 'target_name'],
  ...['before', 'after', 'ip', 'client', 'hash', 'source'],
];

function csvOf(entry: AuditEntry): string {
  const { actor, target, before, after } = entry;
  return csvLine([
    ...[entry.seq, entry.at, actor.type, actor.id ?? null, actor.name ?? null, entry.action],
    ...[target.type, target.id, target.name ?? null, before && JSON.stringify(before), after && JSON.stringify(after)],
    ...[entry.ip, entry.client, entry.hash, entry.source],
  ]);
}

/** Rows read at a stretch; between two of them other requests have their turn. */
const BATCH = 250;

/**
 * The log as lines, oldest first, read in batches: no more than one of them is in memory. A reader may take hours over it: it ends
 * with their session, membership or role.
 * @throws Refusal unauthorized, not_found, forbidden
 */
export async function* exportAudit(
  deps: Deps,
  caller: MemberCaller,
  query: z.infer<typeof auditExportQuery>,
): AsyncGenerator<string> {
  const line = query.format === 'csv' ? csvOf : (entry: AuditEntry) => `${JSON.stringify(entry)}\n`;
  const { workspaceId } = caller.member;
  if (query.format === 'csv') yield csvLine(COLUMNS);
  for (let after = 0; ; await otherWork()) {
    await stillMay(deps, caller, 'audit.read');
    const all = deps.store.read.selectFrom('audit').where('workspace_id', '=', workspaceId).where('seq', '>', after);
    const ceiling = await all.select('seq').orderBy('seq').offset(STRETCH).limit(1).executeTakeFirst();
    let some = filtered(deps, workspaceId, query).where('seq', '>', after);
    if (ceiling) some = some.where('seq', '<', ceiling.seq);
    const rows = await some.orderBy('seq').limit(BATCH).execute();
    if (rows.length) yield rows.map((row) => line(entryOf(row))).join('');
    const last = rows.at(-1);
    if (last && rows.length === BATCH) after = last.seq;
    else if (ceiling) after = ceiling.seq - 1;
    else return;
  }
}
