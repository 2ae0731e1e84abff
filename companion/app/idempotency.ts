import { createHash } from 'node:crypto';
import { canonicalJson } from '../domain/canonical-json.ts';
import { Refusal } from '../domain/refusal.ts';
import { DAY_MS } from '../domain/time.ts';
import type { Change } from './caller.ts';

const KEPT_MS = DAY_MS;

/** An `Idempotency-Key`, with the body that it came with: any JSON, as it was parsed. */
export interface Idempotency {
  key: string;
  body: unknown;
}

/**
 * Makes a thing once for an `Idempotency-Key`, per member and endpoint, for a day.
 * @param make makes it, in the same transaction, and returns its id
 * @returns its id, and whether it had been made before: then whatever was shown once is not shown again
 * @throws Refusal idempotency_mismatch when the same key came with another body; one that only orders its members otherwise is the same
 */
export async function once(
  { tx, now, member }: Change,
  endpoint: string,
  given: Idempotency | undefined,
  make: () => Promise<string>,
): Promise<{ id: string; replayed: boolean }> {
  if (!given) return { id: await make(), replayed: false };
  const bodyHash = createHash('sha256').update(canonicalJson(given.body)).digest('hex');
  await tx
    .deleteFrom('idempotency')
    .where('membership_id', '=', member.id)
    .where('created_at', '<=', now - KEPT_MS)
    .execute();
  const known = await tx
    .selectFrom('idempotency')
    .selectAll()
    .where('membership_id', '=', member.id)
    .where('endpoint', '=', endpoint)
    .where('key', '=', given.key)
    .executeTakeFirst();
  if (known && known.body_hash !== bodyHash) throw new Refusal('idempotency_mismatch');
  if (known) return { id: known.result_id, replayed: true };
  const id = await make();
  await tx
    .insertInto('idempotency')
    .values({
      membership_id: member.id,
      endpoint,
      key: given.key,
      body_hash: bodyHash,
      result_id: id,
      created_at: now,
    })
    .execute();
  return { id, replayed: false };
}
