import { sql } from 'kysely';
import type { QueryOf } from '../../../shared/contract/endpoint.ts';
import type { RequestRow } from '../../../shared/contract/keys.ts';
import type { activity } from '../../../shared/contract/overview.ts';
import { prefixStart } from '../../../shared/key-format.ts';
import type { MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';
import { cursorAt, pageOf, readCursor } from '../paging.ts';
import { showRequests } from './requests.ts';

/** Rows looked at for one page: what matches less often makes a short page with a cursor, not a long wait. */
const LOOKED_AT = 20_000;
/** Rows are written this much out of order at the most. */
const SLACK_MS = 60_000;

type Query = QueryOf<typeof activity.listRequests>;

/** The part of the log that an index leads to, newest first. */
function candidates(deps: Deps, workspaceId: string, query: Query, before: number) {
  const rows = deps.store.activity.read
    .selectFrom('request')
    .where('workspace_id', '=', workspaceId)
    .where('seq', '<', before)
    .orderBy('seq', 'desc');
  if (query.key !== undefined) return rows.where('key_id', '=', query.key);
  if (query.outcome !== undefined && query.outcome !== 'valid')
    // Said twice: the second is what SQLite knows the partial index by.
    return rows.where('outcome', '=', query.outcome).where('outcome', '<>', sql.lit('valid'));
  return rows;
}

/** The number before which a page begins: that of the cursor, or the first beyond the end of the asked time. */
async function beginning(deps: Deps, query: Query): Promise<number> {
  const after = readCursor(query.cursor);
  if (after) return after.at;
  if (query.to === undefined) return Number.MAX_SAFE_INTEGER;
  const row = await deps.store.activity.read
    .selectFrom('request')
    .select('seq')
    .where('at', '>=', Date.parse(query.to) + SLACK_MS)
    .orderBy('at')
    .limit(1)
    .executeTakeFirst();
  return row?.seq ?? Number.MAX_SAFE_INTEGER;
}

/** Up to `limit + 1` rows that match, of those that one page may look at. */
function findMatching(deps: Deps, workspaceId: string, query: Query, before: number) {
  let rows = deps.store.activity.read
    .selectFrom(candidates(deps, workspaceId, query, before).selectAll().limit(LOOKED_AT).as('request'))
    .selectAll();
  const { outcome, code, environment, verifier, from, to } = query;
  if (outcome !== undefined) rows = rows.where('outcome', '=', outcome);
  if (code !== undefined) rows = rows.where('code', '=', code);
  if (environment !== undefined) rows = rows.where(sql<boolean>`instr(prefix, ${prefixStart(environment)}) = 1`);
  if (verifier !== undefined) rows = rows.where('verifier_id', '=', verifier);
  if (from !== undefined) rows = rows.where('at', '>=', Date.parse(from));
  if (to !== undefined) rows = rows.where('at', '<', Date.parse(to));
  return rows
    .orderBy('seq', 'desc')
    .limit(query.limit + 1)
    .execute();
}

/** The last row that was looked at, when there are more to look at that may match. */
async function lookedUpTo(deps: Deps, workspaceId: string, query: Query, before: number): Promise<number | undefined> {
  const last = await candidates(deps, workspaceId, query, before)
    .select(['seq', 'at'])
    .limit(1)
    .offset(LOOKED_AT - 1)
    .executeTakeFirst();
  const older = query.from !== undefined && last && last.at < Date.parse(query.from) - SLACK_MS;
  return older ? undefined : last?.seq;
}

/** One request, by the id that its caller received; it stands under the same id for every key of a batch. */
function findByRequestId(deps: Deps, workspaceId: string, requestId: string) {
  return deps.store.activity.read
    .selectFrom('request')
    .selectAll()
    .where('request_id', '=', requestId)
    .where(sql<boolean>`+workspace_id = ${workspaceId}`)
    .limit(100)
    .execute();
}

/** The request log of the workspace, newest first. @throws Refusal bad_request */
export async function listRequests(
  deps: Deps,
  { member }: MemberCaller,
  query: Query,
): Promise<{ items: RequestRow[]; nextCursor: string | null }> {
  await deps.usage.flush();
  const { workspaceId } = member;
  if (query.requestId !== undefined) {
    const rows = await findByRequestId(deps, workspaceId, query.requestId);
    return { items: await showRequests(deps, rows), nextCursor: null };
  }
  const before = await beginning(deps, query);
  const found = await findMatching(deps, workspaceId, query, before);
  const { items, nextCursor } = pageOf(
    found,
    query.limit,
    (row) => ({ at: row.seq, id: 'seq' }),
    (row) => row,
  );
  const shown = await showRequests(deps, items);
  if (nextCursor !== null) return { items: shown, nextCursor };
  const seq = await lookedUpTo(deps, workspaceId, query, before);
  return { items: shown, nextCursor: seq === undefined ? null : cursorAt({ at: seq, id: 'seq' }) };
}
