import type { Action } from '../../../shared/contract/actions.ts';
import { decide } from '../../domain/access.ts';
import { decideMove, type Move } from '../../domain/lifecycle.ts';
import { notFound, Refusal } from '../../domain/refusal.ts';
import type { KeyState } from '../../domain/status.ts';
import { findKey, findOldSecret, stateOf } from '../../store/keys.ts';
import type { Reading } from '../../store/store.ts';
import type { KeyRow, KeySecretRow } from '../../store/tables.ts';
import type { Change, MemberCaller } from '../caller.ts';

/**
 * A key that this member may do that with. Somebody else's key answers a member exactly as an id that never existed.
 * @throws Refusal not_found, forbidden
 */
export async function findKeyFor(
  db: Reading,
  member: MemberCaller['member'],
  keyId: string,
  action: Action,
): Promise<KeyRow> {
  const row = await findKey(db, member.workspaceId, keyId);
  if (!row) throw notFound();
  const decision = decide(member.role, action, row.membership_id === member.id);
  if (decision === 'hidden') throw notFound();
  if (decision === 'forbidden') throw new Refusal('forbidden', 'Only the owner of a key can do that.');
  return row;
}

export interface Moved {
  row: KeyRow;
  old: KeySecretRow | undefined;
  before: KeyState;
  next: KeyState;
  changed: boolean;
}

/**
 * Looks a key up inside a change and decides a move on it; nothing is written yet.
 * @throws Refusal not_found, forbidden, conflict with the reason when the move is illegal
 */
export async function moveKey(
  { tx, now, member }: Change,
  keyId: string,
  action: Action,
  move: Move | ((row: KeyRow) => Move),
): Promise<Moved> {
  const row = await findKeyFor(tx, member, keyId, action);
  const old = await findOldSecret(tx, row.id);
  const before = stateOf(row, old);
  const decision = decideMove(before, typeof move === 'function' ? move(row) : move, now);
  if (!decision.legal) throw new Refusal('conflict', decision.why);
  return { row, old, before, next: decision.next, changed: decision.changed };
}

/** The key as an audit entry names it. */
export const target = (row: Pick<KeyRow, 'id' | 'name'>) => ({ type: 'key', id: row.id, name: row.name });
