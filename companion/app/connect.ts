import { createHash, timingSafeEqual } from 'node:crypto';
import type { ConnectQuery } from '../../shared/connect.ts';
import { randomBase62 } from '../../shared/key-format.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/store.ts';
import type { SessionRow } from '../store/tables.ts';
import { auditPerson } from './audit.ts';
import type { SessionCaller } from './caller.ts';
import { changeOwn } from './change-own.ts';
import type { Deps, Origin } from './deps.ts';
import { hashToken, issueSession, publicUser } from './sessions.ts';

/** An approval has to be exchanged within this time. */
export const CODE_LIFETIME_MS = 60_000;
const CODE_LENGTH = 40;

/** The signed-in person approves a connection. @returns the code for it, in the one place where it is shown */
export async function approveConnection(
  deps: Deps,
  caller: SessionCaller,
  request: Pick<ConnectQuery, 'label' | 'code_challenge'>,
): Promise<string> {
  const code = randomBase62((n) => deps.randomBytes(n), CODE_LENGTH);
  await deps.store.transact(async (tx) => {
    const now = deps.now();
    const session = await tx
      .selectFrom('session')
      .select(['id', 'authenticated_at'])
      .where('id', '=', caller.session.id)
      .executeTakeFirst();
    if (!session) throw new Refusal('unauthorized', 'The session has ended.');
    await tx.deleteFrom('connect_code').where('expires_at', '<=', now).execute();
    await tx
      .insertInto('connect_code')
      .values({
        code_hash: hashToken(code),
        user_id: caller.user.id,
        challenge: request.code_challenge,
        label: request.label,
        authenticated_at: session.authenticated_at,
        expires_at: now + CODE_LIFETIME_MS,
      })
      .execute();
  });
  return code;
}

/** The signed-in person denies a connection: somebody may have tried to trick them, so it is on record. */
export async function denyConnection(
  deps: Deps,
  caller: SessionCaller,
  request: Pick<ConnectQuery, 'label'>,
): Promise<void> {
  // The page was opened by the browser that asks.
  const asked = { client: 'extension' as const, label: request.label, askedFrom: caller.origin.ip };
  await changeOwn(deps, caller, ({ tx, now }) => auditDenial(tx, now, caller, asked));
}

/** The audit row of a denied request for a session: who asked, and from which address. */
export async function auditDenial(
  tx: Tx,
  now: number,
  caller: SessionCaller,
  asked: { client: SessionRow['client']; label: string; askedFrom: string | null },
): Promise<void> {
  const { id, email } = caller.user;
  const target = { type: 'user', id, name: email };
  await auditPerson(tx, now, caller, 'session.denied', target, { after: asked });
}

/** Whether the verifier is the one that the challenge was made from (RFC 7636, 4.6, S256). */
function fits(challenge: string, verifier: string): boolean {
  const [made, asked] = [createHash('sha256').update(verifier).digest(), Buffer.from(challenge, 'base64url')];
  return made.length === asked.length && timingSafeEqual(made, asked);
}

/**
 * Exchanges an approval for a session of its own. A code works once: a wrong verifier uses it up, too.
 * @throws Refusal unauthorized, the same for every code that does not work
 */
export async function exchangeCode(deps: Deps, input: { code: string; codeVerifier: string }, origin: Origin) {
  const codeHash = hashToken(input.code);
  await deps.throttle.attempt('token', codeHash, origin.ip);
  // Refused only after the transaction: what is thrown inside would bring the code back.
  const done = await deps.store.transact(async (tx) => {
    const now = deps.now();
    const code = await tx
      .deleteFrom('connect_code')
      .where('code_hash', '=', codeHash)
      .returningAll()
      .executeTakeFirst();
    if (!code || code.expires_at <= now || !fits(code.challenge, input.codeVerifier)) return undefined;
    const user = await tx.selectFrom('user').selectAll().where('id', '=', code.user_id).executeTakeFirst();
    if (!user || user.disabled_at !== null) return undefined;
    const session = await issueSession(deps, tx, {
      userId: user.id,
      client: 'extension',
      label: code.label,
      origin,
      authenticatedAt: code.authenticated_at,
    });
    await auditPerson(
      tx,
      now,
      { user, origin, client: 'extension' },
      'session.connected',
      { type: 'user', id: user.id, name: user.email },
      { after: { client: 'extension', label: code.label } },
    );
    return { session, user: publicUser(user) };
  });
  if (!done) throw new Refusal('unauthorized', 'The code is wrong, used or older than a minute. Connect again.');
  return done;
}
