import { randomBytes } from 'node:crypto';
import { insertMembership, insertUser } from '../../companion/app/new-member.ts';
import type { Tx } from '../../companion/store/store.ts';
import type { KeyRow } from '../../companion/store/tables.ts';
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

type Deps = TestCompanion['deps'];

/** A secret of a key, the current one. */
async function insertSecret({ hashSecret }: Deps, tx: Tx, keyId: string, environment: Environment): Promise<string> {
  const secret = makeKey(environment, randomBytes);
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
  return secret;
}

type Owner = Pick<KeyRow, 'workspace_id' | 'membership_id'>;
async function insertKey(deps: Deps, tx: Tx, owner: Owner, options: KeyOptions): Promise<string> {
  const id = nextId('key');
  const createdBy = { membershipId: owner.membership_id, name: 'Ada', email: 'ada@acme.example' };
  await tx
    .insertInto('api_key')
    .values({
      ...owner,
      id,
      created_by: JSON.stringify(createdBy),
      name: options.name ?? id,
      name_folded: (options.name ?? id).toLowerCase(),
      description: '',
      environment: options.environment ?? 'production',
      group_id: options.groupId ?? null,
      permissions: options.permissions ? JSON.stringify(options.permissions) : null,
      customers: JSON.stringify(options.customers ?? []),
      ip_allowlist: JSON.stringify(options.ipAllowlist ?? []),
      rate_limit: options.rateLimit?.limit ?? null,
      rate_window_seconds: options.rateLimit?.windowSeconds ?? null,
      technical_owner: null,
      expires_at: options.expiresAt ?? null,
      created_at: deps.now(),
      disabled_at: null,
      revoked_at: null,
      revoked_reason: null,
    })
    .execute();
  return id;
}

async function insertGroup(tx: Tx, workspaceId: string, permissions: readonly string[]): Promise<string> {
  const id = nextId('grp');
  const row = { id, workspace_id: workspaceId, name: id, description: '', created_at: 1 };
  await tx
    .insertInto('authorization_group')
    .values({ ...row, permissions: JSON.stringify(permissions) })
    .execute();
  return id;
}

async function insertVerifier({ hashSecret }: Deps, tx: Tx, workspaceId: string, environment: Environment) {
  const [id, secret] = [nextId('ver'), makeToken('verifier', randomBytes)];
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
  return { id, secret };
}

const ADA = { workspace: 'Acme', name: 'Ada', email: 'ada@acme.example', password: 'correct horse battery' };

/**
 * Rows for the verification tests, written straight into the database: what is tested is how they are checked, by whatever
 * way they came to be there.
 */
export async function keyBench(companion: TestCompanion) {
  const { deps, url } = companion;
  const { store } = deps;
  const setup = await call(url, 'POST', '/v1/setup', { body: { ...ADA, token: SETUP_TOKEN } });
  const workspaceId: string = setup.body.workspace.id;
  const token: string = setup.body.session.token;
  const owner = await store.read.selectFrom('membership').select('id').executeTakeFirstOrThrow();

  return {
    workspaceId,
    token,
    ownerId: owner.id,
    member: (name: string): Promise<string> =>
      store.transact(async (tx) => {
        const email = `${name}-${nextId('mem')}@acme.example`;
        const user = await insertUser(deps, tx, { name, email, passwordHash: null }, 1);
        return insertMembership(deps, tx, { workspaceId, userId: user.id, role: 'member' }, 1);
      }),
    group: (permissions: string[]): Promise<string> =>
      store.transact((tx) => insertGroup(tx, workspaceId, permissions)),
    key: (options: KeyOptions = {}): Promise<{ id: string; secret: string }> =>
      store.transact(async (tx) => {
        const membershipId = options.membershipId ?? owner.id;
        const id = await insertKey(deps, tx, { workspace_id: workspaceId, membership_id: membershipId }, options);
        return { id, secret: await insertSecret(deps, tx, id, options.environment ?? 'production') };
      }),
    rotate: (keyId: string, oldEndsAt: number, environment: Environment = 'production'): Promise<string> =>
      store.transact(async (tx) => {
        await tx
          .updateTable('api_key_secret')
          .set({ current: 0, ends_at: oldEndsAt })
          .where('key_id', '=', keyId)
          .where('current', '=', 1)
          .execute();
        return insertSecret(deps, tx, keyId, environment);
      }),
    verifier: (environment: Environment = 'production'): Promise<{ id: string; secret: string }> =>
      store.transact((tx) => insertVerifier(deps, tx, workspaceId, environment)),
    /** Changes a key's row. */
    async edit(keyId: string, fields: Record<string, string | number | null>): Promise<void> {
      await store.transact(async (tx) => {
        await tx.updateTable('api_key').set(fields).where('id', '=', keyId).execute();
      });
    },
    verify: (verifier: string, body: Record<string, unknown>) =>
      call(url, 'POST', '/v1/verify', { token: verifier, body }),
    async codeOf(verifier: string, body: Record<string, unknown>): Promise<string> {
      return (await call(url, 'POST', '/v1/verify', { token: verifier, body })).body.code;
    },
  };
}
export type KeyBench = Awaited<ReturnType<typeof keyBench>>;
