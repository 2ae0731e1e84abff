import { randomBytes } from 'node:crypto';
import type { AnswerOf } from '../../shared/contract/endpoint.ts';
import type { passwords } from '../../shared/contract/identity.ts';
import { makeLinkToken } from '../../shared/key-format.ts';
import { mayReset } from '../domain/access.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { HOUR_MS } from '../domain/time.ts';
import type { Reading, Store, Tx } from '../store/store.ts';
import { type AuditClient, audit, auditPerson, by } from './audit.ts';
import { changeAs, type MemberCaller } from './caller.ts';
import { setPassword, tellOwner } from './change-password.ts';
import type { Deps, Origin } from './deps.ts';
import { findMember } from './members.ts';
import { hashToken } from './sessions.ts';

export const RESET_LIFETIME_MS = HOUR_MS;
/** More links than this in an hour are not mailed to one person. */
const MOST_AN_HOUR = 5;

/** In the fragment, which browsers send to no server. */
const linkOf = (publicUrl: string, token: string) => `${publicUrl}/reset#${token}`;

/** @param madeBy the member who is handed the link; null where it is mailed to the person alone, or the operator has it */
async function makeToken(
  deps: Pick<Deps, 'randomBytes'>,
  tx: Tx,
  userId: string,
  madeBy: string | null,
  now: number,
): Promise<string> {
  const token = makeLinkToken((n) => deps.randomBytes(n));
  await tx.deleteFrom('reset_token').where('expires_at', '<=', now).execute();
  await tx
    .insertInto('reset_token')
    .values({
      token_hash: hashToken(token),
      user_id: userId,
      created_at: now,
      expires_at: now + RESET_LIFETIME_MS,
      made_by: madeBy,
    })
    .execute();
  return token;
}

/**
 * A reset link made by the operator: the way back for an owner whom nobody else could make one for. Whoever has the data folder has
 * a say over everybody, so the link does not depend on a member.
 * @param publicUrl what browsers call the companion
 */
export async function operatorResetLink(
  store: Store,
  workspaceId: string,
  email: string,
  publicUrl: string,
  now: number,
): Promise<string | 'closed' | 'no member'> {
  return store.transact(async (tx) => {
    const member = await tx
      .selectFrom('membership')
      .innerJoin('user', 'user.id', 'membership.user_id')
      .select(['membership.id', 'membership.user_id', 'user.disabled_at'])
      .where('workspace_id', '=', workspaceId)
      .where('user.email', '=', email)
      .executeTakeFirst();
    if (!member) return 'no member';
    if (member.disabled_at !== null) return 'closed';
    const token = await makeToken({ randomBytes }, tx, member.user_id, null, now);
    await audit(tx, {
      workspaceId,
      at: now,
      actor: { type: 'operator' },
      origin: undefined,
      action: 'password.reset_link_created',
      target: { type: 'member', id: member.id, name: email },
      after: { mailed: false },
      client: 'cli',
    });
    return linkOf(publicUrl, token);
  });
}

/** How long until one more link may be mailed to a person, in milliseconds; 0 for at once. */
async function mailWait(tx: Tx, userId: string, now: number): Promise<number> {
  const made = await tx
    .selectFrom('reset_token')
    .select('created_at')
    .where('user_id', '=', userId)
    .where('created_at', '>', now - HOUR_MS)
    .orderBy('created_at', 'desc')
    .execute();
  const freeing = made[MOST_AN_HOUR - 1];
  return freeing ? freeing.created_at + HOUR_MS - now : 0;
}

async function mailLink(deps: Deps, to: string, token: string, asked: string): Promise<void> {
  await deps.mailer?.send({
    to,
    subject: 'Set a new Heex Keys password',
    text: [
      `${asked} for your account on ${deps.config.publicUrl}.`,
      '',
      `Set it within an hour, once: ${linkOf(deps.config.publicUrl, token)}`,
      '',
      'If you do not want that, do nothing: your password stays as it is.',
    ].join('\n'),
  });
}

/**
 * Has a reset link mailed to whoever has that address. The work is done after the answer, so that neither what it says nor how long it
 * takes tells whether there is such a person.
 * @throws Refusal conflict where no mail is configured
 */
export async function forgotPassword(deps: Deps, email: string, origin: Origin): Promise<void> {
  if (!deps.mailer)
    throw new Refusal('conflict', 'This server sends no mail. Ask an admin of your workspace for a reset link.');
  await deps.throttle.attempt('token', `reset ${email}`, origin.ip);
  deps.background.run('reset mail', async () => {
    const token = await deps.store.transact(async (tx) => {
      const now = deps.now();
      const user = await tx.selectFrom('user').selectAll().where('email', '=', email).executeTakeFirst();
      if (!user || user.disabled_at !== null) return undefined;
      if (await mailWait(tx, user.id, now)) return undefined;
      return makeToken(deps, tx, user.id, null, now);
    });
    if (token !== undefined) await mailLink(deps, email, token, 'Somebody, probably you, asked for a new password');
  });
}

/** Whose password a link sets, if it still may: one that somebody was handed lives by the say that they have now. */
async function findByToken(db: Reading, tokenHash: string, now: number) {
  const row = await db
    .selectFrom('reset_token')
    .innerJoin('user', 'user.id', 'reset_token.user_id')
    .select(['user.id', 'user.name', 'user.email', 'made_by'])
    .where('token_hash', '=', tokenHash)
    .where('expires_at', '>', now)
    .where('disabled_at', 'is', null)
    .executeTakeFirst();
  if (!row || row.made_by === null) return row;
  return (await hasSay(db, row.made_by, row.id)) ? row : undefined;
}

/**
 * Sets a new password with a reset link: every session of the person ends, passkeys stay.
 * @throws Refusal not_found, the same for a token that is used, expired, unknown or of a closed account, or
 *   whose maker could not make it any more
 */
export async function resetPassword(
  deps: Deps,
  input: { token: string; newPassword: string },
  origin: Origin,
  client: AuditClient = 'api',
): Promise<void> {
  const tokenHash = hashToken(input.token);
  await deps.throttle.attempt('token', tokenHash, origin.ip);
  const find = (db: Reading) => findByToken(db, tokenHash, deps.now());
  // Hashing is slow on purpose: not for whoever tries tokens.
  if (!(await find(deps.store.read))) throw notFound();
  const hash = await deps.passwords.hash(input.newPassword);
  const email = await deps.store.transact(async (tx) => {
    const user = await find(tx);
    if (!user) throw notFound();
    const endedSessions = await setPassword(tx, user.id, hash, undefined);
    const target = { type: 'user', id: user.id, name: user.email };
    await auditPerson(tx, deps.now(), { user, origin, client }, 'password.reset', target, { after: { endedSessions } });
    return user.email;
  });
  tellOwner(deps, email);
}

/**
 * Lets a member set a new password. The link is mailed to them alone; where no mail is sent, whoever makes it hands it over. That
 * person could use it, too, so the new password opens nothing that they have no say over: see `hasSay`.
 * @throws Refusal not_found, forbidden, rate_limited, conflict for a closed account, and for one's own where no mail is sent
 */
export async function createResetLink(
  deps: Deps,
  caller: MemberCaller,
  memberId: string,
): Promise<AnswerOf<typeof passwords.createResetLink>> {
  const mailed = deps.mailer !== undefined;
  const made = await changeAs(deps, caller, 'member.edit', async ({ tx, now, member }) => {
    const target = await findMember(tx, member.workspaceId, memberId);
    const { user_id: userId, email } = target;
    const own = userId === caller.user.id;
    if (!own && !(await hasSay(tx, caller.user.id, userId)))
      throw new Refusal('forbidden', 'Only an owner can make a reset link for an owner or an admin.');
    // It would outlast the recent sign-in that a new password of one's own asks for.
    if (own && !mailed) throw new Refusal('conflict', 'Change your own password instead.');
    if (target.disabled_at !== null) throw new Refusal('conflict', 'This account was closed by the identity provider.');
    const wait = mailed ? await mailWait(tx, userId, now) : 0;
    if (wait) throw tooManyMails(wait);
    const token = await makeToken(deps, tx, userId, mailed ? null : caller.user.id, now);
    await audit(tx, {
      workspaceId: member.workspaceId,
      at: now,
      ...by({ ...caller, member }),
      action: 'password.reset_link_created',
      target: { type: 'member', id: target.id, name: email },
      after: { mailed },
    });
    return { token, email, expiresAt: new Date(now + RESET_LIFETIME_MS).toISOString() };
  });
  const { token, email, expiresAt } = made;
  if (!mailed) return { link: linkOf(deps.config.publicUrl, token), expiresAt };
  deps.background.run('reset mail', () => mailLink(deps, email, token, `${caller.user.name} asked for a new password`));
  return { mailed, expiresAt };
}

/** Whether one person may set another's password: it opens every workspace of theirs, not one alone. */
async function hasSay(db: Reading, makerId: string, userId: string): Promise<boolean> {
  const roles = await db
    .selectFrom('membership')
    .leftJoin('membership as mine', (on) =>
      on
        .onRef('mine.workspace_id', '=', 'membership.workspace_id')
        .on('mine.user_id', '=', makerId)
        .on('mine.suspended_at', 'is', null),
    )
    .select(['membership.role', 'mine.role as mine'])
    .where('membership.user_id', '=', userId)
    .execute();
  // Another one's identity provider may give them access back, as a plain member, and with it whoever knows the password.
  const awaiting = await db
    .selectFrom('scim_user')
    .leftJoin('membership as mine', (on) =>
      on
        .onRef('mine.workspace_id', '=', 'scim_user.workspace_id')
        .on('mine.user_id', '=', makerId)
        .on('mine.suspended_at', 'is', null),
    )
    .select('mine.role as mine')
    .where('scim_user.user_id', '=', userId)
    .execute();
  const there = [...roles, ...awaiting.map(({ mine }) => ({ role: 'member' as const, mine }))];
  return there.every(({ role, mine }) => mine !== null && mayReset(mine, role));
}

function tooManyMails(waitMs: number): Refusal {
  return new Refusal('rate_limited', `This person was mailed ${MOST_AN_HOUR} links within an hour.`, [], {
    'Retry-After': String(Math.ceil(waitMs / 1000)),
  });
}
