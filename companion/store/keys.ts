import { sql } from 'kysely';
import type { KeyState } from '../domain/status.ts';
import type { Reading } from './store.ts';
import type { KeyRow, KeySecretRow } from './tables.ts';

/** A key of this workspace, whoever owns it. */
export function findKey(db: Reading, workspaceId: string, keyId: string): Promise<KeyRow | undefined> {
  return db
    .selectFrom('api_key')
    .selectAll()
    .where('id', '=', keyId)
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
}

/** The secrets of keys, in no order. Dead ones stay in the table as history. */
export function findSecrets(db: Reading, keyIds: readonly string[]): Promise<KeySecretRow[]> {
  return db.selectFrom('api_key_secret').selectAll().where('key_id', 'in', keyIds).execute();
}

/** The old secret that stops (or stopped) last; undefined when the key was never rotated. */
export async function findOldSecret(db: Reading, keyId: string): Promise<KeySecretRow | undefined> {
  return db
    .selectFrom('api_key_secret')
    .selectAll()
    .where('key_id', '=', keyId)
    .where('current', '=', 0)
    .orderBy('ends_at', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** The row as the domain sees it. */
export function stateOf(row: KeyRow, oldSecret: KeySecretRow | undefined): KeyState {
  return {
    expiresAt: row.expires_at,
    disabledAt: row.disabled_at,
    revokedAt: row.revoked_at,
    revokedReason: row.revoked_reason,
    oldSecretEndsAt: oldSecret?.ends_at ?? null,
  };
}

/** How many keys of a workspace count toward its limit: those neither revoked nor expired. */
export async function countKeysUsed(db: Reading, workspaceId: string, now: number): Promise<number> {
  const live = () =>
    db
      .selectFrom('api_key')
      .select(sql<number>`count(*)`.as('n'))
      .where('workspace_id', '=', workspaceId)
      .where('revoked_at', 'is', null);
  // Two ranges of one index; joined by OR they would be a scan.
  const never = await live().where('expires_at', 'is', null).executeTakeFirstOrThrow();
  const later = await live().where('expires_at', '>', now).executeTakeFirstOrThrow();
  return never.n + later.n;
}
