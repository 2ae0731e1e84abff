import { createHmac } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { ACTIVITY_MIGRATIONS, checkVersion, DatabaseRefused, MIGRATIONS, migrate } from './migrate.ts';
import { openReader, openWriter } from './sqlite.ts';

const KEY_BYTES = 32;
const MADE_FOR = 'hash_key_fingerprint';

export interface DataFolder {
  databaseFile: string;
  activityFile: string;
  database: Database.Database;
  activity: Database.Database;
  hashKey: Buffer;
}

const fingerprint = (hashKey: Buffer) => createHmac('sha256', hashKey).update('heex-keys hash key').digest('hex');

function writeDurably(file: string, data: string): void {
  writeFileSync(file, data, { mode: 0o600, flag: 'wx', flush: true });
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw new DatabaseRefused(`HEEX_DATA: ${folder} can't be written; give this user a folder of its own`);
  }
}

/** First start. Made under other names and renamed last, so that a crash half-way leaves nothing that looks finished. */
function create(
  folder: string,
  database: string,
  keyFile: string,
  given: Buffer | undefined,
  random: (n: number) => Buffer,
): void {
  const hashKey = given ?? random(KEY_BYTES);
  const [newDatabase, newKey] = [`${database}.new`, `${keyFile}.new`];
  for (const leftover of [newDatabase, `${newDatabase}-wal`, `${newDatabase}-shm`, newKey])
    rmSync(leftover, { force: true });
  const db = openWriter(newDatabase, 'FULL');
  migrate(db, MIGRATIONS, database);
  db.prepare('insert into meta (name, value) values (?, ?)').run(MADE_FOR, fingerprint(hashKey));
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  if (!given) writeDurably(newKey, `${hashKey.toString('base64')}\n`);
  renameSync(newDatabase, database);
  if (!given) renameSync(newKey, keyFile);
  syncFolder(folder);
}

function readKey(keyFile: string): Buffer {
  let text: string;
  try {
    text = readFileSync(keyFile, 'utf8');
  } catch (error) {
    throw new DatabaseRefused(`${keyFile} can't be read (${(error as { code?: string }).code}); give it to this user`);
  }
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== KEY_BYTES)
    throw new DatabaseRefused(`${keyFile} is not a hash key (32 bytes in base64); restore it from a backup`);
  return key;
}

/** What a failure to open a file means, in one line. */
function refusalOf(error: unknown, file: string): DatabaseRefused {
  if (error instanceof DatabaseRefused) return error;
  const code = (error as { code?: string }).code ?? '';
  if (code === 'EACCES' || code === 'EROFS' || code.startsWith('SQLITE_READONLY') || code === 'SQLITE_CANTOPEN')
    return new DatabaseRefused(`${file} can't be written`);
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT'))
    return new DatabaseRefused(`${file} is corrupt or not a database; restore it from a backup`);
  return new DatabaseRefused(`${file} can't be opened (${code || (error as Error).message})`);
}

/** Runs `look` on a read-only handle: a file that is refused stays as it is. */
function inspect(file: string, look: (db: Database.Database) => void): void {
  let db: Database.Database | undefined;
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    db = openReader(file);
    const found = String(db.pragma('quick_check(1)', { simple: true })).replaceAll('\n', ' ');
    if (found !== 'ok') throw new DatabaseRefused(`${file} is corrupt (${found}); restore it from a backup`);
    look(db);
  } catch (error) {
    throw refusalOf(error, file);
  } finally {
    db?.close();
  }
}

function open(file: string, synchronous: 'FULL' | 'NORMAL', migrations: readonly string[]): Database.Database {
  let db: Database.Database | undefined;
  try {
    db = openWriter(file, synchronous);
    migrate(db, migrations, file);
    return db;
  } catch (error) {
    db?.close();
    throw refusalOf(error, file);
  }
}

/** One process at a time makes the first files; a lock left by a crash is taken over after ten seconds. */
function whileAlone(folder: string, work: () => void): void {
  const lock = join(folder, '.first-start');
  const wait = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw refusalOf(error, folder);
      const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
      if (since !== undefined && Date.now() - since > 10_000) rmSync(lock, { recursive: true, force: true });
      else Atomics.wait(wait, 0, 0, 50);
    }
  }
  try {
    work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/**
 * Opens (or on first start makes) the folder with the database, the activity file and the hash key.
 * @param given the hash key from the configuration, instead of the file
 * @throws DatabaseRefused with one line that says what is wrong and what to do
 */
export function openDataFolder(folder: string, given: Buffer | undefined, random: (n: number) => Buffer): DataFolder {
  prepareFolder(folder);
  const database = join(folder, 'heex.sqlite');
  const activity = join(folder, 'activity.sqlite');
  const keyFile = join(folder, 'hash.key');
  whileAlone(folder, () => {
    const [hasDatabase, hasKey] = [existsSync(database), existsSync(keyFile)];
    // The key was renamed last: with both new files in place, finish what a crash interrupted.
    if (hasDatabase && !hasKey && !given && existsSync(`${keyFile}.new`)) renameSync(`${keyFile}.new`, keyFile);
    else if (!hasDatabase && !hasKey) {
      try {
        create(folder, database, keyFile, given, random);
      } catch (error) {
        throw refusalOf(error, database);
      }
    } else if (!hasDatabase)
      throw new DatabaseRefused(
        `${keyFile} is there but ${database} is missing; restore the database, or use an empty folder`,
      );
    else if (!hasKey && !given)
      throw new DatabaseRefused(
        `${keyFile} is missing beside ${database}; restore it (or set HEEX_HASH_KEY): without it no key can be checked`,
      );
  });
  if (statSync(database).size === 0)
    throw new DatabaseRefused(`${database} is empty; restore it from a backup, or use an empty folder`);
  const hashKey = given ?? readKey(keyFile);
  inspect(database, (db) => {
    checkVersion(db, MIGRATIONS, database);
    const made = db.prepare('select value from meta where name = ?').pluck().get(MADE_FOR);
    if (made !== fingerprint(hashKey))
      throw new DatabaseRefused(`the hash key does not belong to ${database}; restore the one that it was made with`);
  });
  const db = open(database, 'FULL', MIGRATIONS);
  return { databaseFile: database, activityFile: activity, database: db, activity: openActivity(activity), hashKey };
}

function openActivity(file: string): Database.Database {
  if (existsSync(file) && statSync(file).size > 0) inspect(file, () => {});
  return open(file, 'NORMAL', ACTIVITY_MIGRATIONS);
}
