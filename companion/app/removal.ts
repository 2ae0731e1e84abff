import type { Removal } from '../../shared/contract/workspace.ts';
import { decide, mayGrant } from '../domain/access.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/store.ts';
import { type AuditActor, by } from './audit.ts';
import { changeAs, type MemberCaller, SESSION_IDLE_MS } from './caller.ts';
import type { Deps, Origin } from './deps.ts';
import { findMember, keepAnOwner, type MemberWithPerson } from './members.ts';

/** Who removes, for the audit rows that the database itself writes. */
interface Remover {
  actor: AuditActor;
  origin?: Origin | undefined;
  client?: string | undefined;
}

/** What a removal ends, counted inside the transaction of the removal. */
async function count(tx: Tx, target: MemberWithPerson, now: number): Promise<Removal> {
  const keys = await tx
    .selectFrom('api_key')
    .select('id')
    .where('membership_id', '=', target.id)
    .where('revoked_at', 'is', null)
    .execute();
  const sessions = await tx
    .selectFrom('session')
    .select('id')
    .where('user_id', '=', target.user_id)
    .where('expires_at', '>', now)
    .where('last_used_at', '>', now - SESSION_IDLE_MS)
    .execute();
  return { revokedKeys: keys.length, endedSessions: sessions.length, unaffectedAgents: 0 };
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
  const removal = await count(tx, target, now);
  await tx
    .insertInto('acting')
    .values({
      id: 1,
      at: now,
      actor: JSON.stringify(remover.actor),
      ip: remover.origin?.ip ?? null,
      client: remover.client ?? null,
    })
    .execute();
  await tx.deleteFrom('membership').where('id', '=', target.id).execute();
  await tx.deleteFrom('acting').execute();
  return removal;
}

/** Removes a member, or oneself. @throws Refusal not_found, forbidden, last_owner */
export async function removeMember(deps: Deps, caller: MemberCaller, memberId: string): Promise<Removal> {
  return changeAs(deps, caller, 'member.remove', async ({ tx, now, member }) => {
    const target = await findMember(tx, member.workspaceId, memberId);
    mayRemove(member, target);
    await keepAnOwner(tx, target);
    return removeMembership(tx, now, target, by({ ...caller, member }));
  });
}

/** Everyone may leave; admins remove others, owners apart. @throws Refusal not_found, forbidden */
export function mayRemove(member: MemberCaller['member'], target: MemberWithPerson): void {
  const mine = target.id === member.id;
  const decision = decide(member.role, 'member.remove', mine);
  if (decision === 'hidden') throw notFound();
  if (decision === 'forbidden' || (!mine && !mayGrant(member.role, target.role)))
    throw new Refusal('forbidden', 'Only an owner can remove an owner.');
}
