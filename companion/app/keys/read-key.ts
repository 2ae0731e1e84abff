import type { Key } from '../../../shared/contract/keys.ts';
import type { MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';
import { findKeyFor } from './find.ts';
import { viewKey } from './view.ts';

/** One key with its use up to now: one's own, for admins anyone's. @throws Refusal not_found */
export async function readKey(deps: Deps, caller: MemberCaller, keyId: string): Promise<Key> {
  const row = await findKeyFor(deps.store.read, caller.member, keyId, 'key.read');
  await deps.usage.flush();
  return viewKey(deps, row);
}
