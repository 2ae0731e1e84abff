import type { BodyOf } from '../../shared/contract/endpoint.ts';
import type { passwords } from '../../shared/contract/identity.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { isRecent } from '../domain/step-up.ts';
import type { Reading, Tx } from '../store/store.ts';
import type { SessionRow } from '../store/tables.ts';
import type { SessionCaller } from './caller.ts';
import { changeOwn } from './change-own.ts';
import type { Deps } from './deps.ts';
import { assertPasskey, type Challenge } from './passkey-challenge.ts';

/**
 * Asks for a sign-in that is not older than 15 minutes. Endpoints that declare `stepUp` have it asked before they run; a use case
 * asks itself where only some of its inputs are dangerous.
 * @throws Refusal step_up_required, with the page on which the person confirms
 */
export function requireRecentSignIn(deps: Deps, caller: SessionCaller): void {
  if (!isRecent(caller.session.authenticatedAt, deps.now())) throw stepUpRequired(deps, caller.session.id);
}

function stepUpRequired(deps: Deps, sessionId: string): Refusal {
  const confirmAt = `${deps.config.publicUrl}/confirm?session=${sessionId}`;
  return new Refusal(
    'step_up_required',
    `Confirm that it is you, at ${confirmAt}, and try again.`,
    [],
    {},
    { confirmAt },
  );
}

/** A session of the caller's own, by id or `current`. @throws Refusal not_found, also for somebody else's */
export async function ownSession(db: Reading, caller: SessionCaller, sessionId: string): Promise<SessionRow> {
  const session = await db
    .selectFrom('session')
    .selectAll()
    .where('id', '=', sessionId === 'current' ? caller.session.id : sessionId)
    .where('user_id', '=', caller.user.id)
    .executeTakeFirst();
  if (!session) throw notFound();
  return session;
}

/** The person has just proved who they are here: that counts for the session that was named and for this one. */
export async function confirmSessions(tx: Tx, caller: SessionCaller, sessionId: string, at: number): Promise<void> {
  const { id } = await ownSession(tx, caller, sessionId);
  await tx
    .updateTable('session')
    .set({ authenticated_at: at })
    .where('id', 'in', [id, caller.session.id])
    .where('user_id', '=', caller.user.id)
    .where('authenticated_at', '<', at)
    .execute();
}

/**
 * Renews the sign-in of a session by password or passkey. Another session than the caller's takes over a sign-in of the caller's
 * that is itself recent: this is how a browser vouches for the extension in it.
 * @param challenge what the passkey answers
 * @returns when the person last proved who they are
 * @throws Refusal not_found; unauthorized for a wrong proof; step_up_required without one
 */
export async function confirmSession(
  deps: Deps,
  caller: SessionCaller,
  sessionId: string,
  input: BodyOf<typeof passwords.confirmSession>,
  challenge: Challenge | undefined,
): Promise<{ authenticatedAt: string }> {
  const target = await ownSession(deps.store.read, caller, sessionId);
  const passwordHash = input.password === undefined ? undefined : await checkPassword(deps, caller, input.password);
  return changeOwn(deps, caller, async ({ tx, now, user }) => {
    let at = now;
    if (passwordHash !== undefined) {
      if (user.password_hash !== passwordHash) throw wrongPassword();
    } else if (input.passkey) {
      const passkey = await assertPasskey(deps, tx, input.passkey, challenge);
      if (passkey.user_id !== user.id) throw new Refusal('unauthorized', 'That passkey is not yours.');
    } else {
      const vouches = target.id !== caller.session.id && isRecent(caller.session.authenticatedAt, now);
      if (!vouches) throw stepUpRequired(deps, target.id);
      at = caller.session.authenticatedAt;
    }
    await confirmSessions(tx, caller, target.id, at);
    return { authenticatedAt: new Date(Math.max(at, target.authenticated_at)).toISOString() };
  });
}

const wrongPassword = () => new Refusal('forbidden', 'The password is wrong.');

/** @returns the hash that the password matched, to be compared again inside the transaction */
export async function checkPassword(deps: Deps, caller: SessionCaller, password: string): Promise<string> {
  const { email, id } = caller.user;
  await deps.throttle.attempt('sign_in', email, caller.origin.ip);
  const user = await deps.store.read.selectFrom('user').select('password_hash').where('id', '=', id).executeTakeFirst();
  const matches = await deps.passwords.matches(password, user?.password_hash);
  if (!matches || !user?.password_hash) throw wrongPassword();
  await deps.throttle.forgive('sign_in', email, caller.origin.ip);
  return user.password_hash;
}
