import type { KeyStatus, RevokeReason } from '../../shared/contract/keys.ts';
import { expirationOf } from '../../shared/expiry.ts';

/** What the state of a key follows from. Times are milliseconds since 1970-01-01 UTC. */
export interface KeyState {
  /** Null is never. */
  expiresAt: number | null;
  disabledAt: number | null;
  revokedAt: number | null;
  revokedReason: RevokeReason | null;
  /** When the old secret of a rotation stops (or stopped); null when the key was never rotated. */
  oldSecretEndsAt: number | null;
}

/** The one status that is shown: what stops a key first, in the order in which a verification finds it. */
export function statusOf(state: Pick<KeyState, 'expiresAt' | 'disabledAt' | 'revokedAt'>, now: number): KeyStatus {
  if (state.revokedAt !== null) return 'revoked';
  if (state.disabledAt !== null) return 'disabled';
  const expiration = expirationOf(state.expiresAt, now);
  return expiration === 'valid' ? 'active' : expiration;
}

/** Whether a key uses up one of the workspace's: it does until it is revoked or expired, also while it is disabled. */
export function countsTowardLimit(state: Pick<KeyState, 'expiresAt' | 'revokedAt'>, now: number): boolean {
  return state.revokedAt === null && (state.expiresAt === null || state.expiresAt > now);
}
