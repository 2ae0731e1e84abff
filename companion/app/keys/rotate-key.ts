import type { BodyOf } from '../../../shared/contract/endpoint.ts';
import type { Key, KeyWithSecret, keys } from '../../../shared/contract/keys.ts';
import { makeKey, prefixOf } from '../../../shared/key-format.ts';
import { clampExpiry, expiryError } from '../../domain/policy.ts';
import { badField } from '../../domain/refusal.ts';
import { countsTowardLimit } from '../../domain/status.ts';
import { isoOrNull } from '../../domain/time.ts';
import { audit, by } from '../audit.ts';
import { type Change, changeAs, type MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';
import { type Idempotency, once } from '../idempotency.ts';
import { maxLifetimeDays, needCapacity, needPlan } from './capacity.ts';
import { findKeyFor, type Moved, moveKey, target } from './find.ts';
import { mailRotation } from './mail.ts';
import { issueSecret } from './secrets.ts';
import { viewKey } from './view.ts';

type Input = BodyOf<typeof keys.rotateKey>;

/** A new expiry must fit the policy; so must one that is kept, since the new secret begins to live now. */
function checkExpiry(moved: Moved, longest: number | null, now: number): void {
  const wrong = expiryError(moved.next.expiresAt, longest, now);
  if (wrong) throw badField('expiresAt', wrong);
}

async function replaceSecret(deps: Deps, caller: MemberCaller, change: Change, keyId: string, input: Input) {
  const { tx, now, member } = change;
  const longest = await maxLifetimeDays(change);
  const asked = typeof input.expiresAt === 'string' ? Date.parse(input.expiresAt) : input.expiresAt;
  const given = clampExpiry(asked, longest, now);
  if (typeof given === 'number' && given <= now) throw badField('expiresAt', 'must be in the future');
  const moved = await moveKey(change, keyId, 'key.rotate', {
    kind: 'rotate',
    overlapMs: input.overlapSeconds * 1000,
    expiresAt: given,
  });
  const { row, before, next } = moved;
  checkExpiry(moved, longest, now);
  // An expired key that a new expiry brings back to life needs a free place; one that lives has its own.
  if (countsTowardLimit(before, now)) await needPlan(change);
  else await needCapacity(change);
  const oldEndsAt = next.oldSecretEndsAt as number;
  await tx
    .updateTable('api_key_secret')
    .set({ current: 0, ends_at: oldEndsAt })
    .where('key_id', '=', row.id)
    .where('current', '=', 1)
    .execute();
  const secret = makeKey(row.environment, (n) => deps.randomBytes(n));
  await issueSecret(deps, change, row.id, secret);
  if (next.expiresAt !== row.expires_at)
    await tx.updateTable('api_key').set({ expires_at: next.expiresAt }).where('id', '=', row.id).execute();
  await audit(tx, {
    workspaceId: member.workspaceId,
    at: now,
    ...by(caller),
    action: 'key.rotated',
    target: target(row),
    before: { expiresAt: isoOrNull(before.expiresAt) },
    after: { expiresAt: isoOrNull(next.expiresAt), prefix: prefixOf(secret), oldSecretEndsAt: isoOrNull(oldEndsAt) },
  });
  return secret;
}

async function tellTechnicalOwner(deps: Deps, caller: MemberCaller, key: Key): Promise<void> {
  if (!deps.mailer || key.technicalOwner === null) return;
  const workspace = await deps.store.read
    .selectFrom('workspace')
    .select('name')
    .where('id', '=', caller.member.workspaceId)
    .executeTakeFirst();
  const now = deps.now();
  const stops = key.rotation === null ? now : Date.parse(key.rotation.oldExpiresAt);
  mailRotation(deps, { ...key, owner: caller.user.email, workspace: workspace?.name ?? '' }, stops, now);
}

/**
 * Gives a key a new secret. The old one dies now or after the overlap, never past the expiry that it was issued with.
 * @throws Refusal bad_request, not_found, forbidden, conflict (two secrets live, revoked, expired without a new expiry),
 *   upgrade_required, key_limit_reached, idempotency_mismatch
 */
export async function rotateKey(
  deps: Deps,
  caller: MemberCaller,
  keyId: string,
  input: Input,
  idempotency: Idempotency | undefined,
): Promise<KeyWithSecret> {
  let secret = '';
  const { row, replayed } = await changeAs(deps, caller, 'key.rotate', async (change) => {
    await findKeyFor(change.tx, change.member, keyId, 'key.rotate');
    const { replayed } = await once(change, `rotateKey ${keyId}`, idempotency, async () => {
      secret = await replaceSecret(deps, caller, change, keyId, input);
      return keyId;
    });
    return { row: await findKeyFor(change.tx, change.member, keyId, 'key.rotate'), replayed };
  });
  const key = await viewKey(deps, row);
  if (replayed) return { key, replayed };
  await tellTechnicalOwner(deps, caller, key);
  return { key, secret };
}

/** Ends the old secret of a rotation now. @throws Refusal not_found, forbidden, conflict when only one secret lives */
export async function finishRotation(deps: Deps, caller: MemberCaller, keyId: string): Promise<Key> {
  const row = await changeAs(deps, caller, 'key.rotate', async (change) => {
    const { row, before, next } = await moveKey(change, keyId, 'key.rotate', { kind: 'finish' });
    await change.tx
      .updateTable('api_key_secret')
      .set({ ends_at: next.oldSecretEndsAt })
      .where('key_id', '=', row.id)
      .where('current', '=', 0)
      .where('ends_at', '>', change.now)
      .execute();
    await audit(change.tx, {
      workspaceId: change.member.workspaceId,
      at: change.now,
      ...by(caller),
      action: 'key.rotation_finished',
      target: target(row),
      before: { oldSecretEndsAt: isoOrNull(before.oldSecretEndsAt) },
      after: { oldSecretEndsAt: isoOrNull(next.oldSecretEndsAt) },
    });
    return row;
  });
  return viewKey(deps, row);
}
