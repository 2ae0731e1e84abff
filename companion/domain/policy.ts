import { DAY_MS } from './time.ts';

/** A client's clock may be this far ahead of ours when it adds the longest lifetime to its own time. */
const CLOCK_SKEW_MS = 60_000;

/**
 * The expiry that is set for the one that was asked for: the longest lifetime where it is passed by no more than clocks differ.
 * @param expiresAt milliseconds since 1970-01-01 UTC; null is never, undefined keeps what is there
 */
export function clampExpiry<T extends number | null | undefined>(
  expiresAt: T,
  maxLifetimeDays: number | null,
  now: number,
): T | number {
  if (typeof expiresAt !== 'number' || maxLifetimeDays === null) return expiresAt;
  const latest = now + maxLifetimeDays * DAY_MS;
  return expiresAt > latest && expiresAt <= latest + CLOCK_SKEW_MS ? latest : expiresAt;
}

/**
 * What is wrong with an expiry, in words, or undefined.
 * @param expiresAt milliseconds since 1970-01-01 UTC; null is never
 * @param maxLifetimeDays the workspace's policy; null is no maximum
 */
export function expiryError(expiresAt: number | null, maxLifetimeDays: number | null, now: number): string | undefined {
  const days = maxLifetimeDays === 1 ? '1 day' : `${maxLifetimeDays} days`;
  if (expiresAt === null)
    return maxLifetimeDays === null ? undefined : `is required: a key of this workspace lives at most ${days}`;
  if (expiresAt <= now) return 'must be in the future';
  if (maxLifetimeDays !== null && expiresAt > now + maxLifetimeDays * DAY_MS)
    return `must be within ${days}: that is the longest that a key of this workspace may live`;
  return undefined;
}

/** Whether the plan has API access at all. */
export const hasApiAccess = (plan: 'starter' | 'team') => plan !== 'starter';

/** Why no key can be brought to life, or undefined: the plan has API access and one of the keys is left. */
export function capacityProblem(
  workspace: { plan: 'starter' | 'team'; keyLimit: number },
  keysUsed: number,
): 'upgrade_required' | 'key_limit_reached' | undefined {
  if (!hasApiAccess(workspace.plan)) return 'upgrade_required';
  return keysUsed >= workspace.keyLimit ? 'key_limit_reached' : undefined;
}
