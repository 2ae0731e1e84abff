import type { BodyOf } from '../../shared/contract/endpoint.ts';
import type { passkeys } from '../../shared/contract/identity.ts';
import type { Deps, Origin } from './deps.ts';
import { type Challenge, newChallenge, requireMaker, requirePasskeys } from './passkey-challenge.ts';
import { auditPasskey, insertPasskey, verifyNew } from './passkeys.ts';
import { hashToken, issueSession, publicUser } from './sessions.ts';
import { makeWorkspace, requireSetupToken } from './setup.ts';

/**
 * What the browser of the first person needs to make the passkey that they sign in with, and what it has to bring back.
 * @throws Refusal unauthorized for a wrong setup token; conflict when there is a workspace, or no passkeys here
 */
export async function startSetup(deps: Deps, input: BodyOf<typeof passkeys.startSetupWithPasskey>, origin: Origin) {
  requirePasskeys(deps);
  await requireSetupToken(deps, input.token, origin);
  const user = { id: deps.newId('usr'), name: input.name, email: input.email };
  const { value, sealed } = newChallenge(deps, 'setup', user.id);
  return { publicKey: await deps.passkeys.creationOptions(user, value, []), sealed };
}

/**
 * Makes the workspace and its owner, who has a passkey and no password: all of it in one transaction, once.
 * @throws Refusal unauthorized, conflict
 */
export async function setUpWithPasskey(
  deps: Deps,
  { credential, ...input }: BodyOf<typeof passkeys.setUpWithPasskey>,
  given: Challenge | undefined,
  origin: Origin,
  label: string,
) {
  await deps.throttle.attempt('token', hashToken(input.token), origin.ip);
  const challenge = requireMaker(given);
  const id = challenge.userId;
  const made = await verifyNew(deps, credential, challenge);
  return deps.store.transact(async (tx) => {
    const now = deps.now();
    const { user } = await makeWorkspace(
      deps,
      tx,
      { ...input, id, passwordHash: null },
      { now, origin, client: 'web' },
    );
    const passkey = await insertPasskey(deps, tx, { made, challenge, name: label, userId: id });
    await auditPasskey(tx, now, { user, origin, client: 'web' }, passkey);
    const session = await issueSession(deps, tx, { userId: id, client: 'web', label, origin, authenticatedAt: now });
    return { session, user: publicUser(user) };
  });
}
