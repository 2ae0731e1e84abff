import type { Selectable } from 'kysely';
import type { RequestRow } from '../../../shared/contract/keys.ts';
import type { RequestRow as Stored } from '../../store/tables.ts';
import type { MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';
import { findKeyFor } from '../keys/find.ts';
import { pageOf, readCursor } from '../paging.ts';

async function namesOf(deps: Deps, table: 'api_key' | 'verifier', ids: Set<string>): Promise<Map<string, string>> {
  if (!ids.size) return new Map();
  const rows = await deps.store.read
    .selectFrom(table)
    .select(['id', 'name'])
    .where('id', 'in', [...ids])
    .execute();
  return new Map(rows.map((row) => [row.id, row.name]));
}

/** Rows of the request log with the names of key and verifier, which may have been removed since. */
export async function showRequests(deps: Deps, rows: readonly Selectable<Stored>[]): Promise<RequestRow[]> {
  const [keys, verifiers] = await Promise.all([
    namesOf(deps, 'api_key', new Set(rows.map((row) => row.key_id))),
    namesOf(deps, 'verifier', new Set(rows.flatMap((row) => row.verifier_id ?? []))),
  ]);
  return rows.map((row) => ({
    requestId: row.request_id,
    at: new Date(row.at).toISOString(),
    keyId: row.key_id,
    keyName: keys.get(row.key_id) ?? row.prefix,
    prefix: row.prefix,
    outcome: row.outcome,
    code: row.code,
    purpose: row.purpose,
    verifier: row.verifier_id === null ? null : (verifiers.get(row.verifier_id) ?? null),
    ip: row.ip,
    userAgent: row.user_agent,
  }));
}

/** The latest requests with a key, newest first, each with the precise reason. @throws Refusal not_found, bad_request */
export async function listKeyRequests(
  deps: Deps,
  caller: MemberCaller,
  keyId: string,
  query: { limit: number; cursor?: string | undefined },
): Promise<{ items: RequestRow[]; nextCursor: string | null }> {
  const key = await findKeyFor(deps.store.read, caller.member, keyId, 'key.read');
  const after = readCursor(query.cursor);
  await deps.usage.flush();
  let rows = deps.store.activity.read.selectFrom('request').selectAll().where('key_id', '=', key.id);
  if (after) rows = rows.where('seq', '<', after.at);
  const found = await rows
    .orderBy('seq', 'desc')
    .limit(query.limit + 1)
    .execute();
  const { items, nextCursor } = pageOf(
    found,
    query.limit,
    (row) => ({ at: row.seq, id: 'seq' }),
    (row) => row,
  );
  return { items: await showRequests(deps, items), nextCursor };
}
