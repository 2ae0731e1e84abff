import type { QueryOf } from '../../shared/contract/endpoint.ts';
import type { Role } from '../../shared/contract/fields.ts';
import { type Member, type members, SIGN_IN_WAYS, type SignInWay } from '../../shared/contract/members.ts';
import { decide, mayGrant } from '../domain/access.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import type { Reading, Tx } from '../store/store.ts';
import { audit, by } from './audit.ts';
import { type Change, changeAs, type MemberCaller, suspended } from './caller.ts';
import type { Deps } from './deps.ts';
import { pageOf, readCursor } from './paging.ts';
import { isExcluded } from './scim-exclusion.ts';

const withPerson = (db: Reading) =>
  db
    .selectFrom('membership')
    .innerJoin('user', 'user.id', 'membership.user_id')
    .select((e) => [
      e
        .selectFrom('agent')
        .whereRef('agent.enrolled_membership_id', '=', 'membership.id')
        .where('agent.removed_at', 'is', null)
        .select((of) => of.fn.countAll<number>().as('n'))
        .as('agents'),
      e
        .selectFrom('session')
        .whereRef('session.user_id', '=', 'membership.user_id')
        .select((of) => of.fn.max('session.last_used_at').as('at'))
        .as('last_active_at'),
      e.exists(e.selectFrom('passkey').select('id').whereRef('user_id', '=', 'membership.user_id')).as('passkey'),
      e.exists(e.selectFrom('identity').select('id').whereRef('user_id', '=', 'membership.user_id')).as('sso'),
      e('user.password_hash', 'is not', null).as('password'),
    ])
    .select([
      'membership.id',
      'membership.workspace_id',
      'membership.user_id',
      'membership.role',
      'membership.joined_at',
      'membership.suspended_at',
      'user.name',
      'user.email',
      'user.disabled_at',
    ]);
export type MemberWithPerson = NonNullable<Awaited<ReturnType<ReturnType<typeof withPerson>['executeTakeFirst']>>>;

const waysOf = (row: Record<SignInWay, unknown>): SignInWay[] => SIGN_IN_WAYS.filter((way) => row[way]);

/** A member as the interface shows them. */
export const showMember = (row: MemberWithPerson): Member => ({
  id: row.id,
  userId: row.user_id,
  name: row.name,
  email: row.email,
  role: row.role,
  status: row.suspended_at === null ? 'active' : 'suspended',
  joinedAt: new Date(row.joined_at).toISOString(),
  agents: row.agents ?? 0,
  signsInWith: waysOf(row),
  lastActiveAt: row.last_active_at === null ? null : new Date(row.last_active_at).toISOString(),
});

/** A member of this workspace. @throws Refusal not_found */
export async function findMember(db: Reading, workspaceId: string, memberId: string): Promise<MemberWithPerson> {
  const row = await withPerson(db)
    .where('membership.id', '=', memberId)
    .where('membership.workspace_id', '=', workspaceId)
    .executeTakeFirst();
  if (!row) throw notFound();
  return row;
}

/** Everyone, in the order in which they joined. */
export async function listMembers(deps: Deps, caller: MemberCaller, query: QueryOf<typeof members.listMembers>) {
  const after = readCursor(query.cursor);
  let rows = withPerson(deps.store.read).where('membership.workspace_id', '=', caller.member.workspaceId);
  if (after)
    rows = rows.where((is) =>
      is.or([
        is('membership.joined_at', '>', after.at),
        is.and([is('membership.joined_at', '=', after.at), is('membership.id', '>', after.id)]),
      ]),
    );
  const found = await rows
    .orderBy('membership.joined_at')
    .orderBy('membership.id')
    .limit(query.limit + 1)
    .execute();
  return pageOf(found, query.limit, (row) => ({ at: row.joined_at, id: row.id }), showMember);
}

/** Whether there is an owner who can act, for which a suspended one does not count. @param but a membership that is not looked at */
export async function hasActiveOwner(db: Reading, workspaceId: string, but = ''): Promise<boolean> {
  const owner = await db
    .selectFrom('membership')
    .select('id')
    .where('workspace_id', '=', workspaceId)
    .where('role', '=', 'owner')
    .where('suspended_at', 'is', null)
    .where('id', '<>', but)
    .executeTakeFirst();
  return owner !== undefined;
}

/**
 * A workspace keeps an owner who can act. Inside the change, so that two owners who demote each other at once can't both succeed.
 * @throws Refusal last_owner when nobody but this member would be one
 */
export async function keepAnOwner(tx: Tx, target: { id: string; workspace_id: string; role: Role }): Promise<void> {
  if (target.role !== 'owner' || (await hasActiveOwner(tx, target.workspace_id, target.id))) return;
  throw new Refusal('last_owner', 'Make somebody else an owner first.');
}

/** One change to another membership: an admin touches no owners. */
async function changeMember(
  deps: Deps,
  caller: MemberCaller,
  memberId: string,
  work: (
    change: Change,
    target: MemberWithPerson,
  ) => Promise<{ action: string; before?: object; after?: object } | undefined>,
): Promise<Member> {
  return changeAs(deps, caller, 'member.edit', async (change) => {
    const { tx, now, member } = change;
    const target = await findMember(tx, member.workspaceId, memberId);
    if (!mayGrant(member.role, target.role)) throw new Refusal('forbidden', 'Only an owner can change an owner.');
    const happened = await work(change, target);
    if (happened)
      await audit(tx, {
        workspaceId: member.workspaceId,
        at: now,
        ...by({ ...caller, member }),
        ...happened,
        target: { type: 'member', id: target.id, name: target.email },
      });
    return showMember(await findMember(tx, member.workspaceId, memberId));
  });
}

/** @throws Refusal last_owner, forbidden */
export async function changeRole(deps: Deps, caller: MemberCaller, memberId: string, role: Role): Promise<Member> {
  return changeMember(deps, caller, memberId, async ({ tx, member }, target) => {
    if (!mayGrant(member.role, role)) throw new Refusal('forbidden', 'Only an owner can make an owner.');
    if (target.role === role) return undefined;
    await keepAnOwner(tx, target);
    await tx.updateTable('membership').set({ role }).where('id', '=', target.id).execute();
    return { action: 'member.role_changed', before: { role: target.role }, after: { role } };
  });
}

/** Refuses a member's keys and sessions until they are reinstated. @throws Refusal last_owner, conflict for oneself */
export async function suspendMember(deps: Deps, caller: MemberCaller, memberId: string): Promise<Member> {
  return changeMember(deps, caller, memberId, async ({ tx, now, member }, target) => {
    if (target.suspended_at !== null) return undefined;
    await keepAnOwner(tx, target);
    if (target.id === member.id) throw new Refusal('conflict', 'You can’t suspend yourself.');
    await tx.updateTable('membership').set({ suspended_at: now }).where('id', '=', target.id).execute();
    return { action: 'member.suspended', before: { status: 'active' }, after: { status: 'suspended' } };
  });
}

/** Ends a suspension. @throws Refusal conflict where the identity provider deactivated the person */
export async function reinstateMember(deps: Deps, caller: MemberCaller, memberId: string): Promise<Member> {
  return changeMember(deps, caller, memberId, async ({ tx }, target) => {
    if (target.suspended_at === null) return undefined;
    const { workspaceId } = caller.member;
    if (target.disabled_at !== null || (await isExcluded(tx, { workspaceId, userId: target.user_id })))
      throw new Refusal('conflict', 'The identity provider deactivated this person. Activate them there.');
    await tx.updateTable('membership').set({ suspended_at: null }).where('id', '=', target.id).execute();
    return { action: 'member.reinstated', before: { status: 'suspended' }, after: { status: 'active' } };
  });
}

/**
 * Whom somebody may remove: everyone themselves, also while they are suspended; admins others, owners apart.
 * @throws Refusal not_found, forbidden
 */
export async function findRemovable(
  db: Reading,
  member: MemberCaller['member'],
  memberId: string,
): Promise<MemberWithPerson> {
  const mine = memberId === member.id;
  if (member.suspended && !mine) throw suspended();
  const target = await findMember(db, member.workspaceId, memberId);
  const decision = decide(member.role, 'member.remove', mine);
  if (decision === 'hidden') throw notFound();
  if (decision === 'forbidden' || (!mine && !mayGrant(member.role, target.role)))
    throw new Refusal('forbidden', 'Only an owner can remove an owner.');
  return target;
}
