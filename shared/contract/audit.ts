import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { cursor, instant, limit, listOf, queryNumber, remark, timestamp } from './fields.ts';
import { W } from './path.ts';

const json = z.nullable(z.record(z.string(), z.unknown()));

export const auditEntry = z.object({
  seq: z.number(),
  at: timestamp,
  /** Who: a member, a signed-in person, a key, the identity provider (`scim`), the companion itself or plain SQL (`database`). */
  actor: z.object({ type: z.string(), id: z.optional(z.string()), name: z.optional(z.string()) }),
  /** `<thing>.<what happened>`, e.g. `key.created`. */
  action: z.string(),
  target: z.object({ type: z.string(), id: z.string(), name: z.nullable(z.string()) }),
  before: json,
  after: json,
  ip: z.nullable(z.string()),
  /** The kind of client: `web`, `extension`, `cli`, `api` or `scim`; null where plain SQL wrote. */
  client: z.nullable(z.string()),
  /** SHA-256 that chains this entry to the one before; null until it is sealed. */
  hash: z.nullable(z.string()),
  /** `outside`: not the companion's own doing but plain SQL's, so that actor, time and address are what that SQL says. */
  source: z.enum(['companion', 'outside']),
});
export type AuditEntry = z.infer<typeof auditEntry>;

/** Who acts without being a person or a key; `database` is plain SQL. */
export const NOBODY = ['scim', 'system', 'operator', 'database'] as const;

const filters = {
  /** An id, a name or e-mail address as the entry has it, or one of `scim`, `system`, `operator` and `database`. */
  actor: z.optional(remark),
  /** An action, or what it begins with up to the dot: `key` finds `key.created`, `key.revoked`, …. */
  action: z.optional(
    z.string().check(z.regex(/^[a-z_]+(\.[a-z_]+)?$/, 'must look like key.created, or key for all of them')),
  ),
  /** An id or a name, as for `actor`. */
  target: z.optional(remark),
  /**
   * Whatever has this: an id, part of a name or e-mail address of who did it or of what it was done to, of a person as they
   * are called now, or how a hash begins.
   */
  q: z.optional(remark),
  /** From this time on. */
  from: z.optional(instant),
  /** Before this time. */
  to: z.optional(instant),
};
export const auditQuery = z.strictObject({ limit, cursor, ...filters });
export const EXPORT_FORMATS = ['jsonl', 'csv'] as const;
export const auditExportQuery = z.strictObject({
  format: z._default(z.enum(EXPORT_FORMATS, 'must be jsonl or csv'), 'jsonl'),
  ...filters,
});

const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits'));
const seq = queryNumber(1, Number.MAX_SAFE_INTEGER, 'must be the number of an entry');

export const chainQuery = z
  .strictObject({ seq: z.optional(seq), hash: z.optional(hash) })
  .check(z.refine((q) => (q.seq === undefined) === (q.hash === undefined), 'seq and hash go together'));

export const chainReport = z.object({
  valid: z.boolean(),
  entries: z.number(),
  /** When the first of them was written; null while there is none. */
  since: z.nullable(timestamp),
  /** Entries from outside the companion that the next change will seal. */
  pending: z.number(),
  /** The last sealed entry. Whoever keeps it elsewhere can prove later that nothing up to it was changed or cut off. */
  head: z.nullable(z.object({ seq: z.number(), hash: z.string() })),
  /** The first entry that does not fit; where the end is gone, the first that is missing. */
  brokenAt: z.optional(z.number()),
});
export type ChainReport = z.infer<typeof chainReport>;

export const audit = {
  listAudit: endpoint({
    id: 'listAudit',
    method: 'GET',
    path: `${W}/audit`,
    summary: 'Every change in the workspace, newest first',
    credential: 'session',
    action: 'audit.read',
    query: auditQuery,
    answers: { 200: listOf(auditEntry) },
  }),
  exportAudit: endpoint({
    id: 'exportAudit',
    method: 'GET',
    path: `${W}/audit/export`,
    summary: 'The log as a file, oldest first: JSON Lines, or CSV that is safe to open in a spreadsheet',
    credential: 'session',
    action: 'audit.read',
    query: auditExportQuery,
    answers: { 200: z.string() },
    produces: ['application/jsonl', 'text/csv'],
  }),
  verifyAudit: endpoint({
    id: 'verifyAudit',
    method: 'GET',
    path: `${W}/audit/verify`,
    summary:
      'Whether the hash chain holds; with `seq` and `hash` of a head that you kept, also whether it is still in it',
    credential: 'session',
    action: 'audit.read',
    query: chainQuery,
    answers: { 200: chainReport },
  }),
} as const;
