import type { Removal } from '../../shared/contract/members.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/store.ts';
import { type AuditActor, by } from './audit.ts';
import { changeAs, type MemberCaller } from './caller.ts';
import type { Deps, Origin } from './deps.ts';
import { findRemovable, keepAnOwner, type MemberWithPerson } from './members.ts';
import { changedSince } from './removal-changes.ts';
import { readHanging } from './removal-preview.ts';

/** Who removes, for the audit rows that the database itself writes. */
export interface Remover {
  actor: AuditActor;
  origin?: Origin | undefined;
  client?: string | undefined;
}

/**
 * Ends a membership. The database's own trigger revokes every key, ends every session and writes the audit rows; `acting` only
 * tells it who did it. It takes the last owner too: whoever calls this decides about that.
 */
export async function removeMembership(
  tx: Tx,
  now: number,
  target: MemberWithPerson,
  remover: Remover,
): Promise<Removal> {
  const { keys, agents, sessions, knownSecrets } = await readHanging(tx, target, now);
  const acting = {
    at: now,
    actor: JSON.stringify(remover.actor),
    ip: remover.origin?.ip ?? null,
    client: remover.client ?? null,
  };
  await tx
    .insertInto('acting')
    .values({ id: 1, ...acting })
    // Plain SQL may have left one behind.
    .onConflict((c) => c.column('id').doUpdateSet(acting))
    .execute();
  await tx.deleteFrom('membership').where('id', '=', target.id).execute();
  await tx.deleteFrom('acting').execute();
  return { revokedKeys: keys.length, endedSessions: sessions, unaffectedAgents: agents.length, knownSecrets };
}

/**
 * Removes a member, or oneself.
 * @param versions of the previews that the caller has seen, from `If-Match`; undefined removes whatever is there
 * @throws Refusal not_found, forbidden, last_owner, precondition_failed with what has changed since the preview
 */
export async function removeMember(
  deps: Deps,
  caller: MemberCaller,
  memberId: string,
  versions: readonly string[] | undefined,
): Promise<Removal> {
  if (versions) await deps.usage.flush();
  return changeAs(deps, caller, 'member.remove', async ({ tx, now, member }) => {
    const target = await findRemovable(tx, member, memberId);
    await keepAnOwner(tx, target);
    if (versions) {
      const changes = await changedSince(deps, tx, target, await readHanging(tx, target, now), versions, now);
      if (changes.length) {
        const told = changes.map((change) => change.message).join('; ');
        throw new Refusal('precondition_failed', `Nothing was removed. Since you looked: ${told}.`, changes);
      }
    }
    return removeMembership(tx, now, target, by({ ...caller, member }));
  });
}
