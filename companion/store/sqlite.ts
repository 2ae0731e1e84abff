import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';

/** Another process kept the write lock for longer than `WAIT_MS`. Nothing was written; the request may be sent again. */
export class StoreBusy extends Error {}

const WAIT_MS = 5_000;

/**
 * Transactions that take the write lock at their start (a deferred one fails at its first write when another process wrote
 * meanwhile), and that wait for it without blocking the event loop, so that verification goes on under a foreign lock.
 */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const deadline = performance.now() + WAIT_MS;
    for (let pause = 1; ; pause = Math.min(pause * 2, 25)) {
      try {
        await connection.executeQuery(CompiledQuery.raw('begin immediate'));
        return;
      } catch (error) {
        if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
        if (performance.now() > deadline) throw new StoreBusy('the database is locked by another process');
        await sleep(pause * (0.5 + Math.random()));
      }
    }
  }
}

/** better-sqlite3 with its prepared statements kept: Kysely would prepare the same text again for every query. */
function withStatementCache(db: Database.Database) {
  const statements = new Map<string, Database.Statement>();
  return {
    close: () => db.close(),
    prepare(sql: string) {
      const known = statements.get(sql);
      if (known) return known;
      const made = db.prepare(sql);
      if (statements.size < 500) statements.set(sql, made);
      return made;
    },
  };
}

/** A typed query builder on an open handle. */
export function kyselyOn<T>(db: Database.Database): Kysely<T> {
  return new Kysely<T>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new ImmediateDriver({ database: withStatementCache(db) }),
      createIntrospector: (k) => new SqliteIntrospector(k),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

/**
 * The one handle that writes a file. The driver drops `synchronous` to NORMAL in WAL mode, where a power cut loses
 * acknowledged writes: it is set again, explicitly.
 * @param synchronous FULL for what was acknowledged, NORMAL for counts
 */
export function openWriter(file: string, synchronous: 'FULL' | 'NORMAL'): Database.Database {
  const db = new Database(file, { timeout: 0 });
  db.pragma('busy_timeout = 5000');
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${synchronous}`);
  db.pragma('foreign_keys = ON');
  // From here on `begin immediate` is tried again by the driver instead of blocking the event loop.
  db.pragma('busy_timeout = 0');
  return db;
}

/** A handle that can't write and never waits for a writer (WAL). */
export function openReader(file: string): Database.Database {
  const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 1000 });
  db.pragma('query_only = ON');
  return db;
}
