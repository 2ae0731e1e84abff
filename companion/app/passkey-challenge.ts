import type { PasskeyAsserted } from '../../shared/contract/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/store.ts';
import type { PasskeyRow } from '../store/tables-identity.ts';
import type { Deps } from './deps.ts';
import type { KnownPasskey } from './identity-ports.ts';
import { spend } from './one-time.ts';

export const CHALLENGE_MS = 5 * 60_000;
const SEALED = 'passkey challenge';

/** What one browser was asked, once. The browser carries it sealed; nothing of it is in the database. */
export interface Challenge {
  /** base64url, 32 random bytes. */
  value: string;
  kind: 'create' | 'ask' | 'join' | 'setup';
  /** For whom a passkey is made; with `join` and `setup` somebody who is not there yet. */
  userId?: string | undefined;
  expiresAt: number;
}

/** Browsers know no passkeys for a bare address. @throws Refusal conflict */
export function requirePasskeys(deps: Deps): void {
  if (!deps.passkeys.available())
    throw new Refusal('conflict', 'Passkeys need a host name: open this server by one, such as localhost.');
}

export function newChallenge(deps: Deps, kind: Challenge['kind'], userId?: string): { value: string; sealed: string } {
  const value = Buffer.from(deps.randomBytes(32)).toString('base64url');
  const challenge: Challenge = { value, kind, userId, expiresAt: deps.now() + CHALLENGE_MS };
  return { value, sealed: deps.seal.close(SEALED, JSON.stringify(challenge)) };
}

/** The challenge that this browser was given for that kind of thing, if it still counts. */
export function openChallenge(deps: Deps, sealed: string | undefined, kind: Challenge['kind']): Challenge | undefined {
  const text = sealed === undefined ? undefined : deps.seal.open(SEALED, sealed);
  const challenge = text === undefined ? undefined : (JSON.parse(text) as Challenge);
  return challenge?.kind === kind && challenge.expiresAt > deps.now() ? challenge : undefined;
}

/** The challenge of a new passkey, with whom it is for. @throws Refusal conflict */
export function requireMaker(challenge: Challenge | undefined): Challenge & { userId: string } {
  if (!challenge?.userId)
    throw new Refusal('conflict', 'This took too long, or began in another browser. Start again.');
  return { ...challenge, userId: challenge.userId };
}

export const knownPasskey = (row: PasskeyRow): KnownPasskey => ({
  credentialId: row.credential_id,
  publicKey: row.public_key,
  counter: row.counter,
  transports: JSON.parse(row.transports) as string[],
});

const refused = () =>
  new Refusal('unauthorized', 'That passkey does not work here. Try again, or sign in another way.');

/**
 * Checks an assertion, uses the challenge up and moves the counter on, in the transaction of what it is good for.
 * @throws Refusal unauthorized, the same for an unknown passkey and a wrong signature
 */
export async function assertPasskey(
  deps: Deps,
  tx: Tx,
  credential: PasskeyAsserted,
  challenge: Challenge | undefined,
): Promise<PasskeyRow> {
  if (!challenge) throw new Refusal('unauthorized', 'This took too long, or began in another browser. Start again.');
  const now = deps.now();
  const row = await tx.selectFrom('passkey').selectAll().where('credential_id', '=', credential.id).executeTakeFirst();
  const { userHandle } = credential.response;
  const said = typeof userHandle === 'string' ? Buffer.from(userHandle, 'base64url').toString() : undefined;
  if (!row || (said !== undefined && said !== row.user_id)) throw refused();
  const verified = await deps.passkeys.verifyAsserted(credential, challenge.value, knownPasskey(row));
  if (!verified) throw refused();
  await spend(tx, challenge.value, challenge.expiresAt, now);
  await tx
    .updateTable('passkey')
    .set({ counter: verified.counter, synced: verified.synced ? 1 : 0, last_used_at: now })
    .where('id', '=', row.id)
    .execute();
  return row;
}
