import type { EXPIRATIONS } from './contract/keys.ts';

/** A key expires soon from this long before its expiry, in milliseconds. */
export const EXPIRING_SOON_MS = 14 * 86_400_000;

export type Expiration = (typeof EXPIRATIONS)[number];

/**
 * Where a key stands between creation and expiry, whatever else happened to it. The three are disjoint.
 * @param expiresAt RFC 3339, or milliseconds since 1970-01-01 UTC; null is never
 * @param now milliseconds since 1970-01-01 UTC
 */
export function expirationOf(expiresAt: number | string | null, now: number): Expiration {
  const at = typeof expiresAt === 'string' ? Date.parse(expiresAt) : expiresAt;
  if (at === null || at > now + EXPIRING_SOON_MS) return 'valid';
  return at > now ? 'expiring_soon' : 'expired';
}
