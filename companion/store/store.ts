import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import { type ChainHead, type ChainReport, sealAudit, startChain, verifyChain } from './audit-chain.ts';
import type { DataFolder } from './data-folder.ts';
import { kyselyOn, openReader } from './sqlite.ts';
import type { ActivityTables, Tables } from './tables.ts';

export type Tx = Transaction<Tables>;
/** Queries that work on the read-only handle and inside a transaction alike. */
export type Reading = Kysely<Tables>;

export interface Store {
  /** Reads what is committed, on a handle of its own: never waits for a writer. */
  read: Reading;
  /** One change: takes the write lock, seals the audit rows that it found and those it wrote, commits durably (or leaves nothing behind). */
  transact<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Begins the audit chain of a workspace that this transaction makes; see `audit-chain.ts`. */
  startAudit(tx: Tx, workspaceId: string): Promise<void>;
  /** Walks the audit chain of a workspace; see `audit-chain.ts`. */
  verifyAudit(workspaceId: string, anchor?: ChainHead): Promise<ChainReport>;
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
        await sealAudit(tx, folder.hashKey, 'outside');
        const result = await work(tx);
        await sealAudit(tx, folder.hashKey, null);
        return result;
      }),
    startAudit: (tx, workspaceId) => startChain(tx, folder.hashKey, workspaceId),
    verifyAudit: (workspaceId, anchor) => verifyChain(read, folder.hashKey, workspaceId, anchor),
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
