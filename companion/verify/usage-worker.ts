import { parentPort, workerData } from 'node:worker_threads';
import { openWriter } from '../store/sqlite.ts';
import type { UsageBatch } from './batch.ts';
import { createBatchWriter } from './usage-writer.ts';

export type FromWriter = { type: 'written' } | { type: 'late'; error: string };

const pause = new Int32Array(new SharedArrayBuffer(4));

/** The thread that alone writes the activity file: it waits for the lock as long as it takes, since nobody waits for it. */
function serve(port: NonNullable<typeof parentPort>, file: string): void {
  const say = (message: FromWriter) => port.postMessage(message);
  const persist = <T>(work: () => T): T => {
    for (;;) {
      try {
        return work();
      } catch (error) {
        say({ type: 'late', error: String(error) });
        Atomics.wait(pause, 0, 0, 500);
      }
    }
  };
  const { db, write } = persist(() => {
    const opened = openWriter(file, 'NORMAL');
    opened.pragma('busy_timeout = 1000');
    // Rows scatter over the index by key: with room for it, and fewer checkpoints, a row costs a sixth less.
    opened.pragma('cache_size = -32768');
    opened.pragma('wal_autocheckpoint = 4000');
    return { db: opened, write: createBatchWriter(opened) };
  });
  port.on('message', (batch: UsageBatch | null) => {
    if (!batch) {
      db.close();
      port.close();
      return;
    }
    persist(() => write(batch, Date.now()));
    say({ type: 'written' });
  });
}

if (parentPort) serve(parentPort, (workerData as { file: string }).file);
