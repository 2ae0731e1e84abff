import type { Tx } from '../store/store.ts';
import { audit } from './audit.ts';
import type { Deps } from './deps.ts';
import { findMember, hasActiveOwner } from './members.ts';
import { insertMembership } from './new-member.ts';
import { removeMembership } from './removal.ts';
import { endExclusion, exclude, worksElsewhere } from './scim-exclusion.ts';
import { findPerson, type ScimPerson } from './scim-resources.ts';
import { readDeactivation, type ScimCaller } from './scim-tokens.ts';

/** One change by an identity provider: the transaction, its one time, and who asks. */
export interface ScimChange {
  deps: Deps;
  tx: Tx;
  now: number;
  caller: ScimCaller;
  /** What is told to people once the change is durable. */
  afterwards: (() => void)[];
}

export const byScim = ({ token, origin }: ScimCaller) => ({
  actor: { type: 'scim' as const, id: token.id, name: token.name },
  origin,
  client: 'scim' as const,
});

const FROM_CLOSED = { before: { active: false }, after: { active: true } };

/** Whom an audit row is about: the member, or the person where there is no membership. */
export const targetOf = (person: ScimPerson) => ({
  type: person.membership_id === null ? 'user' : 'member',
  id: person.membership_id ?? person.id,
  name: person.email,
});

/**
 * Takes somebody's access away. A removal goes the way of every removal: the database's trigger revokes the keys, ends the
 * sessions and writes the audit rows. From then on they are kept out of this workspace; and where no other one has them, their
 * account is closed to every way of signing in. The last owner goes too; that is reported, not refused.
 * @returns what came of it: a membership that ended or was suspended has its audit row; where they were only shut out, the
 *   caller writes one
 */
export async function deactivate(
  change: ScimChange,
  userId: string,
  how: 'remove' | 'suspend',
): Promise<'membership ended' | 'shut out' | 'nothing'> {
  const { tx, now, caller } = change;
  const person = await findPerson(tx, caller.workspaceId, userId);
  const ends = person.membership_id !== null && (how === 'remove' || person.suspended_at === null);
  if (person.membership_id !== null && how === 'remove') {
    const member = await findMember(tx, caller.workspaceId, person.membership_id);
    await removeMembership(tx, now, member, byScim(caller));
  } else if (person.membership_id !== null && person.suspended_at === null) {
    await tx.updateTable('membership').set({ suspended_at: now }).where('id', '=', person.membership_id).execute();
    await audit(tx, {
      workspaceId: caller.workspaceId,
      at: now,
      ...byScim(caller),
      action: 'member.suspended',
      target: targetOf(person),
      before: { status: 'active' },
      after: { status: 'suspended' },
    });
  }
  const whom = { workspaceId: caller.workspaceId, userId };
  const excludes = await exclude(tx, whom, now);
  const closes = person.disabled_at === null && !(await worksElsewhere(tx, whom));
  if (closes) await tx.updateTable('user').set({ disabled_at: now }).where('id', '=', userId).execute();
  if (ends && person.role === 'owner') await reportOwnerless(change, person);
  if (ends) return 'membership ended';
  return closes || excludes ? 'shut out' : 'nothing';
}

async function reportOwnerless(change: ScimChange, person: ScimPerson): Promise<void> {
  const { deps, tx, now, caller, afterwards } = change;
  const { workspaceId } = caller;
  if (await hasActiveOwner(tx, workspaceId)) return;
  const workspace = await tx.selectFrom('workspace').select('name').where('id', '=', workspaceId).executeTakeFirst();
  await audit(tx, {
    workspaceId,
    at: now,
    ...byScim(caller),
    action: 'workspace.ownerless',
    target: { type: 'workspace', id: workspaceId, name: workspace?.name ?? '' },
    before: { owner: person.email },
  });
  const admins = await tx
    .selectFrom('membership')
    .innerJoin('user', 'user.id', 'membership.user_id')
    .select('user.email')
    .where('workspace_id', '=', workspaceId)
    .where('role', '=', 'admin')
    .where('suspended_at', 'is', null)
    .execute();
  afterwards.push(() => {
    const fields = { workspaceId, person: person.id };
    deps.warn('the identity provider deprovisioned the last owner of a workspace', fields);
    for (const { email } of admins) mailOwnerless(deps, email, workspace?.name ?? '', person.email);
  });
}

/** Where mail is sent: those who are left to look after the workspace hear of it. */
function mailOwnerless({ mailer, background, config }: Deps, to: string, workspace: string, owner: string): void {
  if (!mailer) return;
  const text = [
    `Your identity provider deprovisioned ${owner}, the last owner of ${workspace} on ${config.publicUrl}.`,
    '',
    'Their keys are revoked. The operator of the server can make another member an owner.',
  ].join('\n');
  background.run('ownerless mail', () => mailer.send({ to, subject: `${workspace} has no owner`, text }));
}

/**
 * Gives access (back): a suspension that deactivating made is lifted, or a new membership begins, as a plain member. No key
 * comes back.
 */
export async function activate(change: ScimChange, userId: string): Promise<void> {
  const { deps, tx, now, caller } = change;
  const person = await findPerson(tx, caller.workspaceId, userId);
  await tx.updateTable('user').set({ disabled_at: null }).where('id', '=', userId).execute();
  await endExclusion(tx, { workspaceId: caller.workspaceId, userId });
  const entry = { workspaceId: caller.workspaceId, at: now, ...byScim(caller) };
  if (person.membership_id === null) {
    const id = await insertMembership(deps, tx, { workspaceId: caller.workspaceId, userId, role: 'member' }, now);
    const target = { type: 'member', id, name: person.email };
    await audit(tx, { ...entry, action: 'member.joined', target, after: { role: 'member', by: 'scim' } });
    return;
  }
  // A suspension by an admin has another time, and stays.
  if (person.suspended_at === null || person.suspended_at !== person.deactivated_at) {
    if (person.disabled_at !== null)
      await audit(tx, { ...entry, action: 'user.reactivated', target: targetOf(person), ...FROM_CLOSED });
    return;
  }
  await tx.updateTable('membership').set({ suspended_at: null }).where('id', '=', person.membership_id).execute();
  await audit(tx, {
    ...entry,
    action: 'member.reinstated',
    target: targetOf(person),
    before: { status: 'suspended' },
    after: { status: 'active' },
  });
}

/** What `active: false` means in the workspace of the caller. */
export const deactivationOf = ({ tx, caller }: ScimChange) => readDeactivation(tx, caller.workspaceId);
