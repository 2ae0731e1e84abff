import type { QueryOf } from '../../../shared/contract/endpoint.ts';
import type { Key, keys } from '../../../shared/contract/keys.ts';
import { allowsOthers } from '../../domain/access.ts';
import { fold } from '../../domain/names.ts';
import { badField, Refusal } from '../../domain/refusal.ts';
import { listKeyRows } from '../../store/key-list.ts';
import type { MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';
import { pageOf, readCursor } from '../paging.ts';
import { viewKeys } from './view.ts';

/** Whose keys are asked for; undefined is everyone's. @throws Refusal forbidden, bad_request */
async function ownerAskedFor(
  deps: Deps,
  { member }: MemberCaller,
  owner: string | undefined,
): Promise<string | undefined> {
  if (owner === undefined || owner === member.id) return member.id;
  if (!allowsOthers(member.role, 'key.list')) throw new Refusal('forbidden', 'You can list your own keys only.');
  if (owner === 'all') return undefined;
  const { read } = deps.store;
  const known =
    (await read
      .selectFrom('membership')
      .select('id')
      .where('id', '=', owner)
      .where('workspace_id', '=', member.workspaceId)
      .executeTakeFirst()) ??
    // Somebody who has left still is the owner that was.
    (await read
      .selectFrom('api_key')
      .select('id')
      .where('owner_id', '=', owner)
      .where('workspace_id', '=', member.workspaceId)
      .limit(1)
      .executeTakeFirst());
  if (!known) throw badField('owner', 'must be all or the id of a member of this workspace');
  return owner;
}

/** One's own keys, or for admins anyone's, with their use up to now: newest first. @throws Refusal bad_request, forbidden */
export async function listKeys(
  deps: Deps,
  caller: MemberCaller,
  query: QueryOf<typeof keys.listKeys>,
): Promise<{ items: Key[]; nextCursor: string | null }> {
  const filter = {
    workspaceId: caller.member.workspaceId,
    ownerId: await ownerAskedFor(deps, caller, query.owner),
    status: query.status,
    expiration: query.expiration,
    environment: query.environment,
    text: query.q === undefined ? undefined : fold(query.q),
  };
  const page = { after: readCursor(query.cursor), limit: query.limit };
  const rows = await listKeyRows(deps.store.read, filter, page, deps.now());
  const { items, nextCursor } = pageOf(
    rows,
    query.limit,
    (row) => ({ at: row.created_at, id: row.id }),
    (row) => row,
  );
  if (items.length) await deps.usage.flush();
  return { items: await viewKeys(deps, items), nextCursor };
}
