import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { openDataFolder } from '../../companion/store/data-folder.ts';
import { scratchFolder } from '../support/process.ts';

test('what was acknowledged outlives a power cut: the database is written with synchronous=FULL in WAL mode', () => {
  const folder = scratchFolder();
  // The first start makes the files, the second finds them.
  for (const start of ['first', 'second']) {
    const { database, activity } = openDataFolder(folder, undefined, randomBytes);
    const pragma = (name: string) => database.pragma(name, { simple: true });
    expect([pragma('synchronous'), pragma('journal_mode'), pragma('foreign_keys')], start).toEqual([2, 'wal', 1]);
    database.close();
    activity.close();
  }
});
