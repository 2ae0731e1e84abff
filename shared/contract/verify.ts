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

/**
 * How long each text of a question may be; a longer user agent is cut. What is too long for a key is a malformed one, not a wrong
 * question.
 */
export const VERIFY_LIMITS = { customer: 128, ip: 64, userAgent: 512 } as const;
/** A user agent as far as it is kept: the first 512 characters. A client's long one is no reason to refuse its key. */
export const cutUserAgent = (text: string) => text.slice(0, VERIFY_LIMITS.userAgent).toWellFormed();
const askedUserAgent = z.string().check(z.overwrite(cutUserAgent));
const askedPermissions = z.array(permission).check(z.maxLength(100, 'ask for at most 100 permissions'));
const askedCustomer = z
  .string()
  .check(z.minLength(1, 'must not be empty'), z.maxLength(VERIFY_LIMITS.customer, 'use at most 128 characters'));

export const verifyBody = z.strictObject({
  key: z.string(),
  permissions: z.optional(askedPermissions),
  customer: z.optional(askedCustomer),
  ip: z.optional(z.string().check(z.maxLength(VERIFY_LIMITS.ip, 'is too long for an address'))),
  userAgent: z.optional(askedUserAgent),
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

/** What a service that decides by itself is told of one secret of a key. */
export const keyRecord = z.object({
  secretId: z.string(),
  keyId: z.string(),
  environment,
  groupId: z.nullable(z.string()),
  membershipId: z.nullable(z.string()),
  revoked: z.boolean(),
  disabled: z.boolean(),
  suspended: z.boolean(),
  /** Milliseconds since 1970-01-01 UTC. */
  expiresAt: z.nullable(z.number()),
  /** When an old secret stops; null for the newest one. */
  endsAt: z.nullable(z.number()),
  ipAllowlist: z.array(z.string()),
  rateLimit: z.nullable(z.object({ limit: z.number(), windowSeconds: z.number() })),
  /** Null for a key of another environment, of which no more is told than that. */
  identity: z.nullable(identity),
});
export type KeyRecord = z.infer<typeof keyRecord>;

/** A key as its verifier may know it, with the last change that is surely in it, and what the verifier itself is. */
export const resolved = z.object({
  seq: z.number(),
  key: z.nullable(keyRecord),
  workspaceId: z.string(),
  environment,
});
export type Resolved = z.infer<typeof resolved>;

/** How many uses one line of a report may stand for; a service has more to tell only after a long time out of reach. */
export const MOST_COUNTED = 10_000_000;
const count = z
  .number()
  .check(
    z.int('must be a whole number'),
    z.gte(1, 'must be 1 or more'),
    z.lte(MOST_COUNTED, `must be at most ${MOST_COUNTED}`),
  );
const moment = z.number().check(z.int('must be milliseconds'), z.gte(0), z.lte(8.64e15));
const reportedCode = z.enum(
  VERIFY_CODES.filter((c) => c !== 'malformed' && c !== 'unknown'),
  'must be an outcome for a key that exists',
);

/** Uses that a service has decided by itself. */
export const usageReport = z.strictObject({
  /** Of the sender's making; the same one is counted once. */
  batch: z.string().check(z.regex(/^[A-Za-z0-9_-]{16,64}$/, 'must be 16 to 64 letters, digits, - or _')),
  uses: z
    .array(
      z.strictObject({
        keyId: z.string(),
        secretId: z.string(),
        code: reportedCode,
        count,
        lastAt: moment,
        lastIp: z.nullable(z.string().check(z.maxLength(VERIFY_LIMITS.ip))),
        lastUserAgent: z.nullable(askedUserAgent),
      }),
    )
    .check(z.maxLength(500, 'report at most 500 at once')),
  notes: z
    .array(
      z.strictObject({
        requestId: z.string().check(z.regex(/^req_[A-Za-z0-9]{20}$/, 'must be req_ and 20 letters or digits')),
        keyId: z.string(),
        secretId: z.string(),
        code: reportedCode,
        at: moment,
        ip: z.nullable(z.string().check(z.maxLength(VERIFY_LIMITS.ip))),
        userAgent: z.nullable(askedUserAgent),
      }),
    )
    .check(z.maxLength(500, 'report at most 500 at once')),
});
export type UsageReport = z.infer<typeof usageReport>;

/** RFC 7662, 2.1, and what else can be told of the request that the key came with. Fields of other extensions are ignored. */
export const introspectForm = z.object({
  token: verifyBody.shape.key,
  ip: verifyBody.shape.ip,
  user_agent: verifyBody.shape.userAgent,
  /** Any; a verifier is known by its secret. */
  client_id: z.optional(z.string()),
  /** The verifier's secret, where it is not in `Authorization` (RFC 6749, 2.3.1). */
  client_secret: z.optional(z.string()),
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

/** How often the stream says that it lives, in milliseconds. */
export const STREAM_TICK_MS = 1_000;
/** The data of a `change` event: what changed. Whatever hangs on it is no longer known. */
export const streamChange = z.object({ kind: z.string(), id: z.string() });
/** The data of `tick` and `reset`: the companion's time in milliseconds. Before the first `tick` the listener is behind. */
export const streamTick = z.object({ now: z.number() });

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
  resolve: endpoint({
    id: 'resolveKey',
    method: 'POST',
    path: '/v1/verify/resolve',
    summary: 'What a service needs to decide about a key by itself, for as long as the stream reports no change to it',
    credential: 'verifier',
    body: z.strictObject({ key: verifyBody.shape.key }),
    answers: { 200: resolved },
  }),
  reportUsage: endpoint({
    id: 'reportUsage',
    method: 'POST',
    path: '/v1/verify/usage',
    summary: 'Hand in the uses that a service has decided by itself',
    credential: 'verifier',
    body: usageReport,
    answers: { 200: z.object({ counted: z.number() }) },
  }),
  verifyStream: endpoint({
    id: 'verifyStream',
    method: 'GET',
    path: '/v1/verify/stream',
    summary: 'What changes, as server-sent events; resumes after `Last-Event-ID`',
    credential: 'verifier',
    produces: ['text/event-stream'],
    answers: { 200: z.string() },
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
    errors: 'oauth',
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
