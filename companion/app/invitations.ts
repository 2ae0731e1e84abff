import { sql } from 'kysely';
import type { BodyOf, QueryOf } from '../../shared/contract/endpoint.ts';
import { ROLES } from '../../shared/contract/fields.ts';
import type { invitations } from '../../shared/contract/invitations.ts';
import { makeLinkToken } from '../../shared/key-format.ts';
import { mayGrant } from '../domain/access.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { DAY_MS, HOUR_MS } from '../domain/time.ts';
import type { Reading, Tx } from '../store/store.ts';
import type { InvitationRow } from '../store/tables.ts';
import { audit, by } from './audit.ts';
import { type Change, changeAs, type MemberCaller } from './caller.ts';
import type { Deps } from './deps.ts';
import { type Idempotency, once } from './idempotency.ts';
import { olderThan, pageOf, readCursor } from './paging.ts';
import { isExcluded } from './scim-exclusion.ts';
import { hashToken } from './sessions.ts';
import { requireRecentSignIn } from './step-up.ts';

export const INVITATION_LIFETIME_MS = 7 * DAY_MS;

const show = (row: InvitationRow) => ({
  id: row.id,
  email: row.email,
  role: row.role,
  createdAt: new Date(row.created_at).toISOString(),
  expiresAt: new Date(row.expires_at).toISOString(),
  invitedBy: JSON.parse(row.invited_by) as { membershipId: string | null; name: string; email: string },
});

/**
 * Invitations that can still be accepted. One lives by the authority of whoever made it: it does not outlast their
 * membership, their role or a suspension, so that nobody leaves a way back in behind. Nor does one outlast the membership of
 * the person it is for, who had come in by another way: they come back by a new invitation only.
 */
const open = (db: Reading, now: number) =>
  db
    .selectFrom('invitation')
    .selectAll('invitation')
    .where('accepted_at', 'is', null)
    .where('withdrawn_at', 'is', null)
    .where('expires_at', '>', now)
    .where((is) =>
      is.exists(
        is
          .selectFrom('membership as inviter')
          .select('inviter.id')
          // Plain SQL may have left any text there: one that names nobody is none, and does not stand in the way of the others.
          .where('inviter.id', '=', sql<string>`iif(json_valid(invited_by), invited_by ->> '$.membershipId', null)`)
          .where('inviter.suspended_at', 'is', null)
          .where((may) =>
            may.or(
              ROLES.map((role) =>
                may.and([
                  may('invitation.role', '=', role),
                  may(
                    'inviter.role',
                    'in',
                    ROLES.filter((actor) => mayGrant(actor, role)),
                  ),
                ]),
              ),
            ),
          ),
      ),
    )
    .where((is) =>
      is.not(
        is.exists(
          is
            .selectFrom('former_member as left')
            .innerJoin('user as invited', 'invited.id', 'left.user_id')
            .select('left.user_id')
            .whereRef('left.workspace_id', '=', 'invitation.workspace_id')
            .whereRef('invited.email', '=', 'invitation.email')
            .whereRef('left.left_at', '>', 'invitation.created_at'),
        ),
      ),
    );

/** The invitation that a token opens, if it still can be accepted. */
export function findOpenInvitation(db: Reading, token: string, now: number): Promise<InvitationRow | undefined> {
  return open(db, now).where('token_hash', '=', hashToken(token)).executeTakeFirst();
}

/** Open invitations, newest first. */
export async function listInvitations(
  deps: Deps,
  caller: MemberCaller,
  query: QueryOf<typeof invitations.listInvitations>,
) {
  const after = readCursor(query.cursor);
  let rows = open(deps.store.read, deps.now()).where('workspace_id', '=', caller.member.workspaceId);
  if (after) rows = rows.where(olderThan(after));
  const found = await rows
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
    .execute();
  return pageOf(found, query.limit, (row) => ({ at: row.created_at, id: row.id }), show);
}

/**
 * Invites somebody. A new invitation takes the place of an open one to the same address.
 * @throws Refusal conflict when they are a member or their identity provider keeps them out, forbidden when the role is not the caller's to give
 */
export async function createInvitation(
  deps: Deps,
  caller: MemberCaller,
  input: BodyOf<typeof invitations.createInvitation>,
  idempotency?: Idempotency,
) {
  // As dangerous as raising a member to that role.
  if (input.role !== 'member' && mayGrant(caller.member.role, input.role)) requireRecentSignIn(deps, caller);
  const token = makeLinkToken((n) => deps.randomBytes(n));
  const done = await changeAs(deps, caller, 'invitation.manage', async (change) => {
    if (!mayGrant(change.member.role, input.role)) throw new Refusal('forbidden', 'Only an owner can invite an owner.');
    const made = await once(change, 'createInvitation', idempotency, () => invite(deps, caller, change, input, token));
    const row = await change.tx.selectFrom('invitation').selectAll().where('id', '=', made.id).executeTakeFirst();
    // A repeat after it was removed with everything else: as good as absent.
    if (!row) throw notFound();
    const mayMail = !(await isMailedEnough(change));
    return { invitation: show(row), replayed: made.replayed, workspace: await nameOf(change), mayMail };
  });
  if (done.replayed) return { invitation: done.invitation, mailed: false, replayed: true };
  const link = `${deps.config.publicUrl}/accept#${token}`;
  return { invitation: done.invitation, link, mailed: done.mayMail && mail(deps, done, caller.user.name, link) };
}

/** Invitations of a workspace that are mailed within an hour; for further ones the link is handed over. */
const MOST_MAILED_AN_HOUR = 100;

/** Whether there were more invitations within the hour than are mailed, with the one just made. */
async function isMailedEnough({ tx, now, member }: Change): Promise<boolean> {
  const surplus = await tx
    .selectFrom('invitation')
    .select('id')
    .where('workspace_id', '=', member.workspaceId)
    .where('created_at', '>', now - HOUR_MS)
    .limit(1)
    .offset(MOST_MAILED_AN_HOUR)
    .executeTakeFirst();
  return surplus !== undefined;
}

async function nameOf({ tx, member }: Change): Promise<string> {
  const row = await tx.selectFrom('workspace').select('name').where('id', '=', member.workspaceId).executeTakeFirst();
  return row?.name ?? '';
}

/** @throws Refusal conflict for an invitation that could not be accepted */
async function refuseUseless(tx: Tx, workspaceId: string, email: string): Promise<void> {
  const user = await tx
    .selectFrom('user')
    .leftJoin('membership', (on) =>
      on.onRef('membership.user_id', '=', 'user.id').on('membership.workspace_id', '=', workspaceId),
    )
    .select(['user.id', 'membership.id as membership_id'])
    .where('user.email', '=', email)
    .executeTakeFirst();
  if (!user) return;
  if (user.membership_id !== null) throw new Refusal('conflict', `${email} is a member already.`);
  if (await isExcluded(tx, { workspaceId, userId: user.id }))
    throw new Refusal('conflict', `The identity provider took the access of ${email} away. It can give it back there.`);
}

async function invite(
  deps: Deps,
  caller: MemberCaller,
  { tx, now, member }: Change,
  input: { email: string; role: InvitationRow['role'] },
  token: string,
): Promise<string> {
  const { workspaceId } = member;
  await refuseUseless(tx, workspaceId, input.email);
  const replaced = await tx
    .updateTable('invitation')
    .set({ withdrawn_at: now })
    .where('workspace_id', '=', workspaceId)
    .where('email', '=', input.email)
    .where('accepted_at', 'is', null)
    .where('withdrawn_at', 'is', null)
    .returning('id')
    .execute();
  const id = deps.newId('inv');
  await tx
    .insertInto('invitation')
    .values({
      id,
      workspace_id: workspaceId,
      email: input.email,
      role: input.role,
      token_hash: hashToken(token),
      invited_by: JSON.stringify({ membershipId: member.id, name: caller.user.name, email: caller.user.email }),
      created_at: now,
      expires_at: now + INVITATION_LIFETIME_MS,
      accepted_at: null,
      withdrawn_at: null,
    })
    .execute();
  await audit(tx, {
    workspaceId,
    at: now,
    ...by({ ...caller, member }),
    action: 'invitation.created',
    target: { type: 'invitation', id, name: input.email },
    after: { role: input.role, ...(replaced.length ? { replaces: replaced.map((r) => r.id) } : {}) },
  });
  return id;
}

/** @returns whether it is on its way; the link works either way */
function mail(
  deps: Deps,
  done: { invitation: { email: string; role: string }; workspace: string },
  inviter: string,
  link: string,
): boolean {
  const { mailer, background } = deps;
  if (!mailer) return false;
  const { email, role } = done.invitation;
  background.run('mail an invitation', () =>
    mailer.send({
      to: email,
      subject: `${inviter} invited you to ${done.workspace} on Heex Keys`,
      text: [
        `${inviter} invited you to ${done.workspace} as ${role}.`,
        '',
        `Accept within 7 days, once: ${link}`,
        '',
        'If you did not expect this, do nothing.',
      ].join('\n'),
    }),
  );
  return true;
}

/** Withdraws an open invitation. @throws Refusal not_found */
export async function withdrawInvitation(deps: Deps, caller: MemberCaller, invitationId: string): Promise<void> {
  await changeAs(deps, caller, 'invitation.manage', async ({ tx, now, member }) => {
    const row = await open(tx, now)
      .where('id', '=', invitationId)
      .where('workspace_id', '=', member.workspaceId)
      .executeTakeFirst();
    if (!row) throw notFound();
    if (!mayGrant(member.role, row.role)) throw new Refusal('forbidden');
    await tx.updateTable('invitation').set({ withdrawn_at: now }).where('id', '=', row.id).execute();
    await audit(tx, {
      workspaceId: member.workspaceId,
      at: now,
      ...by({ ...caller, member }),
      action: 'invitation.withdrawn',
      target: { type: 'invitation', id: row.id, name: row.email },
      before: { role: row.role },
    });
  });
}
