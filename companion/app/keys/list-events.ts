import type { QueryOf } from '../../../shared/contract/endpoint.ts';
import type { activity, KeyEvent } from '../../../shared/contract/overview.ts';
import type { MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';
import { pageOf, readCursor } from '../paging.ts';

/** What the caller's own keys warned of, newest first. */
export async function listEvents(
  deps: Deps,
  { member }: MemberCaller,
  query: QueryOf<typeof activity.listEvents>,
): Promise<{ items: KeyEvent[]; nextCursor: string | null }> {
  const after = readCursor(query.cursor);
  let rows = deps.store.read.selectFrom('event').selectAll().where('membership_id', '=', member.id);
  if (after) rows = rows.where('seq', '<', after.at);
  const found = await rows
    .orderBy('seq', 'desc')
    .limit(query.limit + 1)
    .execute();
  return pageOf(
    found,
    query.limit,
    (row) => ({ at: row.seq, id: 'event' }),
    (row) => ({ id: `evt_${row.seq}`, at: new Date(row.at).toISOString(), kind: row.kind, ...JSON.parse(row.data) }),
  );
}
