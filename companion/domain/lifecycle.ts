import type { RevokeReason } from '../../shared/contract/keys.ts';
import type { KeyState } from './status.ts';

/** Everything that can be done to a key once it is there. */
export type Move =
  | { kind: 'edit' }
  | { kind: 'disable' }
  | { kind: 'enable' }
  | { kind: 'revoke'; reason: RevokeReason }
  /** `expiresAt` undefined keeps the expiry, null makes it never. */
  | { kind: 'rotate'; overlapMs: number; expiresAt?: number | null | undefined }
  | { kind: 'finish' };

export type Decision = { legal: true; next: KeyState; changed: boolean } | { legal: false; why: string };

const illegal = (why: string): Decision => ({ legal: false, why });
const to = (next: KeyState): Decision => ({ legal: true, next, changed: true });
const time = (at: number) => new Date(at).toISOString();

/** Whether the old secret of a rotation is still taken. */
export function twoSecretsLive(state: KeyState, now: number): boolean {
  return state.oldSecretEndsAt !== null && state.oldSecretEndsAt > now;
}

function rotate(state: KeyState, move: Move & { kind: 'rotate' }, now: number): Decision {
  if (twoSecretsLive(state, now))
    return illegal(
      `Two secrets of this key are live until ${time(state.oldSecretEndsAt ?? now)}. Finish that rotation first.`,
    );
  const expiresAt = move.expiresAt === undefined ? state.expiresAt : move.expiresAt;
  if (expiresAt !== null && expiresAt <= now)
    return illegal('This key has expired. Give the rotation a new expiry to bring it back.');
  // The old secret never outlives the expiry that it was issued with.
  const oldSecretEndsAt = Math.min(now + move.overlapMs, state.expiresAt ?? Infinity, expiresAt ?? Infinity);
  return to({ ...state, expiresAt, oldSecretEndsAt });
}

/**
 * The state machine of a key: what a move leads to, or why it can't be made. Revoked is final; revoking again is
 * legal and changes nothing, so that the first reason stays.
 */
export function decideMove(state: KeyState, move: Move, now: number): Decision {
  if (state.revokedAt !== null) {
    if (move.kind === 'revoke') return { legal: true, next: state, changed: false };
    return illegal('This key is revoked, which is final. Generate another one.');
  }
  switch (move.kind) {
    case 'edit':
      return to(state);
    case 'disable':
      return state.disabledAt === null ? to({ ...state, disabledAt: now }) : illegal('This key is disabled already.');
    case 'enable':
      return state.disabledAt === null ? illegal('This key is not disabled.') : to({ ...state, disabledAt: null });
    case 'revoke':
      return to({ ...state, revokedAt: now, revokedReason: move.reason });
    case 'rotate':
      return rotate(state, move, now);
    case 'finish':
      return twoSecretsLive(state, now)
        ? to({ ...state, oldSecretEndsAt: now })
        : illegal('Only one secret of this key is live: there is no rotation to finish.');
  }
}
