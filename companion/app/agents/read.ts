import { type RawBuilder, sql } from 'kysely';
import type { Agent } from '../../../shared/contract/agents.ts';
import { BEAT_STALE_MS, stateOf } from '../../domain/agent.ts';
import { statusOf } from '../../domain/status.ts';
import type { Reading } from '../../store/store.ts';
import type { AgentPresenceRow } from '../../store/tables-agents.ts';
import type { Deps } from '../deps.ts';

/** Agents that were not removed, with what has become of the key that enrolled them. */
export const agentsWithKey = (db: Reading) =>
  db
    .selectFrom('agent')
    .leftJoin('api_key', 'api_key.id', 'agent.enrolled_key_id')
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

/** Where these agents are connected or were last; those that never were are missing. */
export async function readPresence(
  deps: Deps,
  where: { ids: readonly string[] } | { workspaceId: string },
): Promise<Map<string, KnownPresence>> {
  await deps.agents.flush();
  const { read } = deps.store.activity;
  const beating = await read
    .selectFrom('companion_process')
    .select('id')
    .where('beat_at', '>', deps.now() - BEAT_STALE_MS)
    .execute();
  const processes = new Set(beating.map((process) => process.id));
  let rows = read.selectFrom('agent_presence').selectAll();
  rows =
    'ids' in where
      ? rows.where('agent_id', 'in', idsIn(where.ids))
      : rows.where('workspace_id', '=', where.workspaceId);
  const found = await rows.execute();
  return new Map(
    found.map((row) => [row.agent_id, { ...row, held: row.process_id !== null && processes.has(row.process_id) }]),
  );
}

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
