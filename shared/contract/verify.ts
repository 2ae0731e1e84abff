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

/** How long each text of a question may be. */
export const VERIFY_LIMITS = { key: 512, customer: 128, ip: 64, userAgent: 512 } as const;
const askedPermissions = z.array(permission).check(z.maxLength(100, 'ask for at most 100 permissions'));
const askedCustomer = z
  .string()
  .check(z.minLength(1, 'must not be empty'), z.maxLength(VERIFY_LIMITS.customer, 'use at most 128 characters'));

export const verifyBody = z.strictObject({
  key: z.string().check(z.maxLength(VERIFY_LIMITS.key, 'is too long for a key')),
  permissions: z.optional(askedPermissions),
  customer: z.optional(askedCustomer),
  ip: z.optional(z.string().check(z.maxLength(VERIFY_LIMITS.ip, 'is too long for an address'))),
  userAgent: z.optional(z.string().check(z.maxLength(VERIFY_LIMITS.userAgent, 'use at most 512 characters'))),
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

/** What a gateway asks for; `permission` may stand several times. */
export const authQuery = z.strictObject({
  mode: z.optional(z.literal('nginx', 'must be nginx, or left out')),
  permission: z.optional(askedPermissions),
  customer: z.optional(askedCustomer),
});

/** RFC 7662, 2.1, and what else can be told of the request that the key came with. Fields of other extensions are ignored. */
export const introspectForm = z.object({
  token: verifyBody.shape.key,
  ip: verifyBody.shape.ip,
  user_agent: verifyBody.shape.userAgent,
});

/** RFC 7662, 2.2. Of a key that is no good nothing is said but that. */
export const introspection = z.object({
  active: z.boolean(),
  scope: z.optional(z.string()),
  client_id: z.optional(z.string()),
  username: z.optional(z.string()),
  token_type: z.optional(z.string()),
  exp: z.optional(z.number()),
  sub: z.optional(z.string()),
  iss: z.optional(z.string()),
  jti: z.optional(z.string()),
  name: z.optional(z.string()),
  environment: z.optional(environment),
  workspace: z.optional(z.string()),
  customers: z.optional(z.array(z.string())),
});

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
  auth: endpoint({
    id: 'auth',
    method: 'GET',
    anyMethod: true,
    path: '/v1/auth',
    summary: 'Ask as a gateway: the caller’s key and `X-Heex-Verifier` in, a status and identity headers out',
    credential: 'own',
    query: authQuery,
    answers: { 200: z.object({}) },
    problems: ['unauthorized', 'forbidden', 'rate_limited'],
  }),
  introspect: endpoint({
    id: 'introspect',
    method: 'POST',
    path: '/v1/introspect',
    summary: 'OAuth 2.0 token introspection (RFC 7662)',
    credential: 'verifier',
    accepts: ['application/x-www-form-urlencoded'],
    body: introspectForm,
    answers: { 200: introspection },
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
