import { Refusal } from '../domain/refusal.ts';
import { ScimError } from '../domain/scim/error.ts';
import { patchUser } from '../domain/scim/patch.ts';
import { emailOf, foldUserName, type GivenUser, nameOf, readUser, type ScimUser } from '../domain/scim/user.ts';
import type { Tx } from '../store/store.ts';
import type { UserRow } from '../store/tables.ts';
import { audit } from './audit.ts';
import type { Deps } from './deps.ts';
import { forgetAddress, forgetLinks, forgetSecrets } from './forget-credentials.ts';
import { insertUser } from './new-member.ts';
import { activate, byScim, deactivate, deactivationOf, type ScimChange, targetOf } from './scim-activation.ts';
import { isKnownElsewhere } from './scim-exclusion.ts';
import { findPerson, resourceOf, type ScimPerson, type ScimResource, userOf } from './scim-resources.ts';
import type { ScimCaller } from './scim-tokens.ts';

/** One change by an identity provider; the token is looked at again inside the transaction. @throws Refusal unauthorized */
async function changeByScim<T>(deps: Deps, caller: ScimCaller, work: (change: ScimChange) => Promise<T>): Promise<T> {
  const afterwards: (() => void)[] = [];
  const result = await deps.store.transact(async (tx) => {
    const token = await tx.selectFrom('scim_token').select('id').where('id', '=', caller.token.id).executeTakeFirst();
    if (!token) throw new Refusal('unauthorized');
    return work({ deps, tx, now: deps.now(), caller, afterwards });
  });
  for (const tell of afterwards) tell();
  return result;
}

/** A resource that was read before must not have changed since (RFC 7644, 3.14). @throws ScimError 412 */
export type Precondition = (resource: ScimResource) => void;

export async function readScimUser(deps: Deps, caller: ScimCaller, userId: string): Promise<ScimResource> {
  return resourceOf(deps, await findPerson(deps.store.read, caller.workspaceId, userId));
}

/** @throws ScimError 409 uniqueness when this workspace has this user name, external id or address, or another one the account */
export async function createScimUser(deps: Deps, caller: ScimCaller, body: unknown): Promise<ScimResource> {
  const { active = true, ...user } = readUser(body);
  return changeByScim(deps, caller, async (change) => {
    const { tx, now } = change;
    const account = await tx.selectFrom('user').selectAll().where('email', '=', emailOf(user)).executeTakeFirst();
    const userId = account?.id ?? deps.newId('usr');
    await refuseDoubles(tx, caller.workspaceId, user, account ? undefined : userId);
    if (account) await takeIn(change, account);
    else await insertUser(deps, tx, { id: userId, name: nameOf(user), email: emailOf(user), passwordHash: null }, now);
    await tx
      .insertInto('scim_user')
      .values({
        workspace_id: caller.workspaceId,
        user_id: userId,
        ...columnsOf(user),
        deactivated_at: active ? null : now,
        created_at: now,
        modified_at: now,
      })
      .execute();
    if (active) await activate(change, userId);
    else await createInactive(change, userId);
    return resourceOf(deps, await findPerson(tx, caller.workspaceId, userId));
  });
}

/**
 * Takes in an account that was there before, which no workspace has now. Whoever could sign in to it can't any more: an address that
 * is equal proves nothing about who set its password.
 * @throws ScimError 409 uniqueness when another workspace has it: a token of this one gets no hold on it
 */
async function takeIn(change: ScimChange, account: UserRow): Promise<void> {
  const { tx, now, caller } = change;
  const userId = account.id;
  if (await isKnownElsewhere(tx, { workspaceId: caller.workspaceId, userId }))
    throw new ScimError(
      409,
      'Another workspace has the account of this address; invite the person instead',
      'uniqueness',
    );
  await forgetSecrets(change, account);
  await forgetLinks(change, account.id);
  // Ends the sessions, and what could become one.
  await tx.updateTable('user').set({ disabled_at: now }).where('id', '=', userId).execute();
}

async function createInactive(change: ScimChange, userId: string): Promise<void> {
  const { tx, now, caller } = change;
  await deactivate(change, userId, 'remove');
  const target = targetOf(await findPerson(tx, caller.workspaceId, userId));
  const entry = { workspaceId: caller.workspaceId, at: now, ...byScim(caller) };
  await audit(tx, { ...entry, action: 'user.provisioned', target, after: { active: false } });
}

/** Replaces what is known; `active` stays as it is where it is not given. @throws ScimError */
export async function replaceScimUser(
  deps: Deps,
  caller: ScimCaller,
  userId: string,
  body: unknown,
  check: Precondition,
): Promise<ScimResource> {
  const given = readUser(body);
  return update(deps, caller, userId, check, () => given);
}

/** @throws ScimError */
export async function patchScimUser(
  deps: Deps,
  caller: ScimCaller,
  userId: string,
  body: unknown,
  check: Precondition,
): Promise<ScimResource> {
  return update(deps, caller, userId, check, (old) => patchUser(old, body));
}

async function update(
  deps: Deps,
  caller: ScimCaller,
  userId: string,
  check: Precondition,
  to: (old: Omit<ScimUser, 'active'>) => GivenUser,
): Promise<ScimResource> {
  return changeByScim(deps, caller, async (change) => {
    const { tx } = change;
    const person = await findPerson(tx, caller.workspaceId, userId);
    check(resourceOf(deps, person));
    const old = userOf(person);
    const { active, ...known } = old;
    const given = to(known);
    const next = { ...given, active: given.active ?? active };
    await describe(change, person, old, next);
    // An admin's removal leaves the account open; what the identity provider asks for is more than that.
    if (given.active === false && (active || person.disabled_at === null)) await deactivateKnown(change, person);
    if (!active && next.active) {
      await activate(change, userId);
      await setDeactivated(change, userId, null);
    }
    return resourceOf(deps, await findPerson(tx, caller.workspaceId, userId));
  });
}

async function deactivateKnown(change: ScimChange, person: ScimPerson): Promise<void> {
  const outcome = await deactivate(change, person.id, await deactivationOf(change));
  if (outcome === 'shut out') await recordShutOut(change, person);
  // The time of one's own suspension tells it from an admin's, so it is kept.
  if (outcome === 'membership ended' || person.deactivated_at === null)
    await setDeactivated(change, person.id, change.now);
}

async function setDeactivated({ tx, caller }: ScimChange, userId: string, at: number | null): Promise<void> {
  await tx
    .updateTable('scim_user')
    .set({ deactivated_at: at })
    .where('workspace_id', '=', caller.workspaceId)
    .where('user_id', '=', userId)
    .execute();
}

/** The audit row where no membership ended with it. */
async function recordShutOut({ tx, now, caller }: ScimChange, person: ScimPerson): Promise<void> {
  const entry = { workspaceId: caller.workspaceId, at: now, ...byScim(caller) };
  const change = { before: { active: true }, after: { active: false } };
  await audit(tx, { ...entry, action: 'user.deprovisioned', target: targetOf(person), ...change });
}

/** Writes everything but `active`, and the account's name and address with it. */
async function describe(change: ScimChange, person: ScimPerson, old: ScimUser, next: ScimUser): Promise<void> {
  const { tx, now, caller } = change;
  await refuseDoubles(tx, caller.workspaceId, next, person.id);
  const columns = columnsOf(next);
  const changed = columns.attributes !== columnsOf(old).attributes;
  if (person.attributes !== null && !changed && old.active === next.active) return;
  await tx
    .insertInto('scim_user')
    .values({
      workspace_id: caller.workspaceId,
      user_id: person.id,
      ...columns,
      deactivated_at: null,
      created_at: now,
      modified_at: now,
    })
    .onConflict((c) => c.columns(['workspace_id', 'user_id']).doUpdateSet({ ...columns, modified_at: now }))
    .execute();
  if (!changed) return;
  const account = { name: nameOf(next), email: emailOf(next) };
  if (!(await isKnownElsewhere(tx, { workspaceId: caller.workspaceId, userId: person.id }))) {
    await tx.updateTable('user').set(account).where('id', '=', person.id).execute();
    if (account.email !== person.email) await forgetAddress(change, person);
  }
  await audit(tx, {
    workspaceId: caller.workspaceId,
    at: now,
    ...byScim(caller),
    action: 'user.changed',
    target: targetOf(person),
    ...differences(old, next),
  });
}

/**
 * The resource is gone: whoever it was is removed, their account closed, and with it password and passkeys forgotten: the address
 * may be somebody else's by the time it comes again. Links to an identity provider stay until then: who comes from there is known
 * as the one whose account is closed, with whatever address, and does not join as somebody new.
 * @throws ScimError 404
 */
export async function deleteScimUser(
  deps: Deps,
  caller: ScimCaller,
  userId: string,
  check: Precondition,
): Promise<void> {
  await changeByScim(deps, caller, async (change) => {
    const { tx } = change;
    const person = await findPerson(tx, caller.workspaceId, userId);
    check(resourceOf(deps, person));
    if (!(await isKnownElsewhere(tx, { workspaceId: caller.workspaceId, userId }))) await forgetSecrets(change, person);
    await deactivate(change, userId, 'remove');
    await tx
      .deleteFrom('scim_user')
      .where('workspace_id', '=', caller.workspaceId)
      .where('user_id', '=', userId)
      .execute();
    await tx
      .deleteFrom('former_member')
      .where('workspace_id', '=', caller.workspaceId)
      .where('user_id', '=', userId)
      .execute();
    // A removal has its audit row from the trigger.
    if (person.membership_id === null) await recordShutOut(change, person);
  });
}

function columnsOf(user: GivenUser) {
  const { active: _active, userName, externalId, displayName, name, emails } = user;
  const attributes = { userName, externalId, displayName, name, emails };
  return {
    user_name_folded: foldUserName(userName),
    external_id: externalId ?? null,
    attributes: JSON.stringify(attributes),
  };
}

function differences(old: ScimUser, next: ScimUser): { before: object; after: object } {
  const names = (['userName', 'externalId', 'displayName', 'name', 'emails'] as const).filter(
    (n) => JSON.stringify(old[n]) !== JSON.stringify(next[n]),
  );
  const pick = (user: ScimUser) => Object.fromEntries(names.map((n) => [n, user[n] ?? null]));
  return { before: pick(old), after: pick(next) };
}

/** @throws ScimError 409 uniqueness when somebody but `self` has this user name, external id or address */
async function refuseDoubles(
  tx: Tx,
  workspaceId: string,
  user: Omit<ScimUser, 'active'>,
  self: string | undefined,
): Promise<void> {
  const folded = foldUserName(user.userName);
  const taken = (what: string) => new ScimError(409, `${what} is taken by another user`, 'uniqueness');
  const known = await tx
    .selectFrom('scim_user')
    .select(['user_name_folded', 'external_id'])
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '<>', self ?? '')
    .where((is) => is.or([is('user_name_folded', '=', folded), is('external_id', '=', user.externalId ?? null)]))
    .executeTakeFirst();
  if (known) throw taken(known.user_name_folded === folded ? 'userName' : 'externalId');
  const account = await tx
    .selectFrom('user')
    .leftJoin('membership', (on) =>
      on.onRef('membership.user_id', '=', 'user.id').on('membership.workspace_id', '=', workspaceId),
    )
    .leftJoin('scim_user', (on) =>
      on.onRef('scim_user.user_id', '=', 'user.id').on('scim_user.workspace_id', '=', workspaceId),
    )
    .select(['user.email', 'membership.id as membership_id', 'scim_user.user_id as provisioned'])
    .where('user.email', 'in', [emailOf(user), folded])
    .where('user.id', '<>', self ?? '')
    .execute();
  for (const { email, membership_id, provisioned } of account) {
    if (email === emailOf(user) && (self !== undefined || membership_id !== null || provisioned !== null))
      throw taken('The e-mail address');
    if (email === folded && membership_id !== null && provisioned === null) throw taken('userName');
  }
}
