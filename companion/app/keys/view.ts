import type { Key } from '../../../shared/contract/keys.ts';
import { twoSecretsLive } from '../../domain/lifecycle.ts';
import { effectivePermissions } from '../../domain/permissions.ts';
import { statusOf } from '../../domain/status.ts';
import { iso, isoOrNull } from '../../domain/time.ts';
import { findSecrets, stateOf } from '../../store/keys.ts';
import type { Reading } from '../../store/store.ts';
import type { KeyRow, KeySecretRow, SecretUseRow } from '../../store/tables.ts';
import type { Deps } from '../deps.ts';

const toUse = (row: SecretUseRow | undefined) =>
  row ? { at: iso(row.last_at), ip: row.last_ip, userAgent: row.last_user_agent } : null;

const latest = (uses: readonly SecretUseRow[]) => uses.toSorted((a, b) => b.last_at - a.last_at)[0];

async function groupPermissions(db: Reading, ids: readonly string[]): Promise<Map<string, string[]>> {
  if (!ids.length) return new Map();
  const rows = await db
    .selectFrom('authorization_group')
    .select(['id', 'permissions'])
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, JSON.parse(row.permissions)]));
}

/** How many agents each key has enrolled; one that enrolled none is missing. */
async function countEnrolled(db: Reading, ids: readonly string[]): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('agent')
    .select((f) => ['enrolled_key_id', f.fn.countAll<number>().as('agents')])
    .where('enrolled_key_id', 'in', ids)
    .groupBy('enrolled_key_id')
    .execute();
  return new Map(rows.map((row) => [row.enrolled_key_id, row.agents]));
}

/** What a key may do; of a revoked one, what it last might. */
function permissionsOf(row: KeyRow, group: readonly string[] | null): string[] {
  if (row.revoked_at !== null && row.held_permissions != null) return JSON.parse(row.held_permissions);
  return [...effectivePermissions(group, row.permissions === null ? null : JSON.parse(row.permissions))];
}

/** What is kept about a key beside its row. */
interface About {
  secrets: readonly KeySecretRow[];
  /** The permissions of its group. */
  group: readonly string[] | null;
  uses: readonly SecretUseRow[];
  enrolledAgents: number;
}

function toKey(row: KeyRow, { secrets, group, uses, enrolledAgents }: About, now: number): Key {
  const current = secrets.find((s) => s.current === 1);
  const old = secrets.filter((s) => s.current === 0).toSorted((a, b) => (b.ends_at ?? 0) - (a.ends_at ?? 0))[0];
  const state = stateOf(row, old);
  const status = statusOf(state, now);
  const rotating = old && status !== 'revoked' && twoSecretsLive(state, now);
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    prefix: current?.prefix ?? '',
    environment: row.environment,
    status,
    revokedReason: row.revoked_reason,
    revokedAt: isoOrNull(row.revoked_at),
    disabledAt: isoOrNull(row.disabled_at),
    groupId: row.group_id,
    permissions: permissionsOf(row, group),
    customers: JSON.parse(row.customers),
    ipAllowlist: JSON.parse(row.ip_allowlist),
    rateLimit:
      row.rate_limit === null ? null : { limit: row.rate_limit, windowSeconds: row.rate_window_seconds as number },
    technicalOwner: row.technical_owner,
    expiresAt: isoOrNull(row.expires_at),
    createdAt: iso(row.created_at),
    createdBy: JSON.parse(row.created_by),
    usageCount: uses.reduce((sum, use) => sum + use.uses, 0),
    lastUsed: toUse(latest(uses)),
    enrolledAgents,
    rotation: rotating
      ? {
          oldPrefix: old.prefix,
          oldExpiresAt: iso(old.ends_at as number),
          oldLastUsed: toUse(uses.find((use) => use.secret_id === old.id)),
        }
      : null,
  };
}

/**
 * Keys as the interface shows them, in the order of the rows, with their use as far as it is counted: who asks for that flushes
 * `deps.usage` before, who changes a key waits for no counts. Never a secret.
 */
export async function viewKeys(deps: Deps, rows: readonly KeyRow[]): Promise<Key[]> {
  if (!rows.length) return [];
  const ids = rows.map((row) => row.id);
  const groupIds = [...new Set(rows.flatMap((row) => row.group_id ?? []))];
  const [secrets, groups, enrolled, uses] = await Promise.all([
    findSecrets(deps.store.read, ids),
    groupPermissions(deps.store.read, groupIds),
    countEnrolled(deps.store.read, ids),
    deps.store.activity.read.selectFrom('secret_use').selectAll().where('key_id', 'in', ids).execute(),
  ]);
  const now = deps.now();
  const secretsOf = Map.groupBy(secrets, (s) => s.key_id);
  const usesOf = Map.groupBy(uses, (u) => u.key_id);
  return rows.map((row) =>
    toKey(
      row,
      {
        secrets: secretsOf.get(row.id) ?? [],
        group: row.group_id === null ? null : (groups.get(row.group_id) ?? null),
        uses: usesOf.get(row.id) ?? [],
        enrolledAgents: enrolled.get(row.id) ?? 0,
      },
      now,
    ),
  );
}

/** The same for one key. */
export async function viewKey(deps: Deps, row: KeyRow): Promise<Key> {
  return (await viewKeys(deps, [row]))[0] as Key;
}
