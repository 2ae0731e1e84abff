import type { BodyOf } from '../../shared/contract/endpoint.ts';
import type { Passkey, PasskeyAsserted, PasskeyCreated, passkeys } from '../../shared/contract/identity.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/store.ts';
import type { PasskeyRow } from '../store/tables-identity.ts';
import { auditPerson } from './audit.ts';
import type { SessionCaller } from './caller.ts';
import { changeOwn } from './change-own.ts';
import type { Deps, Origin } from './deps.ts';
import { keepAWayIn } from './keep-a-way-in.ts';
import { spend } from './one-time.ts';
import { assertPasskey, type Challenge, knownPasskey, newChallenge, requirePasskeys } from './passkey-challenge.ts';
import { auditSignIn, issueSession, publicUser } from './sessions.ts';

const MOST = 20;

const show = (row: PasskeyRow): Passkey => ({
  id: row.id,
  name: row.name,
  synced: row.synced === 1,
  createdAt: new Date(row.created_at).toISOString(),
  lastUsedAt: row.last_used_at === null ? null : new Date(row.last_used_at).toISOString(),
});

const of = (deps: Deps, userId: string) =>
  deps.store.read
    .selectFrom('passkey')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();

/** One's own passkeys, in the order in which they were added. */
export async function listPasskeys(deps: Deps, caller: SessionCaller) {
  return { items: (await of(deps, caller.user.id)).map(show), nextCursor: null };
}

/** What the browser needs to make a passkey, and what it has to bring back. @throws Refusal conflict */
export async function startPasskey(deps: Deps, caller: SessionCaller) {
  requirePasskeys(deps);
  const known = await of(deps, caller.user.id);
  if (known.length >= MOST) throw new Refusal('conflict', `You have ${MOST} passkeys. Remove one that you don’t use.`);
  const { value, sealed } = newChallenge(deps, 'create', caller.user.id);
  return { publicKey: await deps.passkeys.creationOptions(caller.user, value, known.map(knownPasskey)), sealed };
}

/** Adds the passkey that this browser made. @throws Refusal unauthorized, conflict */
export async function addPasskey(
  deps: Deps,
  caller: SessionCaller,
  input: BodyOf<typeof passkeys.addPasskey>,
  challenge: Challenge | undefined,
): Promise<Passkey> {
  if (!challenge || challenge.userId !== caller.user.id)
    throw new Refusal('conflict', 'This took too long, or began in another browser. Start again.');
  const made = await verifyNew(deps, input.credential, challenge);
  return changeOwn(deps, caller, async ({ tx, now, user }) => {
    const row = await insertPasskey(deps, tx, { made, challenge, name: input.name, userId: user.id });
    await auditPasskey(tx, now, caller, row);
    return show(row);
  });
}

type Made = NonNullable<Awaited<ReturnType<Deps['passkeys']['verifyCreated']>>>;

/** What the browser made, checked against what it was asked. @throws Refusal conflict */
export async function verifyNew(deps: Deps, credential: PasskeyCreated, challenge: Challenge): Promise<Made> {
  const made = await deps.passkeys.verifyCreated(credential, challenge.value);
  if (!made) throw new Refusal('conflict', 'That passkey could not be verified. Start again.');
  return made;
}

/** Keeps a passkey and uses its challenge up, in the transaction of what it comes with. @throws Refusal unauthorized, conflict */
export async function insertPasskey(
  deps: Deps,
  tx: Tx,
  passkey: { made: Made; challenge: Challenge; name: string; userId: string },
): Promise<PasskeyRow> {
  const { made, challenge, name, userId } = passkey;
  const now = deps.now();
  await spend(tx, challenge.value, challenge.expiresAt, now);
  const taken = await tx
    .selectFrom('passkey')
    .select('id')
    .where('credential_id', '=', made.credentialId)
    .executeTakeFirst();
  if (taken) throw new Refusal('conflict', 'That passkey is here already.');
  const row: PasskeyRow = {
    id: deps.newId('pky'),
    user_id: userId,
    credential_id: made.credentialId,
    public_key: made.publicKey,
    counter: made.counter,
    transports: JSON.stringify(made.transports),
    name,
    synced: made.synced ? 1 : 0,
    created_at: now,
    last_used_at: null,
  };
  await tx.insertInto('passkey').values(row).execute();
  return row;
}

/** The audit row of a new passkey. */
export async function auditPasskey(
  tx: Tx,
  now: number,
  who: Parameters<typeof auditPerson>[2],
  { id, name, synced }: Pick<PasskeyRow, 'id' | 'name' | 'synced'>,
): Promise<void> {
  await auditPerson(tx, now, who, 'passkey.added', { type: 'passkey', id, name }, { after: { synced: synced === 1 } });
}

/** @throws Refusal not_found, also for somebody else's; conflict for the last way in */
export async function removePasskey(deps: Deps, caller: SessionCaller, passkeyId: string): Promise<void> {
  await changeOwn(deps, caller, async ({ tx, now, user }) => {
    const removed = await tx
      .deleteFrom('passkey')
      .where('id', '=', passkeyId)
      .where('user_id', '=', user.id)
      .returning(['name', 'synced'])
      .executeTakeFirst();
    if (!removed) throw notFound();
    await keepAWayIn(tx, user);
    const target = { type: 'passkey', id: passkeyId, name: removed.name };
    await auditPerson(tx, now, caller, 'passkey.removed', target, { before: { synced: removed.synced === 1 } });
  });
}

/** What the browser needs to ask for any passkey of this server, and what it has to bring back. */
export async function challengePasskey(deps: Deps) {
  requirePasskeys(deps);
  const { value, sealed } = newChallenge(deps, 'ask');
  return { publicKey: await deps.passkeys.requestOptions(value), sealed };
}

/** Signs a browser in with a passkey alone: it proves possession, and the person was verified by PIN or biometrics. */
export async function signInWithPasskey(
  deps: Deps,
  credential: PasskeyAsserted,
  challenge: Challenge | undefined,
  origin: Origin,
  label: string,
) {
  await deps.throttle.attempt('sign_in', `passkey ${credential.id}`, origin.ip);
  const done = await deps.store.transact(async (tx) => {
    const passkey = await assertPasskey(deps, tx, credential, challenge);
    const user = await tx.selectFrom('user').selectAll().where('id', '=', passkey.user_id).executeTakeFirst();
    if (!user || user.disabled_at !== null) throw new Refusal('unauthorized', 'This account is closed.');
    const session = await issueSession(deps, tx, {
      userId: user.id,
      client: 'web',
      label,
      origin,
      authenticatedAt: deps.now(),
    });
    await auditSignIn(tx, deps.now(), { user, origin, client: 'web' }, 'passkey');
    return { session, user: publicUser(user) };
  });
  await deps.throttle.forgive('sign_in', `passkey ${credential.id}`, origin.ip);
  return done;
}
