import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { environment, permission, timestamp } from './fields.ts';

/** Every outcome of a check, in the order in which it is decided. */
export const VERIFY_CODES = [
  'valid',
  'malformed',
  'unknown',
  'revoked',
  'disabled',
  'owner_suspended',
  'expired',
  'wrong_environment',
  'ip_not_allowed',
  'insufficient_permissions',
  'customer_not_allowed',
  'rate_limited',
] as const;
export const verifyCode = z.enum(VERIFY_CODES);
export type VerifyCode = z.infer<typeof verifyCode>;

export const identity = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  owner: z.object({ membershipId: z.string(), name: z.string(), email: z.string() }),
  workspace: z.object({ id: z.string(), name: z.string() }),
  environment,
  permissions: z.array(z.string()),
  customers: z.array(z.string()),
  expiresAt: z.nullable(timestamp),
});
export type KeyIdentity = z.infer<typeof identity>;

/** `remaining` uses are left for `resetSeconds` (draft-ietf-httpapi-ratelimit-headers). */
export const rateState = z.object({
  limit: z.number(),
  windowSeconds: z.number(),
  remaining: z.number(),
  resetSeconds: z.number(),
});
export type RateState = z.infer<typeof rateState>;

export const verifyBody = z.strictObject({
  key: z.string().check(z.maxLength(512, 'is too long for a key')),
  permissions: z.optional(z.array(permission).check(z.maxLength(100, 'ask for at most 100 permissions'))),
  customer: z.optional(
    z.string().check(z.minLength(1, 'must not be empty'), z.maxLength(128, 'use at most 128 characters')),
  ),
  ip: z.optional(z.string().check(z.maxLength(64, 'is too long for an address'))),
  userAgent: z.optional(z.string().check(z.maxLength(512, 'use at most 512 characters'))),
});
export type VerifyBody = z.infer<typeof verifyBody>;

export const verdict = z.object({
  valid: z.boolean(),
  code: verifyCode,
  requestId: z.string(),
  key: z.optional(identity),
  rateLimit: z.optional(rateState),
});
export type Verdict = z.infer<typeof verdict>;

export const verification = {
  verify: endpoint({
    id: 'verify',
    method: 'POST',
    path: '/v1/verify',
    summary: 'Ask whether a key is good, and for what',
    credential: 'verifier',
    body: verifyBody,
    answers: { 200: verdict },
  }),
  verifyBatch: endpoint({
    id: 'verifyBatch',
    method: 'POST',
    path: '/v1/verify/batch',
    summary: 'Ask about up to 100 keys at once',
    credential: 'verifier',
    body: z.strictObject({
      items: z
        .array(verifyBody)
        .check(z.minLength(1, 'ask about at least one key'), z.maxLength(100, 'ask about at most 100 keys')),
    }),
    answers: { 200: z.object({ results: z.array(verdict) }) },
  }),
  whoami: endpoint({
    id: 'whoami',
    method: 'GET',
    path: '/v1/whoami',
    summary: 'What this key is',
    credential: 'key',
    answers: { 200: z.object({ key: identity, requestId: z.string() }) },
  }),
  revokeHeld: endpoint({
    id: 'revokeHeld',
    method: 'POST',
    path: '/v1/revoke',
    summary: 'Give this key up for good (in the spirit of RFC 7009)',
    credential: 'key',
    body: z.strictObject({ reason: z.optional(z.enum(['leaked', 'superseded'], 'must be leaked or superseded')) }),
    answers: { 200: z.object({ revoked: z.literal(true), requestId: z.string() }) },
  }),
} as const;
