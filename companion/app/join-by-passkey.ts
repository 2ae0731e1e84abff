import type { BodyOf } from '../../shared/contract/endpoint.ts';
import type { passkeys } from '../../shared/contract/identity.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { insertInvited, joinByInvitation, openInvitation } from './accept-invitation.ts';
import type { Deps, Origin } from './deps.ts';
import { findOpenInvitation } from './invitations.ts';
import { type Challenge, newChallenge, requireMaker, requirePasskeys } from './passkey-challenge.ts';
import { auditPasskey, insertPasskey, verifyNew } from './passkeys.ts';
import { hashToken, issueSession } from './sessions.ts';

const known = () => new Refusal('conflict', 'There is an account of this address. Sign in, then accept.');

/**
 * What the browser of an invited person needs to make the passkey that they join with, and what it has to bring back.
 * @throws Refusal not_found for an invitation that can't be accepted; conflict when there is an account of that address
 */
export async function startJoin(deps: Deps, input: BodyOf<typeof passkeys.startJoinWithPasskey>, origin: Origin) {
  requirePasskeys(deps);
  const invitation = await openInvitation(deps, input.token, undefined, origin);
  if (invitation.known) throw known();
  const user = { id: deps.newId('usr'), name: input.name, email: invitation.email };
  const { value, sealed } = newChallenge(deps, 'join', user.id);
  return { publicKey: await deps.passkeys.creationOptions(user, value, []), sealed };
}

/**
 * A new person joins with a passkey and no password: account, passkey, membership and session in one transaction.
 * @throws Refusal not_found, conflict
 */
export async function joinWithPasskey(
  deps: Deps,
  input: BodyOf<typeof passkeys.joinWithPasskey>,
  given: Challenge | undefined,
  origin: Origin,
  label: string,
) {
  await deps.throttle.attempt('token', hashToken(input.token), origin.ip);
  const challenge = requireMaker(given);
  const id = challenge.userId;
  const made = await verifyNew(deps, input.credential, challenge);
  return deps.store.transact(async (tx) => {
    const now = deps.now();
    const row = await findOpenInvitation(tx, input.token, now);
    if (!row) throw notFound();
    const user = { id, name: input.name, email: row.email };
    await insertInvited(deps, tx, row, { id, name: input.name, passwordHash: null }, now);
    await joinByInvitation(deps, tx, row, id, { now, origin, client: 'web' });
    const passkey = await insertPasskey(deps, tx, { made, challenge, name: label, userId: id });
    await auditPasskey(tx, now, { user, origin, client: 'web' }, passkey);
    const session = await issueSession(deps, tx, { userId: id, client: 'web', label, origin, authenticatedAt: now });
    return { session, user };
  });
}
