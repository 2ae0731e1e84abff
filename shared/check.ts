import type { KeyIdentity, RateState, VerifyCode } from './contract/verify.ts';
import type { Environment } from './key-format.ts';

/**
 * What has to be known of one secret of a key to decide about it. The companion reads it from its database, a service that
 * decides by itself gets it from the companion; both decide by `decide` below.
 */
export interface KeyFacts {
  keyId: string;
  /** Which of the key's secrets this is: use is counted for each. */
  secretId: string;
  workspaceId: string;
  environment: Environment;
  revoked: boolean;
  disabled: boolean;
  suspended: boolean;
  /** Milliseconds since 1970-01-01 UTC; null is never. */
  expiresAt: number | null;
  /** When an old secret stops; null for the newest one. */
  endsAt: number | null;
  /** Undefined where any address may use the key. */
  allows: ((address: string) => boolean) | undefined;
  permissions: ReadonlySet<string>;
  customers: readonly string[];
  rateLimit: { limit: number; windowSeconds: number } | null;
}

type KeyState = Pick<KeyFacts, 'revoked' | 'disabled' | 'suspended' | 'expiresAt' | 'endsAt'>;

export interface KeyAsk {
  /** The environment and workspace of whoever asks; undefined asks about the key's own. */
  environment: Environment | undefined;
  workspaceId: string | undefined;
  permissions: readonly string[] | undefined;
  customer: string | undefined;
  ip: string | null;
}

/**
 * Everything but the rate limit, in the one order that callers rely on: revoked, disabled, suspended, expired, environment,
 * address, permission, customer. An old secret that has ended counts as revoked.
 * @param now milliseconds since 1970-01-01 UTC: expiry is decided at each check, never remembered
 */
export function decide(facts: KeyFacts, ask: KeyAsk, now: number): VerifyCode {
  // A key of another workspace does not exist for the one who asks.
  if (ask.workspaceId !== undefined && facts.workspaceId !== ask.workspaceId) return 'unknown';
  const state = decideState(facts, now);
  if (state !== 'valid') return state;
  if (ask.environment !== undefined && facts.environment !== ask.environment) return 'wrong_environment';
  if (facts.allows && (ask.ip === null || !facts.allows(ask.ip))) return 'ip_not_allowed';
  if (ask.permissions && !holdsAll(facts.permissions, ask.permissions)) return 'insufficient_permissions';
  if (ask.customer !== undefined && facts.customers.length && !facts.customers.includes(ask.customer))
    return 'customer_not_allowed';
  return 'valid';
}

/** The first part of that: whether the key as such is good, wherever it is used and for whatever. */
export function decideState(facts: KeyState, now: number): VerifyCode {
  if (facts.revoked || (facts.endsAt !== null && facts.endsAt <= now)) return 'revoked';
  if (facts.disabled) return 'disabled';
  if (facts.suspended) return 'owner_suspended';
  if (facts.expiresAt !== null && facts.expiresAt <= now) return 'expired';
  return 'valid';
}

function holdsAll(held: ReadonlySet<string>, asked: readonly string[]): boolean {
  for (const permission of asked) if (!held.has(permission)) return false;
  return true;
}

/** What the holder of the key learns of an outcome: one same 401 for everything that concerns the key itself. */
export function statusOf(code: VerifyCode): 200 | 401 | 403 | 429 {
  if (code === 'valid') return 200;
  if (code === 'rate_limited') return 429;
  return code === 'ip_not_allowed' || code === 'insufficient_permissions' || code === 'customer_not_allowed'
    ? 403
    : 401;
}

/** The outcome of a check. */
export interface KeyVerdict {
  code: VerifyCode;
  /** Only of a valid key, so that nobody trusts it without having looked at the code. */
  key?: KeyIdentity;
  /** When the secret of a valid key stops, milliseconds since 1970-01-01 UTC: with the key, or with the overlap of a rotation. */
  stopsAt?: number | null;
  /** Of a key with a rate limit, when it is valid or over the limit. */
  rateLimit?: RateState;
  /** Of any key that exists where the caller may know of it, also a refused one. */
  keyId?: string;
}
