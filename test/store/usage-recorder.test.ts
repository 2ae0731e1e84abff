import { once } from 'node:events';
import { setImmediate as otherWork } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ACTIVITY_MIGRATIONS, migrate } from '../../companion/store/migrate.ts';
import { BatchBuilder } from '../../companion/verify/batch.ts';
import { createRecorder } from '../../companion/verify/usage.ts';
import { Folder } from '../../companion/verify/usage-fold.ts';
import { Folding } from '../../companion/verify/usage-folding.ts';
import { createBatchWriter } from '../../companion/verify/usage-writer.ts';
import { scratchFolder } from '../support/process.ts';

function open() {
  const file = `${scratchFolder()}/activity.sqlite`;
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  migrate(db, ACTIVITY_MIGRATIONS, file);
  const faults: string[] = [];
  const recorder = createRecorder(file, (error) => faults.push(error));
  onTestFinished(async () => {
    vi.useRealTimers();
    await recorder.close();
    db.close();
    expect(faults).toEqual([]);
  });
  const secretOf = (key: string) => ({
    secretId: `sec_${key}`,
    keyId: `key_${key}`,
    workspaceId: 'ws_1',
    environment: 'production' as const,
    prefix: 'heex_prod_a',
  });
  let made = 0;
  const use = (key: string) =>
    recorder.record(
      secretOf(key),
      'valid',
      { requestId: `req_${++made}`, ip: '10.0.0.1', userAgent: null, verifierId: 'ver_1', purpose: 'direct' },
      Date.UTC(2026, 4, 4, 12),
    );
  const usesOf = (key: string) =>
    db.prepare<[string], number>('select uses from secret_use where key_id = ?').pluck().get(`key_${key}`);
  return { db, recorder, secretOf, use, usesOf };
}

test('whoever looks waits for what was counted before, not for what is counted meanwhile', async ({ signal }) => {
  // Nothing but the counts may end the wait.
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const { recorder, use, usesOf } = open();
  for (let round = 1; round <= 3; round++) {
    use('first');
    let done = false;
    void recorder.flush().then(() => {
      done = true;
    });
    // A busy companion: more with every turn.
    for (let n = 0; !done && !signal.aborted; n++) {
      use(`${n % 100}`);
      await otherWork();
    }
    expect(usesOf('first')).toBe(round);
  }
});

test('whoever looks while counts are being added waits for what was written before, whoever looks later for the rest', async () => {
  const { db, secretOf, usesOf } = open();
  const folding = new Folding(new Folder(db));
  const write = createBatchWriter(db);
  const writeUses = (key: string, uses: number) => {
    const building = new BatchBuilder();
    const from = { ip: null, userAgent: null, purpose: 'direct' } as const;
    building.count(secretOf(key), 'valid', uses, Date.UTC(2026, 4, 4, 12), from);
    write(building.batch, 0);
  };
  writeUses('before', 1);
  const underWay = folding.all();
  await otherWork();
  writeUses('before', 10);
  const looks = [folding.all(), folding.all()];
  writeUses('meanwhile', 1);
  await Promise.all([underWay, ...looks]);
  expect([usesOf('before'), usesOf('meanwhile')]).toEqual([11, undefined]);
  await folding.all();
  expect([usesOf('before'), usesOf('meanwhile')]).toEqual([11, 1]);
  await folding.all();
  expect(db.prepare('select count(*) from use_pending').pluck().get()).toBe(0);
});

test('the thread that writes is there before the first use, after which the process may soon be killed', async () => {
  const started = once(process, 'worker');
  open();
  await started;
});
