import type { BodyOf } from '../../shared/contract/endpoint.ts';
import type { passwords } from '../../shared/contract/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/store.ts';
import { auditPerson } from './audit.ts';
import type { SessionCaller } from './caller.ts';
import { changeOwn } from './change-own.ts';
import type { Deps } from './deps.ts';
import { checkPassword, requireRecentSignIn } from './step-up.ts';

/**
 * Sets a new password, with the present one or after a recent sign-in, and ends every other session.
 * @throws Refusal forbidden for a wrong present password; step_up_required without it
 */
export async function changePassword(
  deps: Deps,
  caller: SessionCaller,
  input: BodyOf<typeof passwords.changePassword>,
): Promise<{ endedSessions: number }> {
  const { currentPassword, newPassword } = input;
  const known = currentPassword === undefined ? undefined : await checkPassword(deps, caller, currentPassword);
  if (known === undefined) requireRecentSignIn(deps, caller);
  const hash = await deps.passwords.hash(newPassword);
  const done = await changeOwn(deps, caller, async ({ tx, now, user }) => {
    if (known !== undefined && user.password_hash !== known)
      throw new Refusal('conflict', 'The password was changed meanwhile.');
    const endedSessions = await setPassword(tx, user.id, hash, caller.session.id);
    const target = { type: 'user', id: user.id, name: user.email };
    await auditPerson(tx, now, caller, 'password.changed', target, { after: { endedSessions } });
    return { endedSessions };
  });
  tellOwner(deps, caller.user.email);
  return done;
}

/**
 * What was good with the old password is good no more: sessions (but for one), approvals under way, reset links.
 * @returns how many sessions ended
 */
export async function setPassword(
  tx: Tx,
  userId: string,
  hash: string,
  keptSession: string | undefined,
): Promise<number> {
  await tx.updateTable('user').set({ password_hash: hash }).where('id', '=', userId).execute();
  await tx.deleteFrom('connect_code').where('user_id', '=', userId).execute();
  await tx.deleteFrom('device_code').where('user_id', '=', userId).execute();
  await tx.deleteFrom('reset_token').where('user_id', '=', userId).execute();
  const ended = await tx
    .deleteFrom('session')
    .where('user_id', '=', userId)
    .where('id', '<>', keptSession ?? '')
    .executeTakeFirst();
  return Number(ended.numDeletedRows);
}

/** Somebody whose password was changed by another finds out. */
export function tellOwner(deps: Deps, email: string): void {
  const { mailer } = deps;
  if (!mailer) return;
  deps.background.run('password mail', () =>
    mailer.send({
      to: email,
      subject: 'Your Heex Keys password was changed',
      text: [
        `The password of your account on ${deps.config.publicUrl} was changed just now.`,
        '',
        'If that was not you, ask an admin of your workspace for a reset link at once.',
      ].join('\n'),
    }),
  );
}
