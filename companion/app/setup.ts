import type { BodyOf } from '../../shared/contract/endpoint.ts';
import type { people } from '../../shared/contract/people.ts';
import { randomBase62 } from '../../shared/key-format.ts';
import { badField, Refusal } from '../domain/refusal.ts';
import type { Reading, Tx } from '../store/store.ts';
import type { SessionRow, UserRow } from '../store/tables.ts';
import { audit } from './audit.ts';
import type { Deps, Origin } from './deps.ts';
import { insertMembership, insertUser, type NewUser } from './new-member.ts';
import { hashToken, issueSession } from './sessions.ts';

/**
 * Makes a setup token while there is no owner, so that the start can print the link. Each start makes another; all work
 * until one is used.
 * @param given a token from the configuration instead of a random one
 * @returns the token, or undefined when the workspace is there
 */
export async function openSetup(deps: Deps, given: string | undefined): Promise<string | undefined> {
  if (await isSetUp(deps.store.read)) return undefined;
  const token = given ?? randomBase62((n) => deps.randomBytes(n), 32);
  await deps.store.transact(async (tx) => {
    await tx
      .insertInto('setup_token')
      .values({ token_hash: hashToken(token), created_at: deps.now() })
      .onConflict((c) => c.doNothing())
      .execute();
  });
  return token;
}

const wrong = () =>
  new Refusal('unauthorized', 'The setup token is wrong; use the link that the companion printed at its start.');

/** @throws Refusal unauthorized */
async function spendSetupToken(tx: Tx, token: string): Promise<void> {
  const known = await tx.deleteFrom('setup_token').where('token_hash', '=', hashToken(token)).executeTakeFirst();
  if (!known.numDeletedRows) throw wrong();
  // Each start made one of its own: none of them is good any more.
  await tx.deleteFrom('setup_token').execute();
}

async function insertWorkspace({ newId, config }: Deps, tx: Tx, name: string, now: number): Promise<string> {
  const id = newId('ws');
  await tx
    .insertInto('workspace')
    .values({
      id,
      name,
      plan: config.plan,
      key_limit: config.keyLimit,
      max_key_lifetime_days: null,
      created_at: now,
    })
    .execute();
  return id;
}

const done = () => new Refusal('conflict', 'This companion is set up already.');

/** Whether there is a workspace. */
export const isSetUp = async (db: Reading): Promise<boolean> =>
  (await db.selectFrom('workspace').select('id').executeTakeFirst()) !== undefined;

/** Looks at a setup token without using it up. @throws Refusal conflict, unauthorized, rate_limited */
export async function requireSetupToken(deps: Deps, token: string, origin: Origin): Promise<void> {
  await deps.throttle.attempt('token', hashToken(token), origin.ip);
  const { read } = deps.store;
  if (await isSetUp(read)) throw done();
  const known = read.selectFrom('setup_token').select('created_at').where('token_hash', '=', hashToken(token));
  if (!(await known.executeTakeFirst())) throw wrong();
}

/** A workspace and the account of its owner, in one transaction. @throws Refusal conflict, unauthorized */
export async function makeWorkspace(
  deps: Deps,
  tx: Tx,
  input: Omit<BodyOf<typeof people.setup>, 'password'> & Pick<NewUser, 'id' | 'passwordHash'>,
  by: { now: number; origin: Origin; client: SessionRow['client'] },
): Promise<{ user: UserRow; workspaceId: string }> {
  if (await isSetUp(tx)) throw done();
  await spendSetupToken(tx, input.token);
  const { token: _, workspace, ...person } = input;
  // Only of a workspace that plain SQL deleted: its people stay.
  const known = await tx.selectFrom('user').select('id').where('email', '=', person.email).executeTakeFirst();
  if (known) throw badField('email', 'belongs to an account that is here already: give another');
  const workspaceId = await insertWorkspace(deps, tx, workspace, by.now);
  const user = await insertUser(deps, tx, person, by.now);
  const membershipId = await insertMembership(deps, tx, { workspaceId, userId: user.id, role: 'owner' }, by.now);
  await deps.store.startAudit(tx, workspaceId);
  await audit(tx, {
    workspaceId,
    at: by.now,
    actor: { type: 'member', id: membershipId, name: user.email },
    action: 'workspace.created',
    target: { type: 'workspace', id: workspaceId, name: workspace },
    origin: by.origin,
    client: by.client,
  });
  return { user, workspaceId };
}

/** Makes the workspace and its owner, who signs in by password, once. @throws Refusal conflict, unauthorized, rate_limited */
export async function setUp(
  deps: Deps,
  { password, ...input }: BodyOf<typeof people.setup>,
  origin: Origin,
  client: SessionRow['client'] = 'api',
  label = 'Setup',
) {
  // Hashing is slow on purpose: not for whoever tries tokens.
  await requireSetupToken(deps, input.token, origin);
  const passwordHash = await deps.passwords.hash(password);
  return deps.store.transact(async (tx) => {
    const now = deps.now();
    const made = await makeWorkspace(deps, tx, { ...input, passwordHash }, { now, origin, client });
    const { user, workspaceId } = made;
    const session = await issueSession(deps, tx, { userId: user.id, client, label, origin, authenticatedAt: now });
    return {
      session,
      user: { id: user.id, name: user.name, email: user.email },
      workspace: { id: workspaceId, name: input.workspace },
    };
  });
}
