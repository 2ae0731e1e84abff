import { createHash } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { DataFolder } from './data-folder.ts';
import { kyselyOn, openReader } from './sqlite.ts';
import type { ActivityTables, Tables } from './tables.ts';

export type Tx = Transaction<Tables>;
/** Queries that work on the read-only handle and inside a transaction alike. */
export type Reading = Kysely<Tables>;

export interface Store {
  /** Reads what is committed, on a handle of its own: never waits for a writer. */
  read: Reading;
  /** One change: takes the write lock, seals the audit rows it wrote, commits durably (or leaves nothing behind). */
  transact<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  activity: { read: Kysely<ActivityTables>; write: Kysely<ActivityTables> };
  files: { database: string; activity: string };
  close(): Promise<void>;
}

/** Opens the query builders on a data folder. */
export function openStore(folder: DataFolder): Store {
  const write = kyselyOn<Tables>(folder.database);
  const read = kyselyOn<Tables>(openReader(folder.databaseFile));
  const activity = {
    write: kyselyOn<ActivityTables>(folder.activity),
    read: kyselyOn<ActivityTables>(openReader(folder.activityFile)),
  };
  return {
    read,
    transact: (work) =>
      write.transaction().execute(async (tx) => {
        const result = await work(tx);
        await sealAudit(tx);
        return result;
      }),
    activity,
    files: { database: folder.databaseFile, activity: folder.activityFile },
    async close() {
      for (const k of [read, activity.read, activity.write, write]) {
        // Kysely closes only what it has used.
        await sql`select 1`.execute(k);
        await k.destroy();
      }
    },
  };
}

const FIELDS = ['seq', 'workspace_id', 'at', 'actor', 'action', 'target', 'before', 'after', 'ip', 'client'] as const;
/** What the first row is chained to. */
export const CHAIN_START = '0'.repeat(64);

/** The chained hash of an audit row: SHA-256 over the hash before it and the row's fields as a JSON array. */
export function chainHash(previous: string, row: Record<(typeof FIELDS)[number], unknown>): string {
  return createHash('sha256')
    .update(JSON.stringify([previous, ...FIELDS.map((f) => row[f])]))
    .digest('hex');
}

/** Chains every row that has no hash yet, those written by triggers included. */
export async function sealAudit(tx: Tx): Promise<void> {
  const open = await tx.selectFrom('audit').selectAll().where('hash', 'is', null).orderBy('seq').execute();
  const start = open[0]?.seq;
  if (start === undefined) return;
  const last = await tx
    .selectFrom('audit')
    .select('hash')
    .where('seq', '<', start)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  let previous = last?.hash ?? CHAIN_START;
  for (const row of open) {
    previous = chainHash(previous, row);
    await tx.updateTable('audit').set({ hash: previous }).where('seq', '=', row.seq).execute();
  }
}
