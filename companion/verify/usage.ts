import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { VerifyCode } from '../../shared/contract/verify.ts';
import type { ReportedNote, ReportedUse, SecretRef, UsageRecorder } from '../app/deps.ts';
import { Refusal } from '../domain/refusal.ts';
import { openReader } from '../store/sqlite.ts';
import { BatchBuilder, type Tallied, type UsageBatch, type UseOrigin } from './batch.ts';
import type { FromWriter, ToWriter } from './usage-worker.ts';

/** What is counted is in the file this much later at the most, as long as the file can be written. */
const FLUSH_EVERY_MS = 300;
/**
 * Rows of the request log between two flushes, for uses that were let through (ten thousand a second) and in all. What is beyond
 * is counted, but has no row.
 */
const MOST_VALID_ROWS = 3_000;
const MOST_ROWS = 100_000;
/** Batches that wait to be written; services are asked to come again. */
const MOST_WAITING = 100;
/** How long a reader waits for what is under way before it makes do with what is written. */
const FLUSH_WAIT_MS = 1_000;

export interface Recorder extends UsageRecorder {
  /** Counts one check of a known key, and notes it for the request log. Writes nothing itself. */
  record(entry: Tallied, code: VerifyCode, use: UseOrigin, at: number): void;
  /** Writes what is waiting and ends. */
  close(): Promise<void>;
}

/**
 * Collects uses in memory and hands them to a thread of its own, which alone writes the activity file: neither the disk nor
 * another process's lock ever holds up a check.
 * @param onFault told once for each batch that can't be written yet
 */
export function createRecorder(activityFile: string, onFault: (error: string) => void): Recorder {
  return new ThreadRecorder(activityFile, onFault);
}

class ThreadRecorder implements Recorder {
  readonly #thread: WriterThread;
  readonly #pending: { exists(): boolean; close(): void };
  #building = new BatchBuilder();
  #timer: NodeJS.Timeout | undefined;
  #inFlight: Promise<void> | undefined;
  #queue: Promise<void> = Promise.resolve();
  #closing = false;
  #waiting = 0;
  #dropped = 0;

  constructor(activityFile: string, onFault: (error: string) => void) {
    this.#thread = new WriterThread(activityFile, onFault);
    this.#pending = readPending(activityFile);
  }

  record(entry: Tallied, code: VerifyCode, use: UseOrigin, at: number): void {
    const building = this.#building;
    building.count(entry, code, 1, at, use);
    const hasRoom = code === 'valid' ? building.validNotes < MOST_VALID_ROWS : building.noteCount < MOST_ROWS;
    if (hasRoom) building.note(entry, code, use, at);
    else this.#dropped++;
    this.#schedule();
  }

  stats() {
    return { waiting: this.#building.noteCount, dropped: this.#dropped };
  }

  async report(verifierId: string, name: string, uses: readonly ReportedUse[], notes: readonly ReportedNote[]) {
    if (this.#closing || this.#waiting > MOST_WAITING) throw new Refusal('unavailable', 'Report again in a moment.');
    await this.#enqueue({ ...reported(verifierId, uses, notes), once: { verifierId, name } });
  }

  flush(): Promise<boolean> {
    return within(
      FLUSH_WAIT_MS,
      this.#writeGathered().then(() => this.#fold()),
    );
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await within(2_500, this.#writeAll());
    this.#closing = true;
    this.#pending.close();
    await this.#thread.stop();
  }

  /** Has a batch written after those before it; the thread has one at a time. */
  #enqueue(batch: UsageBatch): Promise<void> {
    this.#waiting++;
    this.#queue = this.#queue.then(async () => {
      while (!this.#closing && !(await this.#thread.ask({ type: 'write', batch }))) await sleep(1_000);
      this.#waiting--;
    });
    return this.#queue;
  }

  /** Hands over what is waiting, one batch at a time: under a foreign lock it gathers here. */
  #hand(): Promise<void> {
    if (!this.#inFlight && !this.#building.isEmpty) {
      const { batch } = this.#building;
      this.#building = new BatchBuilder();
      this.#inFlight = this.#enqueue(batch).finally(() => {
        this.#inFlight = undefined;
      });
    }
    return this.#inFlight ?? Promise.resolve();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#hand().then(() => {
        if (!this.#building.isEmpty) this.#schedule();
      });
    }, FLUSH_EVERY_MS).unref();
  }

  /** Has what was counted until now written; what comes meanwhile does not hold it up, of which under load there is no end. */
  async #writeGathered(): Promise<void> {
    await this.#inFlight;
    await this.#hand();
  }

  /** Has everything written, when nothing more comes. */
  async #writeAll(): Promise<boolean> {
    while (this.#inFlight || !this.#building.isEmpty) await this.#hand();
    return true;
  }

  /** Has what is written, by whatever process, added to the counts. */
  async #fold(): Promise<boolean> {
    if (this.#closing) return false;
    return !this.#pending.exists() || this.#thread.ask({ type: 'fold' });
  }
}

/** Whether there are uses that are written and not yet counted. */
function readPending(activityFile: string) {
  const db = openReader(activityFile);
  const some = db.prepare<[], number>('select exists (select 1 from use_pending)').pluck();
  return { exists: () => some.get() === 1, close: () => db.close() };
}

/** @returns what comes of the work, or false when it takes longer, which then goes on */
function within(ms: number, work: Promise<boolean>): Promise<boolean> {
  return new Promise((done) => {
    const late = setTimeout(done, ms, false);
    void work.then((whether) => {
      clearTimeout(late);
      done(whether);
    });
  });
}

/**
 * The thread. It is started ahead of the first use: that takes a while on a busy machine, and until then what is counted is in
 * memory alone.
 */
class WriterThread {
  readonly #file: string;
  readonly #onFault: (error: string) => void;
  readonly #asked: Record<'write' | 'fold', ((done: boolean) => void)[]> = { write: [], fold: [] };
  #worker: Worker | undefined;

  constructor(file: string, onFault: (error: string) => void) {
    this.#file = file;
    this.#onFault = onFault;
    this.#worker = this.#start();
  }

  /** Resolves to whether the thread did it; it dies only of something like a full memory. */
  ask(message: Exclude<ToWriter, { type: 'end' }>): Promise<boolean> {
    this.#worker ??= this.#start();
    this.#worker.postMessage(message);
    return new Promise((done) => this.#asked[message.type].push(done));
  }

  /** Lets the thread close its file; one that still waits for a lock is ended. */
  async stop(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    const gone = new Promise((done) => worker.once('exit', done));
    // With nothing else to do, Node would end here, in the middle of the stop.
    worker.ref();
    worker.postMessage({ type: 'end' } satisfies ToWriter);
    await Promise.race([gone, sleep(500, undefined, { ref: false }).then(() => worker.terminate())]);
  }

  #start(): Worker {
    const made = new Worker(new URL('./usage-worker.ts', import.meta.url), {
      workerData: { file: this.#file },
      execArgv: [],
    });
    made.unref();
    made.on('message', (message: FromWriter) => {
      if (message.type === 'late') this.#onFault(message.error);
      else this.#asked[message.type === 'written' ? 'write' : 'fold'].shift()?.(true);
    });
    made.on('error', (error) => this.#onFault(String(error)));
    made.on('exit', () => {
      this.#worker = undefined;
      for (const waiting of Object.values(this.#asked)) for (const tell of waiting.splice(0)) tell(false);
    });
    return made;
  }
}

/** What a service reports, as a batch: a use of which it sent no row came from where the last one came from. */
function reported(verifierId: string, uses: readonly ReportedUse[], notes: readonly ReportedNote[]): UsageBatch {
  const builder = new BatchBuilder();
  const secrets = new Map<string, Tallied>();
  const secretOf = (ref: SecretRef): Tallied => {
    const known = secrets.get(ref.secretId) ?? { ...ref };
    secrets.set(ref.secretId, known);
    return known;
  };
  const nameOf = ({ secretId, code }: SecretRef & { code: VerifyCode }) => `${secretId} ${code}`;
  const rest = new Map<string, number>();
  for (const use of uses) rest.set(nameOf(use), (rest.get(nameOf(use)) ?? 0) + use.count);
  for (const n of notes) {
    const source = { ip: n.ip, userAgent: n.userAgent, purpose: 'direct' } as const;
    builder.note(secretOf(n), n.code, { ...n, ...source, verifierId }, n.at);
    const left = rest.get(nameOf(n)) ?? 0;
    if (!left) continue;
    rest.set(nameOf(n), left - 1);
    builder.count(secretOf(n), n.code, 1, n.at, source);
  }
  for (const u of uses) {
    const left = Math.min(rest.get(nameOf(u)) ?? 0, u.count);
    rest.set(nameOf(u), (rest.get(nameOf(u)) ?? 0) - left);
    const source = { ip: u.lastIp, userAgent: u.lastUserAgent, purpose: 'direct' } as const;
    if (left) builder.count(secretOf(u), u.code, left, u.lastAt, source);
  }
  return builder.batch;
}
