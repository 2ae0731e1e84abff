import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { cursor, environment, id, instant, limit, listOf, page, timestamp } from './fields.ts';
import { key, OUTCOMES, requestRow } from './keys.ts';
import { W } from './path.ts';
import { VERIFY_CODES } from './verify.ts';

/** How far back the figures of the overview go, and how long each point of their series is, in seconds. */
export const PERIODS = {
  '24h': { seconds: 86_400, step: 3_600 },
  '7d': { seconds: 7 * 86_400, step: 3 * 3_600 },
  '30d': { seconds: 30 * 86_400, step: 86_400 },
} as const;
export type Period = keyof typeof PERIODS;
const PERIOD_NAMES = Object.keys(PERIODS) as [Period, ...Period[]];
const period = z.enum(PERIOD_NAMES, `must be one of ${PERIOD_NAMES.join(', ')}`);

/** The requests from `at` on, for one step of the series, by outcome: 200, 401, 403, 429. */
const point = z.object({
  at: timestamp,
  valid: z.number(),
  unauthorized: z.number(),
  forbidden: z.number(),
  rateLimited: z.number(),
});
export type SeriesPoint = z.infer<typeof point>;

/** The first few, and how many there are. */
const some = z.object({ total: z.number(), items: z.array(key) });

export const overview = z.object({
  requests: z.object({ stepSeconds: z.number(), points: z.array(point) }),
  keys: z.object({
    used: z.number(),
    limit: z.number(),
    byStatus: z.object({
      active: z.number(),
      expiring_soon: z.number(),
      expired: z.number(),
      disabled: z.number(),
      revoked: z.number(),
    }),
    /** Of those that count toward the limit. */
    neverExpire: z.number(),
    anyAddress: z.number(),
  }),
  /** Soonest first. */
  expiringSoon: some,
  /** Keys that work, are older than 90 days and were not used in the last 90; oldest first. */
  unused: some,
});
export type Overview = z.infer<typeof overview>;

/** A warning to the owner of a key; the same one comes once. */
export const keyEvent = z.object({
  id: z.string(),
  at: timestamp,
  kind: z.enum(['key.expires']),
  keyId: z.string(),
  keyName: z.string(),
  prefix: z.string(),
  expiresAt: timestamp,
  /** 14, 7 or 1. */
  daysBefore: z.number(),
});
export type KeyEvent = z.infer<typeof keyEvent>;

export const job = z.object({
  name: z.string(),
  summary: z.string(),
  everySeconds: z.number(),
  nextRunAt: timestamp,
  lastRun: z.nullable(
    z.object({
      startedAt: timestamp,
      /** Null while it runs, or when the process ended under it. */
      endedAt: z.nullable(timestamp),
      outcome: z.nullable(z.enum(['ok', 'failed'])),
      detail: z.nullable(z.string()),
    }),
  ),
});
export type Job = z.infer<typeof job>;

export const activity = {
  readOverview: endpoint({
    id: 'readOverview',
    method: 'GET',
    path: `${W}/overview`,
    summary: 'Requests over time by outcome, keys by status, what expires soon and what nobody uses',
    credential: 'session',
    action: 'log.read',
    query: z.strictObject({ period: z._default(period, '30d'), environment: z.optional(environment) }),
    answers: { 200: overview },
  }),
  listRequests: endpoint({
    id: 'listRequests',
    method: 'GET',
    path: `${W}/requests`,
    summary: 'The request log of the workspace, newest first; a page may be short while there is a next one',
    credential: 'session',
    action: 'log.read',
    query: z.strictObject({
      limit,
      cursor,
      outcome: z.optional(z.enum(OUTCOMES, `must be one of ${OUTCOMES.join(', ')}`)),
      code: z.optional(z.enum(VERIFY_CODES, `must be one of ${VERIFY_CODES.join(', ')}`)),
      environment: z.optional(environment),
      key: z.optional(id),
      verifier: z.optional(id),
      requestId: z.optional(id),
      /** From this time on. */
      from: z.optional(instant),
      /** Before this time. */
      to: z.optional(instant),
    }),
    answers: { 200: listOf(requestRow) },
  }),
  listEvents: endpoint({
    id: 'listEvents',
    method: 'GET',
    path: `${W}/events`,
    summary: 'What your keys warn you of, newest first: they expire in 14, 7 or 1 days',
    credential: 'session',
    action: 'key.list',
    query: page,
    answers: { 200: listOf(keyEvent) },
  }),
  listJobs: endpoint({
    id: 'listJobs',
    method: 'GET',
    path: `${W}/jobs`,
    summary: 'What the companion does in the background, when it last did and how that ended',
    credential: 'session',
    action: 'log.read',
    answers: { 200: z.object({ items: z.array(job), nextCursor: z.nullable(z.string()) }) },
  }),
} as const;
