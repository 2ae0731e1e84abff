import type { BodyOf } from '../../shared/contract/endpoint.ts';
import type { people } from '../../shared/contract/people.ts';
import { randomBase62 } from '../../shared/key-format.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/store.ts';
import type { SessionRow } from '../store/tables.ts';
import { audit } from './audit.ts';
import type { Deps, Origin } from './deps.ts';
import { insertMembership, insertUser } from './new-member.ts';
import { hashToken, issueSession } from './sessions.ts';

/**
 * Makes a setup token while there is no owner, so that the start can print the link. Each start makes another; all work
 * until one is used.
 * @param given a token from the configuration instead of a random one
 * @returns the token, or undefined when the workspace is there
 */
export async function openSetup(deps: Deps, given: string | undefined): Promise<string | undefined> {
  if (await deps.store.read.selectFrom('workspace').select('id').executeTakeFirst()) return undefined;
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

/** @throws Refusal unauthorized */
async function spendSetupToken(tx: Tx, token: string): Promise<void> {
  const known = await tx.deleteFrom('setup_token').where('token_hash', '=', hashToken(token)).executeTakeFirst();
  if (!known.numDeletedRows)
    throw new Refusal(
      'unauthorized',
      'The setup token is wrong; use the link that the companion printed at its start.',
    );
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

/** Makes the workspace and its owner, once. @throws Refusal conflict, unauthorized */
export async function setUp(
  deps: Deps,
  input: BodyOf<typeof people.setup>,
  origin: Origin,
  client: SessionRow['client'] = 'api',
  label = 'Setup',
) {
  await deps.throttle.attempt('token', 'setup', origin.ip);
  const passwordHash = await deps.passwords.hash(input.password);
  return deps.store.transact(async (tx) => {
    const now = deps.now();
    if (await tx.selectFrom('workspace').select('id').executeTakeFirst())
      throw new Refusal('conflict', 'This companion is set up already.');
    await spendSetupToken(tx, input.token);
    const workspaceId = await insertWorkspace(deps, tx, input.workspace, now);
    const user = await insertUser(deps, tx, { name: input.name, email: input.email, passwordHash }, now);
    const membershipId = await insertMembership(deps, tx, { workspaceId, userId: user.id, role: 'owner' }, now);
    await deps.store.startAudit(tx, workspaceId);
    await audit(tx, {
      workspaceId,
      at: now,
      actor: { type: 'member', id: membershipId, name: input.email },
      action: 'workspace.created',
      target: { type: 'workspace', id: workspaceId, name: input.workspace },
      origin,
      client,
    });
    const session = await issueSession(deps, tx, { userId: user.id, client, label, origin, authenticatedAt: now });
    return {
      session,
      user: { id: user.id, name: user.name, email: user.email },
      workspace: { id: workspaceId, name: input.workspace },
    };
  });
}
