import { sql } from 'kysely';
import type { Agent, agents } from '../../../shared/contract/agents.ts';
import type { AnswerOf, QueryOf } from '../../../shared/contract/endpoint.ts';
import { allowsOthers } from '../../domain/access.ts';
import type { MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';
import { pageOf, readCursor } from '../paging.ts';
import { agentsWithKey, idsIn, type KnownPresence, readPresence, selectAgents, showAgent } from './read.ts';

type Query = QueryOf<typeof agents.listAgents>;

/** Agents, newest first: one's own; for admins everybody's. */
export async function listAgents(
  deps: Deps,
  caller: MemberCaller,
  query: Query,
): Promise<AnswerOf<typeof agents.listAgents>> {
  const now = deps.now();
  const presence = await readPresence(deps, { workspaceId: caller.member.workspaceId });
  const held = [...presence.values()].filter((p) => p.held).map((p) => p.agent_id);
  const [found, counts] = [await find(deps, caller, query, presence, held), await count(deps, caller, held, now)];
  const page = pageOf(
    found,
    query.limit,
    (row) => ({ at: row.created_at, id: row.id }),
    (row): Agent => showAgent(row, presence.get(row.id), now),
  );
  return { ...page, counts };
}

/** Null where the caller may see everybody's. */
const onlyOf = ({ member }: MemberCaller) => (allowsOthers(member.role, 'agent.read') ? null : member.id);

async function find(
  deps: Deps,
  caller: MemberCaller,
  query: Query,
  presence: ReadonlyMap<string, KnownPresence>,
  held: readonly string[],
) {
  let rows = selectAgents(deps.store.read).where('agent.workspace_id', '=', caller.member.workspaceId);
  for (const owner of [onlyOf(caller), query.owner])
    if (owner) rows = rows.where('agent.enrolled_membership_id', '=', owner);
  if (query.key) rows = rows.where('agent.enrolled_key_id', '=', query.key);
  if (query.state === 'connected') rows = rows.where('agent.id', 'in', idsIn(held));
  if (query.state === 'disconnected')
    rows = rows.where('agent.id', 'in', idsIn([...presence.keys()])).where('agent.id', 'not in', idsIn(held));
  if (query.state === 'never_connected') rows = rows.where('agent.id', 'not in', idsIn([...presence.keys()]));
  if (query.q) {
    const like = `%${query.q.replace(/[\\%_]/g, '\\$&')}%`;
    const wanted = query.q.toLowerCase();
    const machines = [...presence.values()].filter((p) => p.host_name?.toLowerCase().includes(wanted));
    const here = idsIn(machines.map((p) => p.agent_id));
    rows = rows.where(
      sql<boolean>`(agent.id in ${here} or (agent.name || char(10) || (agent.enrolled_key ->> 'name') || char(10) || (agent.enrolled_by ->> 'name')
        || char(10) || (agent.enrolled_by ->> 'email')) like ${like} escape '\\')`,
    );
  }
  const after = readCursor(query.cursor);
  if (after)
    rows = rows.where((is) =>
      is.or([
        is('agent.created_at', '<', after.at),
        is.and([is('agent.created_at', '=', after.at), is('agent.id', '<', after.id)]),
      ]),
    );
  return rows
    .orderBy('agent.created_at', 'desc')
    .orderBy('agent.id', 'desc')
    .limit(query.limit + 1)
    .execute();
}

async function count(deps: Deps, caller: MemberCaller, held: readonly string[], now: number) {
  let rows = agentsWithKey(deps.store.read).where('agent.workspace_id', '=', caller.member.workspaceId);
  const owner = onlyOf(caller);
  if (owner) rows = rows.where('agent.enrolled_membership_id', '=', owner);
  const connected = sql<boolean>`agent.id in ${idsIn(held)}`;
  const keyGone = sql<boolean>`(api_key.id is null or api_key.revoked_at is not null or api_key.disabled_at is not null
    or api_key.expires_at <= ${now} or membership.suspended_at is not null)`;
  return rows
    .select([
      sql<number>`count(*)`.as('total'),
      sql<number>`count(*) filter (where ${connected})`.as('connected'),
      sql<number>`count(*) filter (where ${connected} and ${keyGone})`.as('keyGone'),
    ])
    .executeTakeFirstOrThrow();
}
