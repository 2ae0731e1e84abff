import { statusOf } from '../check.ts';
import { rateHeaders } from '../rate-headers.ts';
import type { Decision } from './index.ts';

/** What a route asks of a key. */
export interface Requirements {
  permissions?: readonly string[];
  customer?: string;
}

/** An answer for a request that is not let through. */
export interface Denial {
  status: 401 | 403 | 429 | 503;
  headers: Record<string, string>;
  /** `application/problem+json` (RFC 9457). */
  body: string;
}

const TITLES = {
  401: ['unauthorized', 'A valid API key is needed'],
  403: ['forbidden', 'This key does not allow this'],
  429: ['rate_limited', 'This key is over its rate limit'],
  503: ['unavailable', 'Keys can’t be checked right now'],
} as const;

/**
 * The headers that the answer to a key that was let through gets: how much of its rate limit is left. It is exact, since the
 * companion is asked about every use of such a key.
 */
export const headersOf = ({ rateLimit }: Decision): [string, string][] => Object.entries(rateHeaders(rateLimit, false));

/** The answer for a key that is not let through; undefined for one that is. The reason stays with the key's owner. */
export function denialOf(decision: Decision): Denial | undefined {
  if (decision.valid) return undefined;
  const status = decision.code === 'unavailable' ? 503 : statusOf(decision.code);
  // A code that is no refusal, without a key: it can only be wrong, so it lets nobody in.
  const denied = status === 200 ? 401 : status;
  const [code, title] = TITLES[denied];
  const { requestId, rateLimit } = decision;
  return {
    status: denied,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'X-Request-Id': requestId,
      ...(denied === 401 ? { 'WWW-Authenticate': 'Bearer realm="api"' } : {}),
      ...(denied === 503 ? { 'Retry-After': '1' } : {}),
      ...rateHeaders(rateLimit, denied === 429),
    },
    body: JSON.stringify({ type: 'about:blank', title, status: denied, code, requestId }),
  };
}
