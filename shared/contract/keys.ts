import * as z from 'zod/mini';
import { parseAllowlist } from '../ip.ts';
import { endpoint } from './endpoint.ts';
import {
  author,
  cursor,
  description,
  email,
  environment,
  id,
  instant,
  limit,
  listOf,
  name,
  permissions,
  queryNumber,
  remark,
  timestamp,
  use,
} from './fields.ts';
import { W } from './path.ts';

const KEY = `${W}/keys/:keyId` as const;

export const KEY_STATUSES = ['active', 'expiring_soon', 'expired', 'disabled', 'revoked'] as const;
export const keyStatus = z.enum(KEY_STATUSES, `must be one of ${KEY_STATUSES.join(', ')}`);
export type KeyStatus = z.infer<typeof keyStatus>;

export const EXPIRATIONS = ['valid', 'expiring_soon', 'expired'] as const;
export const expiration = z.enum(EXPIRATIONS, `must be one of ${EXPIRATIONS.join(', ')}`);

export const REVOKE_REASONS = ['by_owner', 'by_admin', 'member_left', 'leaked', 'superseded'] as const;
export const revokeReason = z.enum(REVOKE_REASONS);
export type RevokeReason = z.infer<typeof revokeReason>;
/** The reasons that a person may give; the others follow from who revokes. */
export const givenReason = z.enum(['leaked', 'superseded'], 'must be leaked or superseded');

/** Overlaps of a rotation, in seconds: none, an hour, a day, a week. */
export const OVERLAPS = [0, 3600, 86_400, 604_800] as const;

const wholeNumber = (least: number, most: number) =>
  z
    .number(`must be a number from ${least} to ${most}`)
    .check(
      z.int('must be a whole number'),
      z.gte(least, `must be ${least} or more`),
      z.lte(most, `must be ${most} or less`),
    );

export const rateLimit = z.strictObject({ limit: wholeNumber(1, 1_000_000), windowSeconds: wholeNumber(1, 86_400) });
export type RateLimit = z.infer<typeof rateLimit>;

const customer = z
  .string()
  .check(z.regex(/^[!-~]{1,128}$/, 'must be 1 to 128 visible ASCII characters without spaces'));
export const customers = z.array(customer).check(
  z.maxLength(100, 'list at most 100 customers'),
  z.refine((list) => new Set(list).size === list.length, 'list every customer once'),
);
/** Addresses and CIDR ranges, one error for each bad line; empty lets every address in. Kept in their one text form. */
export const ipAllowlist = z.array(z.string().check(z.maxLength(64, 'is too long for an address or range'))).check(
  z.maxLength(100, 'list at most 100 addresses and ranges'),
  z.check((ctx) => {
    for (const { index, message } of parseAllowlist(ctx.value).errors)
      ctx.issues.push({ code: 'custom', message, input: ctx.value, path: [index] });
  }),
  z.overwrite((lines) => parseAllowlist(lines).canonical),
);

export const key = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  prefix: z.string(),
  environment,
  status: keyStatus,
  revokedReason: z.nullable(revokeReason),
  revokedAt: z.nullable(timestamp),
  disabledAt: z.nullable(timestamp),
  groupId: z.nullable(z.string()),
  permissions: z.array(z.string()),
  customers: z.array(z.string()),
  ipAllowlist: z.array(z.string()),
  rateLimit: z.nullable(z.object({ limit: z.number(), windowSeconds: z.number() })),
  technicalOwner: z.nullable(z.string()),
  expiresAt: z.nullable(timestamp),
  createdAt: timestamp,
  createdBy: author,
  usageCount: z.number(),
  lastUsed: z.nullable(use),
  /** Agents that were enrolled with it, also those that were removed since. Enrolling counts as no use. */
  enrolledAgents: z.number(),
  rotation: z.nullable(z.object({ oldPrefix: z.string(), oldExpiresAt: timestamp, oldLastUsed: z.nullable(use) })),
});
export type Key = z.infer<typeof key>;

const editable = {
  name,
  description,
  groupId: z.nullable(id),
  permissions: z.nullable(permissions),
  ipAllowlist,
  rateLimit: z.nullable(rateLimit),
  customers,
  technicalOwner: z.nullable(email),
};

/** `permissions` narrows the group's; absent or null means all of them. */
export const createKeyBody = z.strictObject({
  ...z.partial(z.strictObject(editable)).shape,
  name,
  environment,
  expiresAt: z.optional(z.nullable(instant)),
});
export const editKeyBody = z.partial(z.strictObject(editable));
export const rotateBody = z.strictObject({
  overlapSeconds: z._default(z.literal([...OVERLAPS], `must be one of ${OVERLAPS.join(', ')}`), 0),
  expiresAt: z.optional(z.nullable(instant)),
});

export const OUTCOMES = ['valid', 'unauthorized', 'forbidden', 'rate_limited'] as const;
/** One day of a key's or a workspace's use, by outcome: 200, 401, 403, 429. */
export const usageDay = z.object({
  date: z.string(),
  valid: z.number(),
  unauthorized: z.number(),
  forbidden: z.number(),
  rateLimited: z.number(),
});
export type UsageDay = z.infer<typeof usageDay>;

/** A row of the request log. `code` is the precise one that the caller of the service did not learn. */
export const requestRow = z.object({
  requestId: z.string(),
  at: timestamp,
  keyId: z.string(),
  keyName: z.string(),
  prefix: z.string(),
  outcome: z.enum(OUTCOMES),
  code: z.string(),
  purpose: z.enum(['direct', 'enrolment']),
  verifier: z.nullable(z.string()),
  ip: z.nullable(z.string()),
  userAgent: z.nullable(z.string()),
});
export type RequestRow = z.infer<typeof requestRow>;

const keyAnswer = z.object({ key });
/** `secret` is there once; a repeat of the same Idempotency-Key answers `replayed: true` and no secret. */
export const keyWithSecret = z.object({ key, secret: z.optional(z.string()), replayed: z.optional(z.boolean()) });
export type KeyWithSecret = z.infer<typeof keyWithSecret>;
export const listQuery = z.strictObject({
  limit,
  cursor,
  status: z.optional(keyStatus),
  expiration: z.optional(expiration),
  environment: z.optional(environment),
  owner: z.optional(id),
  q: z.optional(remark),
});

export const keys = {
  listKeys: endpoint({
    id: 'listKeys',
    method: 'GET',
    path: `${W}/keys`,
    summary: 'Your keys, newest first; `owner=all` or a member id for admins',
    credential: 'session',
    action: 'key.list',
    query: listQuery,
    answers: { 200: listOf(key) },
  }),
  createKey: endpoint({
    id: 'createKey',
    method: 'POST',
    path: `${W}/keys`,
    summary: 'Generate a key of your own; its secret is in this answer only',
    credential: 'session',
    action: 'key.create',
    body: createKeyBody,
    answers: { 201: keyWithSecret },
    problems: ['upgrade_required', 'key_limit_reached', 'name_taken'],
    idempotent: true,
    secret: true,
  }),
  readKey: endpoint({
    id: 'readKey',
    method: 'GET',
    path: KEY,
    summary: 'One key',
    credential: 'session',
    action: 'key.read',
    answers: { 200: key },
  }),
  editKey: endpoint({
    id: 'editKey',
    method: 'PATCH',
    path: KEY,
    summary: 'Change what a key is called and what it may do; never its secret, environment or expiry',
    credential: 'session',
    action: 'key.edit',
    body: editKeyBody,
    answers: { 200: key },
    problems: ['conflict', 'name_taken'],
  }),
  rotateKey: endpoint({
    id: 'rotateKey',
    method: 'POST',
    path: `${KEY}/rotate`,
    summary: 'A new secret for the same key; the old one dies now or after the overlap',
    credential: 'session',
    action: 'key.rotate',
    body: rotateBody,
    answers: { 200: keyWithSecret },
    problems: ['conflict', 'upgrade_required', 'key_limit_reached'],
    idempotent: true,
    secret: true,
  }),
  finishRotation: endpoint({
    id: 'finishRotation',
    method: 'POST',
    path: `${KEY}/rotate/finish`,
    summary: 'The old secret dies now',
    credential: 'session',
    action: 'key.rotate',
    answers: { 200: keyAnswer },
    problems: ['conflict'],
  }),
  disableKey: endpoint({
    id: 'disableKey',
    method: 'POST',
    path: `${KEY}/disable`,
    summary: 'Refuse a key until it is enabled again',
    credential: 'session',
    action: 'key.disable',
    answers: { 200: keyAnswer },
    problems: ['conflict'],
  }),
  enableKey: endpoint({
    id: 'enableKey',
    method: 'POST',
    path: `${KEY}/enable`,
    summary: 'Accept a disabled key again',
    credential: 'session',
    action: 'key.disable',
    answers: { 200: keyAnswer },
    problems: ['conflict'],
  }),
  revokeKey: endpoint({
    id: 'revokeKey',
    method: 'POST',
    path: `${KEY}/revoke`,
    summary: 'Refuse a key for ever',
    credential: 'session',
    action: 'key.revoke',
    body: z.strictObject({ reason: z.optional(givenReason) }),
    answers: { 200: keyAnswer },
  }),
  revokeKeys: endpoint({
    id: 'revokeKeys',
    method: 'POST',
    path: `${W}/keys/revoke`,
    summary: 'Revoke several keys: all of them or none',
    credential: 'session',
    action: 'key.revoke',
    body: z.strictObject({
      ids: z.array(id).check(z.minLength(1, 'name at least one key'), z.maxLength(100, 'name at most 100 keys')),
      reason: z.optional(givenReason),
    }),
    answers: { 200: z.object({ keys: z.array(key) }) },
  }),
  keyUsage: endpoint({
    id: 'keyUsage',
    method: 'GET',
    path: `${KEY}/usage`,
    summary: 'Use by day and outcome',
    credential: 'session',
    action: 'key.read',
    query: z.strictObject({
      days: z._default(queryNumber(1, 90, 'must be a number from 1 to 90'), 30),
    }),
    answers: { 200: z.object({ days: z.array(usageDay) }) },
  }),
  keyRequests: endpoint({
    id: 'keyRequests',
    method: 'GET',
    path: `${KEY}/requests`,
    summary: 'The latest requests with this key, with the precise reason of every refusal',
    credential: 'session',
    action: 'key.read',
    query: z.strictObject({ limit, cursor }),
    answers: { 200: listOf(requestRow) },
  }),
} as const;
