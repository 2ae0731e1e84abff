import { randomBase62 } from '../../shared/key-format.ts';
import { mayGrant } from '../domain/access.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/store.ts';
import { audit, auditPerson, by } from './audit.ts';
import { changeAs, type MemberCaller } from './caller.ts';
import { setPassword, tellOwner } from './change-password.ts';
import type { Deps, Origin } from './deps.ts';
import { findMember } from './members.ts';
import { hashToken } from './sessions.ts';

export const RESET_LIFETIME_MS = 3_600_000;
const TOKEN_LENGTH = 40;
/** More links than this in an hour are not mailed to one person. */
const MOST_AN_HOUR = 5;

/** In the fragment, which browsers send to no server. */
const linkOf = (deps: Deps, token: string) => `${deps.config.publicUrl}/reset#${token}`;

async function makeToken(deps: Deps, tx: Tx, userId: string, now: number): Promise<string> {
  const token = randomBase62((n) => deps.randomBytes(n), TOKEN_LENGTH);
  await tx.deleteFrom('reset_token').where('expires_at', '<=', now).execute();
  await tx
    .insertInto('reset_token')
    .values({ token_hash: hashToken(token), user_id: userId, created_at: now, expires_at: now + RESET_LIFETIME_MS })
    .execute();
  return token;
}

/**
 * Has a reset link mailed to whoever has that address. The work is done after the answer, so that neither what it says nor how long it
 * takes tells whether there is such a person.
 * @throws Refusal conflict where no mail is configured
 */
export async function forgotPassword(deps: Deps, email: string, origin: Origin): Promise<void> {
  const { mailer } = deps;
  if (!mailer)
    throw new Refusal('conflict', 'This server sends no mail. Ask an admin of your workspace for a reset link.');
  await deps.throttle.attempt('token', `reset ${email}`, origin.ip);
  deps.background.run('reset mail', async () => {
    const token = await deps.store.transact(async (tx) => {
      const now = deps.now();
      const user = await tx.selectFrom('user').selectAll().where('email', '=', email).executeTakeFirst();
      if (!user || user.disabled_at !== null) return undefined;
      const made = await tx.selectFrom('reset_token').select('created_at').where('user_id', '=', user.id).execute();
      if (made.filter((t) => t.created_at > now - 3_600_000).length >= MOST_AN_HOUR) return undefined;
      return makeToken(deps, tx, user.id, now);
    });
    if (token === undefined) return;
    await mailer.send({
      to: email,
      subject: 'Set a new Heex Keys password',
      text: [
        `Somebody, probably you, asked for a new password on ${deps.config.publicUrl}.`,
        '',
        `Set it within an hour, once: ${linkOf(deps, token)}`,
        '',
        'If it was not you, do nothing: your password stays as it is.',
      ].join('\n'),
    });
  });
}

/**
 * Sets a new password with a reset link: every session of the person ends, passkeys stay.
 * @throws Refusal not_found, the same for a token that is used, expired, unknown or of a closed account
 */
export async function resetPassword(
  deps: Deps,
  input: { token: string; newPassword: string },
  origin: Origin,
): Promise<void> {
  const tokenHash = hashToken(input.token);
  await deps.throttle.attempt('token', tokenHash, origin.ip);
  const find = (tx: Pick<Tx, 'selectFrom'>) =>
    tx
      .selectFrom('reset_token')
      .innerJoin('user', 'user.id', 'reset_token.user_id')
      .select(['user.id', 'user.name', 'user.email'])
      .where('token_hash', '=', tokenHash)
      .where('expires_at', '>', deps.now())
      .where('disabled_at', 'is', null)
      .executeTakeFirst();
  // Hashing is slow on purpose: not for whoever tries tokens.
  if (!(await find(deps.store.read))) throw notFound();
  const hash = await deps.passwords.hash(input.newPassword);
  const email = await deps.store.transact(async (tx) => {
    const user = await find(tx);
    if (!user) throw notFound();
    const endedSessions = await setPassword(tx, user.id, hash, undefined);
    const target = { type: 'user', id: user.id, name: user.email };
    await auditPerson(tx, deps.now(), { user, origin, client: 'web' }, 'password.reset', target, { endedSessions });
    return user.email;
  });
  tellOwner(deps, email);
}

/**
 * A reset link that an admin hands to a member where no mail is sent. An admin makes none for an owner, in whatever workspace.
 * @throws Refusal not_found, forbidden, conflict for a closed account
 */
export async function createResetLink(
  deps: Deps,
  caller: MemberCaller,
  memberId: string,
): Promise<{ link: string; expiresAt: string }> {
  return changeAs(deps, caller, 'member.edit', async ({ tx, now, member }) => {
    const target = await findMember(tx, member.workspaceId, memberId);
    const roles = await tx
      .selectFrom('membership')
      .leftJoin('membership as mine', (on) =>
        on.onRef('mine.workspace_id', '=', 'membership.workspace_id').on('mine.user_id', '=', caller.user.id),
      )
      .select(['membership.role', 'mine.role as mine'])
      .where('membership.user_id', '=', target.user_id)
      .execute();
    // The new password opens every workspace of that person, not this one alone.
    if (!roles.every(({ role, mine }) => mine !== null && mayGrant(mine, role)))
      throw new Refusal('forbidden', 'Only an owner can make a reset link for an owner.');
    const user = await tx.selectFrom('user').selectAll().where('id', '=', target.user_id).executeTakeFirst();
    if (!user || user.disabled_at !== null)
      throw new Refusal('conflict', 'This account was closed by the identity provider.');
    const token = await makeToken(deps, tx, user.id, now);
    await audit(tx, {
      workspaceId: member.workspaceId,
      at: now,
      ...by({ ...caller, member }),
      action: 'password.reset_link_created',
      target: { type: 'member', id: target.id, name: target.email },
    });
    return { link: linkOf(deps, token), expiresAt: new Date(now + RESET_LIFETIME_MS).toISOString() };
  });
}
