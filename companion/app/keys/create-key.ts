import type { BodyOf } from '../../../shared/contract/endpoint.ts';
import type { KeyWithSecret, keys } from '../../../shared/contract/keys.ts';
import { makeKey, prefixOf } from '../../../shared/key-format.ts';
import { fold } from '../../domain/names.ts';
import { clampExpiry, expiryError } from '../../domain/policy.ts';
import { badField } from '../../domain/refusal.ts';
import { audit, by } from '../audit.ts';
import { type Change, changeAs, type MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';
import { type Idempotency, once } from '../idempotency.ts';
import { maxLifetimeDays, needCapacity } from './capacity.ts';
import { checkGrant, checkName, describeColumns, toColumns } from './fields.ts';
import { findKeyFor, target } from './find.ts';
import { issueSecret } from './secrets.ts';
import { viewKey } from './view.ts';

type Input = BodyOf<typeof keys.createKey>;

async function insertKey(deps: Deps, caller: MemberCaller, change: Change, input: Input, secret: string) {
  const { tx, now, member } = change;
  const longest = await maxLifetimeDays(change);
  const expiresAt = clampExpiry(input.expiresAt == null ? null : Date.parse(input.expiresAt), longest, now);
  const wrong = expiryError(expiresAt, longest, now);
  if (wrong) throw badField('expiresAt', wrong);
  await checkGrant(tx, member.workspaceId, input.groupId ?? null, input.permissions ?? null);
  await needCapacity(change);
  await checkName(tx, member.id, input.name);
  const id = deps.newId('key');
  const { environment, expiresAt: _, ...fields } = input;
  const columns = toColumns(fields);
  await tx
    .insertInto('api_key')
    .values({
      description: '',
      group_id: null,
      permissions: null,
      customers: '[]',
      ip_allowlist: '[]',
      rate_limit: null,
      rate_window_seconds: null,
      technical_owner: null,
      ...columns,
      id,
      name: input.name,
      name_folded: fold(input.name),
      workspace_id: member.workspaceId,
      membership_id: member.id,
      created_by: JSON.stringify({ membershipId: member.id, name: caller.user.name, email: caller.user.email }),
      environment,
      expires_at: expiresAt,
      created_at: now,
      disabled_at: null,
      revoked_at: null,
      revoked_reason: null,
    })
    .execute();
  await issueSecret(deps, change, id, secret);
  await audit(tx, {
    workspaceId: member.workspaceId,
    at: now,
    ...by(caller),
    action: 'key.created',
    target: target({ id, name: input.name }),
    after: {
      ...describeColumns(columns, Object.keys(columns) as (keyof typeof columns)[]),
      environment,
      prefix: prefixOf(secret),
      expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    },
  });
  return id;
}

/**
 * Generates a key for the caller. Its secret is in this answer only: a repeat of the same Idempotency-Key gives the record.
 * @throws Refusal bad_request, upgrade_required, key_limit_reached, name_taken, idempotency_mismatch
 */
export async function createKey(
  deps: Deps,
  caller: MemberCaller,
  input: Input,
  idempotency: Idempotency | undefined,
): Promise<KeyWithSecret> {
  const secret = makeKey(input.environment, (n) => deps.randomBytes(n));
  const { row, replayed } = await changeAs(deps, caller, 'key.create', async (change) => {
    const { id, replayed } = await once(change, 'createKey', idempotency, () =>
      insertKey(deps, caller, change, input, secret),
    );
    return { row: await findKeyFor(change.tx, change.member, id, 'key.read'), replayed };
  });
  const key = await viewKey(deps, row);
  return replayed ? { key, replayed } : { key, secret };
}
