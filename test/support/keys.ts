import { randomBytes } from 'node:crypto';
import { type Environment, makeKey, makeToken, prefixOf } from '../../shared/key-format.ts';
import { call } from './client.ts';
import { SETUP_TOKEN, type TestCompanion } from './companion.ts';

export interface KeyOptions {
  name?: string;
  environment?: Environment;
  groupId?: string;
  /** The narrowing. */
  permissions?: string[];
  customers?: string[];
  ipAllowlist?: string[];
  rateLimit?: { limit: number; windowSeconds: number };
  /** Milliseconds since 1970. */
  expiresAt?: number;
  membershipId?: string;
}

let made = 0;
const nextId = (prefix: string) => `${prefix}_test${++made}`;

/**
 * Rows for the verification tests, written straight into the database: what is tested is how they are checked, by whatever
 * way they came to be there.
 */
export async function keyBench(companion: TestCompanion) {
  const { store, hashSecret } = companion.deps;
  const setup = await call(companion.url, 'POST', '/v1/setup', {
    body: {
      token: SETUP_TOKEN,
      workspace: 'Acme',
      name: 'Ada',
      email: 'ada@acme.example',
      password: 'correct horse battery',
    },
  });
  const workspaceId: string = setup.body.workspace.id;
  const token: string = setup.body.session.token;
  const owner = await store.read.selectFrom('membership').select('id').executeTakeFirstOrThrow();

  return {
    workspaceId,
    token,
    ownerId: owner.id,
    async member(name: string): Promise<string> {
      const [userId, id] = [nextId('usr'), nextId('mem')];
      await store.transact(async (tx) => {
        const email = `${name}-${id}@acme.example`;
        await tx
          .insertInto('user')
          .values({ id: userId, name, email, password_hash: null, created_at: 1, disabled_at: null })
          .execute();
        await tx
          .insertInto('membership')
          .values({ id, workspace_id: workspaceId, user_id: userId, role: 'member', joined_at: 1, suspended_at: null })
          .execute();
      });
      return id;
    },
    async group(permissions: string[]): Promise<string> {
      const id = nextId('grp');
      await store.transact(async (tx) => {
        await tx
          .insertInto('authorization_group')
          .values({
            id,
            workspace_id: workspaceId,
            name: id,
            description: '',
            permissions: JSON.stringify(permissions),
            created_at: 1,
          })
          .execute();
      });
      return id;
    },
    async key(options: KeyOptions = {}): Promise<{ id: string; secret: string }> {
      const environment = options.environment ?? 'production';
      const id = nextId('key');
      const secret = makeKey(environment, randomBytes);
      const membershipId = options.membershipId ?? owner.id;
      await store.transact(async (tx) => {
        await tx
          .insertInto('api_key')
          .values({
            id,
            workspace_id: workspaceId,
            membership_id: membershipId,
            created_by: JSON.stringify({ membershipId, name: 'Ada', email: 'ada@acme.example' }),
            name: options.name ?? id,
            name_folded: (options.name ?? id).toLowerCase(),
            description: '',
            environment,
            group_id: options.groupId ?? null,
            permissions: options.permissions ? JSON.stringify(options.permissions) : null,
            customers: JSON.stringify(options.customers ?? []),
            ip_allowlist: JSON.stringify(options.ipAllowlist ?? []),
            rate_limit: options.rateLimit?.limit ?? null,
            rate_window_seconds: options.rateLimit?.windowSeconds ?? null,
            technical_owner: null,
            expires_at: options.expiresAt ?? null,
            created_at: companion.deps.now(),
            disabled_at: null,
            revoked_at: null,
            revoked_reason: null,
          })
          .execute();
        await tx
          .insertInto('api_key_secret')
          .values({
            id: nextId('sec'),
            key_id: id,
            prefix: prefixOf(secret),
            hash: hashSecret(secret),
            created_at: 1,
            current: 1,
            ends_at: null,
          })
          .execute();
      });
      return { id, secret };
    },
    async rotate(keyId: string, oldEndsAt: number, environment: Environment = 'production'): Promise<string> {
      const secret = makeKey(environment, randomBytes);
      await store.transact(async (tx) => {
        await tx
          .updateTable('api_key_secret')
          .set({ current: 0, ends_at: oldEndsAt })
          .where('key_id', '=', keyId)
          .where('current', '=', 1)
          .execute();
        await tx
          .insertInto('api_key_secret')
          .values({
            id: nextId('sec'),
            key_id: keyId,
            prefix: prefixOf(secret),
            hash: hashSecret(secret),
            created_at: 1,
            current: 1,
            ends_at: null,
          })
          .execute();
      });
      return secret;
    },
    async verifier(environment: Environment = 'production'): Promise<{ id: string; secret: string }> {
      const [id, secret] = [nextId('ver'), makeToken('verifier', randomBytes)];
      await store.transact(async (tx) => {
        await tx
          .insertInto('verifier')
          .values({
            id,
            workspace_id: workspaceId,
            name: id,
            environment,
            prefix: prefixOf(secret),
            hash: hashSecret(secret),
            created_by: '{}',
            created_at: 1,
          })
          .execute();
      });
      return { id, secret };
    },
    /** Changes a key's row. */
    async edit(keyId: string, fields: Record<string, string | number | null>): Promise<void> {
      await store.transact(async (tx) => {
        await tx.updateTable('api_key').set(fields).where('id', '=', keyId).execute();
      });
    },
    verify: (verifier: string, body: Record<string, unknown>) =>
      call(companion.url, 'POST', '/v1/verify', { token: verifier, body }),
    async codeOf(verifier: string, body: Record<string, unknown>): Promise<string> {
      return (await call(companion.url, 'POST', '/v1/verify', { token: verifier, body })).body.code;
    },
  };
}
export type KeyBench = Awaited<ReturnType<typeof keyBench>>;
