import type { RateState } from './contract/verify.ts';

/**
 * The headers that tell of a key's rate limit (draft-ietf-httpapi-ratelimit-headers).
 * @param over whether the request was refused for it; then `Retry-After` says when to come again (RFC 9110, 10.2.3)
 */
export function rateHeaders(state: RateState | undefined, over: boolean): Record<string, string> {
  if (!state) return {};
  return {
    'RateLimit-Policy': `"default";q=${state.limit};w=${state.windowSeconds}`,
    RateLimit: `"default";r=${state.remaining};t=${state.resetSeconds}`,
    ...(over ? { 'Retry-After': String(state.resetSeconds) } : {}),
  };
}
