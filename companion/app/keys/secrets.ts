import { prefixOf } from '../../../shared/key-format.ts';
import type { Change } from '../caller.ts';
import type { Deps } from '../deps.ts';

/** Stores a secret as the current one of a key: its prefix and its keyed hash, never itself. */
export async function issueSecret(deps: Deps, { tx, now }: Change, keyId: string, secret: string): Promise<void> {
  await tx
    .insertInto('api_key_secret')
    .values({
      id: deps.newId('sec'),
      key_id: keyId,
      prefix: prefixOf(secret),
      hash: deps.hashSecret(secret),
      created_at: now,
      current: 1,
      ends_at: null,
    })
    .execute();
}
