import { sql } from 'kysely';
import type { Agent, agents } from '../../../shared/contract/agents.ts';
import type { AnswerOf, QueryOf } from '../../../shared/contract/endpoint.ts';
import type { KeyStatus } from '../../../shared/contract/keys.ts';
import { allowsOthers } from '../../domain/access.ts';
import { statusIs } from '../../store/key-list.ts';
import type { Reading } from '../../store/store.ts';
import type { MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';
import { olderThan, pageOf, readCursor } from '../paging.ts';
import { agentsWithKey, idsIn, type KnownPresence, readPresence, selectAgents, showAgent } from './read.ts';

type Query = QueryOf<typeof agents.listAgents>;

/** Agents, newest first: one's own; for admins everybody's. */
export async function listAgents(
  deps: Deps,
  caller: MemberCaller,
  query: Query,
): Promise<AnswerOf<typeof agents.listAgents>> {
  const now = deps.now();
  const known = await readPresence(deps, { workspaceId: caller.member.workspaceId });
  const presence = [...known.values()];
  const seen = { presence, held: presence.filter((p) => p.held).map((p) => p.agent_id), now };
  const found = await find(deps, caller, query, seen);
  const page = pageOf(
    found,
    query.limit,
    (row) => ({ at: row.created_at, id: row.id }),
    (row): Agent => showAgent(row, known.get(row.id), now),
  );
  return {
    ...page,
    counts: await count(deps, caller, seen),
    versions: await versionsOf(deps, caller, presence),
  };
}

/** What is known of the agents of the workspace at one moment. */
interface Seen {
  /** Of those that were connected at least once. */
  presence: readonly KnownPresence[];
  /** The ids of those that are connected. */
  held: readonly string[];
  now: number;
}

/** Null where the caller may see everybody's. */
const onlyOf = ({ member }: MemberCaller) => (allowsOthers(member.role, 'agent.read') ? null : member.id);

/** Agents whose key has the status now. One whose key is no more counts as revoked: the database lets no live one be deleted. */
function withKeyStatus(db: Reading, status: KeyStatus, now: number) {
  const keys = db
    .selectFrom('api_key')
    .select('api_key.id')
    .where('api_key.id', '=', sql.ref<string>('agent.enrolled_key_id'));
  return status === 'revoked'
    ? sql<boolean>`not exists ${keys.where('revoked_at', 'is', null)}`
    : sql<boolean>`exists ${keys.where((eb) => statusIs(eb, status, now))}`;
}

/** Agents of which the name, the machine, the key or whoever enrolled them has the text in it, in any case. */
function withText(text: string, presence: readonly KnownPresence[]) {
  const like = `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  const wanted = text.toLowerCase();
  const here = idsOf(presence.filter((p) => p.host_name?.toLowerCase().includes(wanted)));
  return sql<boolean>`(agent.id in ${here} or (agent.name || char(10) || (agent.enrolled_key ->> 'name') || char(10) || (agent.enrolled_by ->> 'name')
        || char(10) || (agent.enrolled_by ->> 'email')) like ${like} escape '\\')`;
}

const idsOf = (presence: readonly KnownPresence[]) => idsIn(presence.map((p) => p.agent_id));

async function find(deps: Deps, caller: MemberCaller, query: Query, { presence, held, now }: Seen) {
  let rows = selectAgents(deps.store.read).where('agent.workspace_id', '=', caller.member.workspaceId);
  for (const owner of [onlyOf(caller), query.owner])
    if (owner) rows = rows.where('agent.enrolled_membership_id', '=', owner);
  if (query.key) rows = rows.where('agent.enrolled_key_id', '=', query.key);
  if (query.keyStatus) rows = rows.where(withKeyStatus(deps.store.read, query.keyStatus, now));
  if (query.version !== undefined)
    rows = rows.where('agent.id', 'in', idsOf(presence.filter((p) => p.version === query.version)));
  if (query.state === 'connected') rows = rows.where('agent.id', 'in', idsIn(held));
  if (query.state === 'disconnected')
    rows = rows.where('agent.id', 'in', idsOf(presence)).where('agent.id', 'not in', idsIn(held));
  if (query.state === 'never_connected') rows = rows.where('agent.id', 'not in', idsOf(presence));
  if (query.q) rows = rows.where(withText(query.q, presence));
  const after = readCursor(query.cursor);
  if (after) rows = rows.where(olderThan(after, 'agent'));
  return rows
    .orderBy('agent.created_at', 'desc')
    .orderBy('agent.id', 'desc')
    .limit(query.limit + 1)
    .execute();
}

async function count(deps: Deps, caller: MemberCaller, { held, now }: Seen) {
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

/** How many versions are told: a fleet that numbers every build would have one for each agent. */
const VERSIONS = 100;

/** The versions of the agents that the caller may see, newest first. */
async function versionsOf(deps: Deps, caller: MemberCaller, presence: readonly KnownPresence[]): Promise<string[]> {
  const groups = [...Map.groupBy(presence, (p) => p.version)].map(([version, some]) => [
    version,
    some.map((p) => p.agent_id),
  ]);
  const owner = onlyOf(caller);
  const { rows } = await sql<{ version: string }>`
    select known.value ->> 0 as version from json_each(${JSON.stringify(groups)}) known
    where version <> '' and exists (select 1 from json_each(known.value, '$[1]') one cross join agent on agent.id = one.value
      where agent.removed_at is null and agent.workspace_id = ${caller.member.workspaceId}
        and (${owner} is null or agent.enrolled_membership_id = ${owner}))`.execute(deps.store.read);
  const { compare } = new Intl.Collator('en', { numeric: true });
  return rows
    .map((row) => row.version)
    .sort((a, b) => compare(b, a))
    .slice(0, VERSIONS);
}
