import type { BodyOf } from '../../shared/contract/endpoint.ts';
import type { people } from '../../shared/contract/people.ts';
import { randomBase62 } from '../../shared/key-format.ts';
import { Refusal } from '../domain/refusal.ts';
import type { SessionRow } from '../store/tables.ts';
import { audit } from './audit.ts';
import type { Deps, Origin } from './deps.ts';
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
    const known = await tx
      .deleteFrom('setup_token')
      .where('token_hash', '=', hashToken(input.token))
      .executeTakeFirst();
    if (!known.numDeletedRows)
      throw new Refusal(
        'unauthorized',
        'The setup token is wrong; use the link that the companion printed at its start.',
      );
    await tx.deleteFrom('setup_token').execute();
    const [workspaceId, userId, membershipId] = [deps.newId('ws'), deps.newId('usr'), deps.newId('mem')];
    const { keyLimit, plan } = deps.config;
    await tx
      .insertInto('workspace')
      .values({
        id: workspaceId,
        name: input.workspace,
        plan,
        key_limit: keyLimit,
        max_key_lifetime_days: null,
        created_at: now,
      })
      .execute();
    await tx
      .insertInto('user')
      .values({
        id: userId,
        name: input.name,
        email: input.email,
        password_hash: passwordHash,
        created_at: now,
        disabled_at: null,
      })
      .execute();
    await tx
      .insertInto('membership')
      .values({
        id: membershipId,
        workspace_id: workspaceId,
        user_id: userId,
        role: 'owner',
        joined_at: now,
        suspended_at: null,
      })
      .execute();
    await audit(tx, {
      workspaceId,
      at: now,
      actor: { type: 'member', id: membershipId, name: input.email },
      action: 'workspace.created',
      target: { type: 'workspace', id: workspaceId, name: input.workspace },
      origin,
    });
    const session = await issueSession(deps, tx, {
      userId,
      client,
      label,
      origin,
      authenticatedAt: now,
    });
    return {
      session,
      user: { id: userId, name: input.name, email: input.email },
      workspace: { id: workspaceId, name: input.workspace },
    };
  });
}
