import { email as emailField, personName } from '../../shared/contract/fields.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { decideArrival, type SsoDecision } from '../domain/single-sign-on.ts';
import type { Tx } from '../store/store.ts';
import type { UserRow } from '../store/tables.ts';
import type { IdentityRow, SsoRow } from '../store/tables-identity.ts';
import { joinByInvitation } from './accept-invitation.ts';
import { audit, auditPerson } from './audit.ts';
import { authorize, type SessionCaller } from './caller.ts';
import { changeOwn } from './change-own.ts';
import type { Deps, Origin } from './deps.ts';
import type { OidcPerson } from './identity-ports.ts';
import { findOpenInvitation } from './invitations.ts';
import { hasNoWayIn } from './keep-a-way-in.ts';
import { insertMembership, insertUser } from './new-member.ts';
import { spend } from './one-time.ts';
import { auditSignIn, type IssuedSession, issueSession } from './sessions.ts';
import type { Attempt } from './sso-attempt.ts';
import { findSso, providerOf } from './sso-settings.ts';
import { confirmSessions } from './step-up.ts';

/** What a decision that lets nobody in says to the person. */
const REFUSED: Partial<Record<SsoDecision, () => Refusal>> = {
  not_verified: () =>
    new Refusal('forbidden', 'The identity provider did not say that your e-mail address is verified.'),
  link_first: () =>
    new Refusal(
      'conflict',
      'There is an account with your e-mail address. Sign in to it with your password or passkey, then link single sign-on in your account.',
    ),
  other_address: notFound,
  unknown: () => new Refusal('forbidden', 'Nobody here has this account. Ask an admin for an invitation.'),
};

/**
 * Finishes what was begun at the provider.
 * @param attempt what this browser carried
 * @param callback the redirect URI with the parameters that came back
 * @param caller who is signed in in this browser, if anybody
 * @returns the session to sign the browser in with, for the purposes that do
 * @throws Refusal with words for the person
 */
export async function finishSso(
  deps: Deps,
  attempt: Attempt,
  callback: URL,
  caller: SessionCaller | undefined,
  origin: Origin,
  label: string,
): Promise<IssuedSession | undefined> {
  const row = await findSso(deps.store.read, attempt.workspaceId);
  if (row?.issuer !== attempt.issuer || row.client_id !== attempt.clientId)
    throw new Refusal('unauthorized', 'Single sign-on was changed meanwhile. Start again.');
  const again = attempt.purpose === 'confirm';
  const said = await deps.oidc.finish(providerOf(deps, row), callback, attempt, again);
  const person = { ...said, email: emailField.safeParse(said.email).data };
  if (attempt.purpose === 'link' || attempt.purpose === 'confirm') {
    if (!caller || caller.user.id !== attempt.userId)
      throw new Refusal('unauthorized', 'You are not signed in as the person who began this.');
    if (attempt.purpose === 'link') await link(deps, attempt, person, caller);
    else await confirm(deps, attempt, person, caller);
    return undefined;
  }
  return arrive(deps, attempt, person, row, origin, label);
}

const findIdentity = (tx: Tx, person: OidcPerson): Promise<IdentityRow | undefined> =>
  tx
    .selectFrom('identity')
    .selectAll()
    .where('issuer', '=', person.issuer)
    .where('subject', '=', person.subject)
    .executeTakeFirst();

async function arrive(deps: Deps, attempt: Attempt, person: OidcPerson, row: SsoRow, origin: Origin, label: string) {
  return deps.store.transact(async (tx) => {
    const now = deps.now();
    await spend(tx, attempt.state, attempt.expiresAt, now);
    const known = await findIdentity(tx, person);
    const invitation =
      attempt.invitationToken === undefined ? undefined : await findOpenInvitation(tx, attempt.invitationToken, now);
    if (attempt.invitationToken !== undefined && !invitation) throw notFound();
    const sameAddress =
      person.email === undefined
        ? undefined
        : await tx.selectFrom('user').selectAll().where('email', '=', person.email).executeTakeFirst();
    const decision = decideArrival({
      linked: known !== undefined,
      addressKnown: sameAddress !== undefined,
      awaited: sameAddress !== undefined && (await isAwaited(tx, row.workspace_id, sameAddress)),
      email: person.email,
      emailVerified: person.emailVerified,
      domains: JSON.parse(row.domains) as string[],
      invited: invitation?.email,
    });
    const refused = REFUSED[decision]?.();
    if (refused) throw refused;
    const account = known?.user_id ?? (decision === 'first_sign_in' ? sameAddress?.id : undefined);
    const user = account === undefined ? await insertPerson(deps, tx, person, now) : await personOf(tx, account);
    if (known) await tx.updateTable('identity').set({ last_used_at: now }).where('id', '=', known.id).execute();
    if (invitation) {
      if (user.email !== invitation.email) throw notFound();
      await joinByInvitation(deps, tx, invitation, user.id, { now, origin, client: 'web' });
    } else if (account === undefined) await joinByDomain(deps, tx, row.workspace_id, user, now, origin);
    if (!known) await insertIdentity(deps, tx, person, user, origin);
    const session = await issueSession(deps, tx, {
      userId: user.id,
      client: 'web',
      label,
      origin,
      // The provider may have recognised them by a sign-in of hours ago: that is not a recent one, nor is one of unknown age.
      authenticatedAt: Math.min(now, person.authTime ?? 0),
    });
    await auditSignIn(tx, now, { user, origin, client: 'web' }, 'single sign-on');
    return session;
  });
}

/** Made by this workspace's identity provider, and not signed in to by anybody yet. */
async function isAwaited(tx: Tx, workspaceId: string, user: UserRow): Promise<boolean> {
  const provisioned = await tx
    .selectFrom('scim_user')
    .select('user_id')
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', user.id)
    .executeTakeFirst();
  return provisioned !== undefined && (await hasNoWayIn(tx, user));
}

async function personOf(tx: Tx, userId: string): Promise<UserRow> {
  const user = await tx.selectFrom('user').selectAll().where('id', '=', userId).executeTakeFirst();
  if (!user || user.disabled_at !== null)
    throw new Refusal('forbidden', 'This account was closed by your identity provider.');
  return user;
}

async function insertPerson(deps: Deps, tx: Tx, person: OidcPerson, now: number): Promise<UserRow> {
  const email = person.email as string;
  const name = personName.safeParse(person.name).data ?? email.slice(0, email.indexOf('@'));
  return insertUser(deps, tx, { name, email, passwordHash: null }, now);
}

async function joinByDomain(deps: Deps, tx: Tx, workspaceId: string, user: UserRow, now: number, origin: Origin) {
  const id = await insertMembership(deps, tx, { workspaceId, userId: user.id, role: 'member' }, now);
  await audit(tx, {
    workspaceId,
    at: now,
    actor: { type: 'member', id, name: user.email },
    action: 'member.joined',
    target: { type: 'member', id, name: user.email },
    after: { role: 'member', by: 'single sign-on' },
    origin,
    client: 'web',
  });
}

async function insertIdentity(deps: Deps, tx: Tx, person: OidcPerson, user: UserRow, origin: Origin) {
  const [id, now] = [deps.newId('idt'), deps.now()];
  await tx
    .insertInto('identity')
    .values({
      id,
      user_id: user.id,
      issuer: person.issuer,
      subject: person.subject,
      email: person.email ?? null,
      linked_at: now,
      last_used_at: now,
    })
    .execute();
  const target = { type: 'identity', id, name: person.email ?? person.issuer };
  await auditPerson(tx, now, { user, origin, client: 'web' }, 'identity.linked', target, {
    after: { issuer: person.issuer },
  });
}

async function link(deps: Deps, attempt: Attempt, person: OidcPerson, caller: SessionCaller): Promise<void> {
  await changeOwn(deps, caller, async ({ tx, now, user }) => {
    await spend(tx, attempt.state, attempt.expiresAt, now);
    await authorize(tx, user.id, attempt.workspaceId, 'workspace.read');
    const known = await findIdentity(tx, person);
    if (known && known.user_id !== user.id)
      throw new Refusal('conflict', 'That account at the identity provider is linked to somebody else.');
    if (!known) await insertIdentity(deps, tx, person, user, caller.origin);
  });
}

async function confirm(deps: Deps, attempt: Attempt, person: OidcPerson, caller: SessionCaller): Promise<void> {
  await changeOwn(deps, caller, async ({ tx, now, user }) => {
    await spend(tx, attempt.state, attempt.expiresAt, now);
    const known = await findIdentity(tx, person);
    if (known?.user_id !== user.id)
      throw new Refusal('forbidden', 'That account at the identity provider is not linked to you.');
    await confirmSessions(tx, caller, attempt.sessionId ?? caller.session.id, now);
  });
}
