import { createHash, createHmac } from 'node:crypto';
import { setImmediate as otherWork } from 'node:timers/promises';
import type { Selectable } from 'kysely';
import type { Reading, Tx } from './store.ts';
import type { AuditRow } from './tables.ts';

type AuditSource = Selectable<AuditRow>['source'];

const FIELDS = ['seq', 'workspace_id', 'at', 'actor', 'action', 'target', 'before', 'after', 'ip', 'client'] as const;

/** What the first row of a workspace is chained to. */
export const CHAIN_START = '0'.repeat(64);

/**
 * The chained hash of an audit row: SHA-256 over a JSON array of the hash before it, the row's fields, and `source` where it
 * has one.
 */
export function chainHash(previous: string, row: Selectable<AuditRow>): string {
  return createHash('sha256')
    .update(JSON.stringify([previous, ...FIELDS.map((f) => row[f]), ...(row.source === null ? [] : [row.source])]))
    .digest('hex');
}

/**
 * The seal on a chain's head: HMAC-SHA-256 under the hash key. Who can write to the database but has no hash key can
 * neither chain the log anew nor cut its end off without breaking it.
 */
function sealOf(hashKey: Buffer, head: { workspaceId: string; seq: number; hash: string }): string {
  return createHmac('sha256', hashKey)
    .update(JSON.stringify(['audit-head', head.workspaceId, head.seq, head.hash]))
    .digest('hex');
}

/** What the next row is chained to when the head is gone or not genuine: no row has this hash, so the chain stays broken. */
const BROKEN = 'f'.repeat(64);

/**
 * Begins the chain of a workspace, in the transaction that makes the workspace and writes its first row. There is no other
 * beginning: without this head every row is chained to `BROKEN`, so that a log that was emptied does not begin anew.
 */
export async function startChain(tx: Tx, hashKey: Buffer, workspaceId: string): Promise<void> {
  const head = { seq: 0, hash: CHAIN_START };
  const seal = sealOf(hashKey, { workspaceId, ...head });
  await tx
    .insertInto('audit_head')
    .values({ workspace_id: workspaceId, ...head, seal })
    .execute();
}

/**
 * Chains every row that has no hash yet. They are chained to the sealed head rather than to the row before them: a log whose
 * end was cut off does not heal by going on.
 * @param source `outside` at the beginning of a transaction: what is unsealed then was not written by a companion, whatever it
 *   says. Null at its end: nobody else has written meanwhile
 */
export async function sealAudit(tx: Tx, hashKey: Buffer, source: AuditSource): Promise<void> {
  const open = await tx.selectFrom('audit').selectAll().where('hash', 'is', null).orderBy('seq').execute();
  const heads = new Map<string, ChainHead>();
  for (const row of open) {
    const previous = heads.get(row.workspace_id)?.hash ?? (await headHash(tx, hashKey, row.workspace_id));
    const hash = chainHash(previous, { ...row, source });
    await tx.updateTable('audit').set({ hash, source }).where('seq', '=', row.seq).execute();
    heads.set(row.workspace_id, { seq: row.seq, hash });
  }
  for (const [workspaceId, { seq, hash }] of heads) {
    const head = { seq, hash, seal: sealOf(hashKey, { workspaceId, seq, hash }) };
    await tx
      .insertInto('audit_head')
      .values({ workspace_id: workspaceId, ...head })
      .onConflict((c) => c.column('workspace_id').doUpdateSet(head))
      .execute();
  }
}

async function headHash(tx: Tx, hashKey: Buffer, workspaceId: string): Promise<string> {
  const head = await readHead(tx, hashKey, workspaceId);
  return head?.genuine ? head.hash : BROKEN;
}

export interface ChainHead {
  seq: number;
  /** SHA-256, hex. */
  hash: string;
}
export interface ChainReport {
  valid: boolean;
  /** How many rows the workspace's log has. */
  entries: number;
  /** When the first of them was written, RFC 3339; null while there is none. */
  since: string | null;
  /** Rows that plain SQL wrote and that the next change will seal. */
  pending: number;
  /** The last sealed row: whoever keeps it can later prove that the log up to it is still there, unchanged. */
  head: ChainHead | null;
  /** The number of the first row that does not fit; for a log whose end is gone, the first that is missing. */
  brokenAt?: number;
}

/** Rows read and hashed at a stretch: about two milliseconds, for which verification waits. */
const BATCH = 250;

/** The sealed head, as it was at one moment; undefined where the workspace has none. */
async function readHead(db: Reading, hashKey: Buffer, workspaceId: string) {
  const head = await db.selectFrom('audit_head').selectAll().where('workspace_id', '=', workspaceId).executeTakeFirst();
  if (!head) return undefined;
  const { seq, hash, seal } = head;
  const genuine = seal === sealOf(hashKey, { workspaceId, seq, hash });
  return { seq, hash, genuine, fits: (row: ChainHead) => row.seq !== seq || (genuine && row.hash === hash) };
}

async function* rowsOf(db: Reading, workspaceId: string): AsyncGenerator<Selectable<AuditRow>> {
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('audit')
      .selectAll()
      .where('workspace_id', '=', workspaceId)
      .where('seq', '>', after)
      .where('seq', '<=', Number.MAX_SAFE_INTEGER)
      .orderBy('seq')
      .limit(BATCH)
      .execute();
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < BATCH) return;
    after = last.seq;
    await otherWork();
  }
}

/** A row with a number that none ever has: they are given from 1 on, and beyond 2^53 two could not be told apart. */
async function findMisnumbered(db: Reading, workspaceId: string): Promise<number | undefined> {
  const rows = db.selectFrom('audit').select('seq').where('workspace_id', '=', workspaceId).limit(1);
  const lowest = await rows.orderBy('seq').executeTakeFirst();
  const highest = await rows.orderBy('seq', 'desc').executeTakeFirst();
  return [lowest, highest].find((row) => row && (row.seq < 1 || row.seq > Number.MAX_SAFE_INTEGER))?.seq;
}

/**
 * Walks the chain of a workspace. Works beside a running companion, on any handle; rows that are written meanwhile may or
 * may not be counted.
 * @param anchor a head that was kept from an earlier report or export: it has to be in the chain
 */
export async function verifyChain(
  db: Reading,
  hashKey: Buffer,
  workspaceId: string,
  anchor?: ChainHead,
): Promise<ChainReport> {
  const report = await walkChain(db, hashKey, workspaceId, anchor);
  // A pending row that was sealed between two batches looks like a break, once.
  return report.valid || !report.pending ? report : walkChain(db, hashKey, workspaceId, anchor);
}

/** The latest time that a date can have, ECMA-262. */
export const LAST_TIME_MS = 8.64e15;
/** Null for what is no time: a log that was tampered with is still to be walked to its end. */
const timeOf = (at: number) => (Math.abs(at) <= LAST_TIME_MS ? new Date(at).toISOString() : null);

async function walkChain(
  db: Reading,
  hashKey: Buffer,
  workspaceId: string,
  anchor: ChainHead | undefined,
): Promise<ChainReport> {
  const earlier = await readHead(db, hashKey, workspaceId);
  let [entries, pending, anchored] = [0, 0, anchor === undefined];
  let head: ChainHead | undefined;
  let brokenAt = await findMisnumbered(db, workspaceId);
  let since: string | null = null;
  for await (const row of rowsOf(db, workspaceId)) {
    entries += 1;
    if (entries === 1) since = timeOf(row.at);
    if (row.hash === null) {
      pending += 1;
      continue;
    }
    const link = { seq: row.seq, hash: row.hash };
    const chained = row.hash === chainHash(head?.hash ?? CHAIN_START, row);
    // The chain never grows behind an unsealed row.
    if (pending || !chained || earlier?.fits(link) === false) brokenAt ??= row.seq;
    if (anchor?.seq === row.seq && anchor.hash === row.hash) anchored = true;
    head = link;
  }
  const end = head?.seq ?? 0;
  if (earlier && earlier.seq > end) brokenAt ??= end + 1;
  const later = await readHead(db, hashKey, workspaceId);
  // Rows and head are written together, and the head was read after them: rows beyond it were not sealed by a companion.
  if (!later?.genuine || later.seq < end) brokenAt ??= (later?.seq ?? 0) + 1;
  if (anchor && !anchored) brokenAt ??= anchor.seq;
  return {
    valid: brokenAt === undefined,
    entries,
    since,
    pending,
    head: head ?? null,
    ...(brokenAt === undefined ? {} : { brokenAt }),
  };
}
