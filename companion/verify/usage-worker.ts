import { parentPort, workerData } from 'node:worker_threads';
import { openWriter } from '../store/sqlite.ts';
import type { UsageBatch } from './batch.ts';
import { Folder } from './usage-fold.ts';
import { Folding } from './usage-folding.ts';
import { createBatchWriter } from './usage-writer.ts';

/** A batch to be written; that everything written so far is to be added to the counts now; that there will be no more. */
export type ToWriter = { type: 'write'; batch: UsageBatch } | { type: 'fold' } | { type: 'end' };
export type FromWriter = { type: 'written' } | { type: 'folded' } | { type: 'late'; error: string };

/** What is written is added to the counts this much later at the most, unless adding takes long. */
const FOLD_EVERY_MS = 2_000;
/** Adding takes no more than a quarter of the time: the longer it takes, the more keys each time does at once. */
const REST = 3;

const pause = new Int32Array(new SharedArrayBuffer(4));

/** The thread that alone writes the activity file: it waits for the lock as long as it takes, since nobody waits for it. */
class Writer {
  readonly #port: NonNullable<typeof parentPort>;
  readonly #db: ReturnType<typeof openWriter>;
  readonly #write: ReturnType<typeof createBatchWriter>;
  readonly #folding: Folding;
  #timer: NodeJS.Timeout | undefined;
  #rest = FOLD_EVERY_MS;

  constructor(port: NonNullable<typeof parentPort>, file: string) {
    this.#port = port;
    const [db, write, folder] = this.#persist(() => {
      const db = openWriter(file, 'NORMAL');
      db.pragma('busy_timeout = 1000');
      // With room for the index by key, and fewer checkpoints, a row of the request log costs a sixth less.
      db.pragma('cache_size = -32768');
      db.pragma('wal_autocheckpoint = 4000');
      return [db, createBatchWriter(db), new Folder(db)] as const;
    });
    [this.#db, this.#write] = [db, write];
    this.#folding = new Folding({
      newest: () => this.#persist(() => folder.newest()),
      step: (upto, most) => this.#persist(() => folder.step(upto, most)),
    });
  }

  async take(message: ToWriter): Promise<void> {
    if (message.type === 'write') {
      this.#persist(() => this.#write(message.batch, Date.now()));
      this.#say({ type: 'written' });
      this.#foldSoon();
    } else if (message.type === 'fold') {
      await this.#foldNow();
      this.#say({ type: 'folded' });
    } else {
      await this.#foldNow();
      this.#db.close();
      this.#port.close();
    }
  }

  #foldSoon(): void {
    this.#timer ??= setTimeout(() => void this.#foldNow(), this.#rest);
  }

  /** Has what is written by now added. */
  async #foldNow(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const began = performance.now();
    await this.#folding.all();
    this.#rest = Math.max(FOLD_EVERY_MS, REST * (performance.now() - began));
  }

  #say(message: FromWriter): void {
    this.#port.postMessage(message);
  }

  #persist<T>(work: () => T): T {
    for (;;) {
      try {
        return work();
      } catch (error) {
        this.#say({ type: 'late', error: String(error) });
        Atomics.wait(pause, 0, 0, 500);
      }
    }
  }
}

if (parentPort) {
  const writer = new Writer(parentPort, (workerData as { file: string }).file);
  parentPort.on('message', (message: ToWriter) => void writer.take(message));
}
