import type { Key, RevokeReason } from '../../../shared/contract/keys.ts';
import type { KeyRow } from '../../store/tables.ts';
import { audit, by } from '../audit.ts';
import { type Change, changeAs, type MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';
import { moveKey, target } from './find.ts';
import { viewKey, viewKeys } from './view.ts';

type Given = Extract<RevokeReason, 'leaked' | 'superseded'>;

async function revoke(change: Change, caller: MemberCaller, keyId: string, given: Given | undefined): Promise<KeyRow> {
  const { tx, now, member } = change;
  const { row, next, changed } = await moveKey(change, keyId, 'key.revoke', (found) => ({
    kind: 'revoke',
    reason: given ?? (found.membership_id === member.id ? 'by_owner' : 'by_admin'),
  }));
  if (!changed) return row;
  const columns = { revoked_at: next.revokedAt, revoked_reason: next.revokedReason };
  await tx.updateTable('api_key').set(columns).where('id', '=', row.id).execute();
  await audit(tx, {
    workspaceId: member.workspaceId,
    at: now,
    ...by(caller),
    action: 'key.revoked',
    target: target(row),
    before: { status: 'live' },
    after: { status: 'revoked', reason: next.revokedReason },
  });
  return { ...row, ...columns };
}

/**
 * Refuses a key for ever, both secrets of it. Revoking again answers the same and keeps the first reason.
 * @param reason what the person says; otherwise it follows from whether they own the key
 * @throws Refusal not_found
 */
export async function revokeKey(
  deps: Deps,
  caller: MemberCaller,
  keyId: string,
  reason: Given | undefined,
): Promise<Key> {
  const row = await changeAs(deps, caller, 'key.revoke', (change) => revoke(change, caller, keyId, reason));
  return viewKey(deps, row);
}

/**
 * Revokes several keys, all of them or none, with one audit row each.
 * @throws Refusal not_found when one of them is not there or not the caller's to revoke
 */
export async function revokeKeys(
  deps: Deps,
  caller: MemberCaller,
  ids: readonly string[],
  reason: Given | undefined,
): Promise<Key[]> {
  const rows = await changeAs(deps, caller, 'key.revoke', async (change) => {
    const revoked: KeyRow[] = [];
    for (const id of new Set(ids)) revoked.push(await revoke(change, caller, id, reason));
    return revoked;
  });
  return viewKeys(deps, rows);
}
