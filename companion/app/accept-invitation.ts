import type { BodyOf } from '../../shared/contract/endpoint.ts';
import type { people } from '../../shared/contract/people.ts';
import { badField, notFound, Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/store.ts';
import type { InvitationRow, SessionRow } from '../store/tables.ts';
import { audit } from './audit.ts';
import type { SessionCaller } from './caller.ts';
import type { Deps, Origin } from './deps.ts';
import { findOpenInvitation } from './invitations.ts';
import { insertMembership, insertUser } from './new-member.ts';
import { isExcluded } from './scim-exclusion.ts';
import { hashToken, issueSession } from './sessions.ts';

type Input = BodyOf<typeof people.acceptInvitation>;

/** What the holder of an invitation is shown before accepting. */
export interface OpenedInvitation {
  workspaceId: string;
  workspaceName: string;
  keyLimit: number;
  email: string;
  role: InvitationRow['role'];
  invitedBy: string;
  expiresAt: number;
  /** Whether there is an account of that address, which has to sign in to accept. */
  known: boolean;
}

/**
 * Looks at an invitation without using it up.
 * @throws Refusal not_found, the same for one that is used, expired, withdrawn, unknown or somebody else's
 */
export async function openInvitation(
  deps: Deps,
  token: string,
  caller: SessionCaller | undefined,
  origin: Origin,
): Promise<OpenedInvitation> {
  await deps.throttle.attempt('token', hashToken(token), origin.ip);
  const row = await findOpenInvitation(deps.store.read, token, deps.now());
  if (!row || (caller && caller.user.email !== row.email)) throw notFound();
  const workspace = await deps.store.read
    .selectFrom('workspace')
    .select(['name', 'key_limit'])
    .where('id', '=', row.workspace_id)
    .executeTakeFirst();
  const user = await deps.store.read.selectFrom('user').select('id').where('email', '=', row.email).executeTakeFirst();
  return {
    workspaceId: row.workspace_id,
    workspaceName: workspace?.name ?? '',
    keyLimit: workspace?.key_limit ?? 0,
    email: row.email,
    role: row.role,
    invitedBy: (JSON.parse(row.invited_by) as { name: string }).name,
    expiresAt: row.expires_at,
    known: user !== undefined,
  };
}

/**
 * Joins a workspace, once for each invitation: as a new person with name and password, or with the session of the person whose
 * address was invited.
 * @throws Refusal not_found for every invitation that can't be accepted by this person; conflict when there is an account
 *   of that address which has not signed in, or when they are a member already
 */
export async function acceptInvitation(
  deps: Deps,
  input: Input,
  caller: SessionCaller | undefined,
  origin: Origin,
  client: SessionRow['client'] = 'api',
  label = 'Invitation',
) {
  await deps.throttle.attempt('token', hashToken(input.token), origin.ip);
  const first = await findOpenInvitation(deps.store.read, input.token, deps.now());
  if (!first || (caller && caller.user.email !== first.email)) throw notFound();
  const person = caller ? undefined : await newPerson(deps, input);
  return deps.store.transact(async (tx) => {
    const now = deps.now();
    const row = await findOpenInvitation(tx, input.token, now);
    if (!row) throw notFound();
    const user = person ? await insertInvited(deps, tx, row, person, now) : await signedIn(tx, caller, row);
    const membership = await joinByInvitation(deps, tx, row, user.id, { now, origin, client });
    if (caller) return { membership };
    const session = await issueSession(deps, tx, { userId: user.id, client, label, origin, authenticatedAt: now });
    return { session, membership };
  });
}

async function newPerson(deps: Deps, input: Input): Promise<{ name: string; passwordHash: string }> {
  if (input.name === undefined) throw badField('name', 'is required');
  if (input.password === undefined) throw badField('password', 'is required');
  return { name: input.name, passwordHash: await deps.passwords.hash(input.password) };
}

/** The account of a new person. @throws Refusal conflict when there is one of that address */
export async function insertInvited(
  deps: Deps,
  tx: Tx,
  row: InvitationRow,
  person: { id?: string; name: string; passwordHash: string | null },
  now: number,
): Promise<{ id: string }> {
  const known = await tx.selectFrom('user').select('id').where('email', '=', row.email).executeTakeFirst();
  if (known) throw new Refusal('conflict', 'There is an account of this address. Sign in, then accept.');
  return insertUser(deps, tx, { ...person, email: row.email }, now);
}

/** The person again, inside the transaction: their session may have ended meanwhile. */
async function signedIn(tx: Tx, caller: SessionCaller | undefined, row: InvitationRow): Promise<{ id: string }> {
  const session = await tx
    .selectFrom('session')
    .innerJoin('user', 'user.id', 'session.user_id')
    .select(['user.id', 'user.email', 'user.disabled_at'])
    .where('session.id', '=', caller?.session.id ?? '')
    .executeTakeFirst();
  if (!session || session.disabled_at !== null) throw new Refusal('unauthorized', 'The session has ended.');
  if (session.email !== row.email) throw notFound();
  return { id: session.id };
}

/** Uses an invitation up, in the transaction of the sign-in that goes with it. @throws Refusal not_found, conflict */
export async function joinByInvitation(
  deps: Deps,
  tx: Tx,
  row: InvitationRow,
  userId: string,
  how: { now: number; origin: Origin; client: SessionRow['client'] },
) {
  const membership = await join(deps, tx, row, userId, how.now);
  await audit(tx, {
    workspaceId: row.workspace_id,
    at: how.now,
    actor: { type: 'member', id: membership.id, name: row.email },
    action: 'member.joined',
    target: { type: 'member', id: membership.id, name: row.email },
    after: { role: row.role, invitation: row.id },
    origin: how.origin,
    client: how.client,
  });
  return membership;
}

async function join(deps: Deps, tx: Tx, row: InvitationRow, userId: string, now: number) {
  const [workspace, known] = await Promise.all([
    tx.selectFrom('workspace').select('name').where('id', '=', row.workspace_id).executeTakeFirst(),
    tx
      .selectFrom('membership')
      .select('id')
      .where('workspace_id', '=', row.workspace_id)
      .where('user_id', '=', userId)
      .executeTakeFirst(),
  ]);
  if (!workspace) throw notFound();
  if (known) throw new Refusal('conflict', 'You are a member already.');
  if (await isExcluded(tx, { workspaceId: row.workspace_id, userId }))
    throw new Refusal(
      'conflict',
      'The identity provider took your access to this workspace away. It can give it back there.',
    );
  const id = await insertMembership(deps, tx, { workspaceId: row.workspace_id, userId, role: row.role }, now);
  await tx.updateTable('invitation').set({ accepted_at: now }).where('id', '=', row.id).execute();
  return {
    id,
    workspaceId: row.workspace_id,
    workspaceName: workspace.name,
    role: row.role,
    status: 'active' as const,
  };
}
