import { type RawBuilder, sql } from 'kysely';
import type { Agent } from '../../../shared/contract/agents.ts';
import { BEAT_AHEAD_MS, BEAT_STALE_MS, stateOf } from '../../domain/agent.ts';
import { statusOf } from '../../domain/status.ts';
import type { Reading } from '../../store/store.ts';
import type { AgentPresenceRow } from '../../store/tables-agents.ts';
import type { Deps, SeenAgent } from '../deps.ts';

/** Agents that were not removed, with what has become of the key that enrolled them. */
export const agentsWithKey = (db: Reading) =>
  db
    .selectFrom('agent')
    .leftJoin('api_key', 'api_key.id', 'agent.enrolled_key_id')
    .leftJoin('membership', 'membership.id', 'api_key.membership_id')
    .where('agent.removed_at', 'is', null);
const columns = [
  'agent.id',
  'agent.name',
  'agent.public_key_thumbprint',
  'agent.created_at',
  'agent.enrolled_key_id',
  'agent.enrolled_key',
  'agent.enrolled_by',
  'api_key.id as key_id',
  'api_key.expires_at',
  'api_key.disabled_at',
  'api_key.revoked_at',
  'api_key.revoked_reason',
] as const;
export const selectAgents = (db: Reading) => agentsWithKey(db).select(columns);
export type AgentWithKey = Awaited<ReturnType<ReturnType<typeof selectAgents>['execute']>>[number];

export type KnownPresence = AgentPresenceRow & { held: boolean };

/** The rows of a JSON list of ids, as a set to look in, however long it is. */
export const idsIn = (ids: readonly string[]): RawBuilder<string> =>
  sql<string>`(select value from json_each(${JSON.stringify(ids)}))`;

/** Which agents are asked for. */
type Which = { ids: readonly string[] } | { workspaceId: string };

/**
 * Where these agents are connected or were last; those that never were are missing. Of this process by what it knows
 * itself: that is newer than what is written, also while somebody else's lock keeps it from writing.
 */
export async function readPresence(deps: Deps, which: Which): Promise<Map<string, KnownPresence>> {
  const { read } = deps.store.activity;
  const now = deps.now();
  const beating = await read
    .selectFrom('companion_process')
    .select('id')
    .where('beat_at', '>', now - BEAT_STALE_MS)
    .where('beat_at', '<=', now + BEAT_AHEAD_MS)
    .execute();
  const others = new Set(beating.map((process) => process.id));
  // What it holds itself is not a matter of beats.
  others.delete(deps.agents.processId);
  let rows = read.selectFrom('agent_presence').selectAll();
  rows =
    'ids' in which
      ? rows.where('agent_id', 'in', idsIn(which.ids))
      : rows.where('workspace_id', '=', which.workspaceId);
  const found = await rows.execute();
  const known = new Map(
    found.map((row) => [row.agent_id, { ...row, held: row.process_id !== null && others.has(row.process_id) }]),
  );
  const asked = 'ids' in which ? new Set(which.ids) : undefined;
  for (const seen of deps.agents.seen()) {
    if (asked ? !asked.has(seen.agentId) : !('workspaceId' in which) || seen.workspaceId !== which.workspaceId)
      continue;
    const written = known.get(seen.agentId);
    // Without a turn it is newer than what has one, unless it is over.
    const turn = seen.turn ?? (seen.held ? Number.POSITIVE_INFINITY : 0);
    if (!written?.held || turn > written.turn) known.set(seen.agentId, shown(deps, seen));
  }
  return known;
}

const shown = (deps: Deps, seen: SeenAgent): KnownPresence => ({
  agent_id: seen.agentId,
  workspace_id: seen.workspaceId,
  process_id: seen.held ? deps.agents.processId : null,
  connected_at: seen.connectedAt,
  last_seen_at: seen.lastSeenAt,
  version: seen.report.version ?? null,
  host_name: seen.report.hostName ?? null,
  platform: seen.report.platform ?? null,
  ip: seen.ip,
  turn: seen.turn ?? 0,
  held: seen.held,
});

const time = (at: number | null | undefined) => (at === null || at === undefined ? null : new Date(at).toISOString());

/** An agent as the interface shows it. */
export function showAgent(row: AgentWithKey, presence: KnownPresence | undefined, now: number): Agent {
  // A key whose row is gone was revoked before: the database lets no live one be deleted.
  const status =
    row.key_id === null
      ? 'revoked'
      : statusOf({ expiresAt: row.expires_at, disabledAt: row.disabled_at, revokedAt: row.revoked_at }, now);
  return {
    id: row.id,
    name: row.name,
    thumbprint: row.public_key_thumbprint,
    enrolledAt: new Date(row.created_at).toISOString(),
    enrolledBy: JSON.parse(row.enrolled_by) as Agent['enrolledBy'],
    enrolledKey: {
      id: row.enrolled_key_id,
      ...(JSON.parse(row.enrolled_key) as { name: string; prefix: string }),
      status,
      revokedReason: row.revoked_reason,
      revokedAt: time(row.revoked_at),
      expiresAt: time(row.expires_at),
    },
    state: stateOf(presence),
    connectedAt: presence?.held ? time(presence.connected_at) : null,
    lastSeenAt: time(presence?.last_seen_at),
    version: presence?.version ?? null,
    hostName: presence?.host_name ?? null,
    platform: presence?.platform ?? null,
    ip: presence?.ip ?? null,
  };
}
