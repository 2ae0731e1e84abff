import type { UsageDay } from '../../../shared/contract/keys.ts';
import type { MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';
import { findKeyFor } from '../keys/find.ts';
import { dayOf, fillDays } from './series.ts';

/** How often a key was used on each of the last days, by outcome. @throws Refusal not_found */
export async function readKeyUsage(
  deps: Deps,
  caller: MemberCaller,
  keyId: string,
  days: number,
): Promise<{ days: UsageDay[] }> {
  const key = await findKeyFor(deps.store.read, caller.member, keyId, 'key.read');
  await deps.usage.flush();
  const now = deps.now();
  const rows = await deps.store.activity.read
    .selectFrom('usage_day')
    .select(['day', 'valid', 'unauthorized', 'forbidden', 'rate_limited'])
    .where('key_id', '=', key.id)
    .where('day', '>', dayOf(now) - days)
    .execute();
  return { days: fillDays(rows, days, now) };
}
