import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { VerifyCode } from '../../shared/contract/verify.ts';
import type { ReportedNote, ReportedUse, SecretRef, UsageRecorder } from '../app/deps.ts';
import { Refusal } from '../domain/refusal.ts';
import { BatchBuilder, type UsageBatch, type UseOrigin } from './batch.ts';
import type { FromWriter } from './usage-worker.ts';

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
  record(entry: SecretRef, code: VerifyCode, use: UseOrigin, at: number): void;
  /** Writes what is waiting and ends. */
  close(): Promise<void>;
}

/**
 * Collects uses in memory and hands them to a thread of its own, which alone writes the activity file: neither the disk nor
 * another process's lock ever holds up a check.
 * @param onFault told once for each batch that can't be written yet
 */
export function createRecorder(activityFile: string, onFault: (error: string) => void): Recorder {
  let building = new BatchBuilder();
  let worker: Worker | undefined;
  let timer: NodeJS.Timeout | undefined;
  let ended: ((written: boolean) => void) | undefined;
  let closing = false;
  let inFlight: Promise<void> | undefined;
  let queue: Promise<void> = Promise.resolve();
  let waiting = 0;
  let dropped = 0;

  function start(): Worker {
    const made = new Worker(new URL('./usage-worker.ts', import.meta.url), {
      workerData: { file: activityFile },
      execArgv: [],
    });
    made.unref();
    made.on('message', (message: FromWriter) => {
      if (message.type === 'written') ended?.(true);
      else onFault(message.error);
    });
    made.on('error', (error) => onFault(String(error)));
    made.on('exit', () => {
      worker = undefined;
      ended?.(false);
    });
    return made;
  }

  /** Resolves to whether the thread wrote the batch; it dies only of something like a full memory. */
  function write(given: UsageBatch): Promise<boolean> {
    worker ??= start();
    worker.postMessage(given);
    return new Promise((done) => {
      ended = done;
    });
  }

  /** Has a batch written after those before it; the thread has one at a time. */
  function enqueue(given: UsageBatch): Promise<void> {
    waiting++;
    queue = queue.then(async () => {
      while (!closing && !(await write(given))) await sleep(1_000);
      waiting--;
    });
    return queue;
  }

  /** Hands over what is waiting, one batch at a time: under a foreign lock it gathers here. */
  function hand(): Promise<void> {
    if (!inFlight && !building.isEmpty) {
      const given = building.batch;
      building = new BatchBuilder();
      inFlight = enqueue(given).finally(() => {
        inFlight = undefined;
      });
    }
    return inFlight ?? Promise.resolve();
  }

  function schedule(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      void hand().then(() => {
        if (!building.isEmpty) schedule();
      });
    }, FLUSH_EVERY_MS).unref();
  }

  async function writeAll(): Promise<void> {
    while (inFlight || !building.isEmpty) await hand();
  }
  const within = (ms: number, work: Promise<void>) =>
    new Promise<void>((done) => {
      const late = setTimeout(done, ms);
      void work.then(() => {
        clearTimeout(late);
        done();
      });
    });

  return {
    record(entry, code, use, at) {
      if (use.purpose === 'direct') building.count(entry, code, 1, at, use.ip, use.userAgent);
      const hasRoom = code === 'valid' ? building.validRows < MOST_VALID_ROWS : building.rowCount < MOST_ROWS;
      if (hasRoom) building.note(entry, code, use, at);
      else {
        dropped++;
        if (code === 'valid' && use.purpose === 'direct') building.source(entry, 1, at, use.ip, use.userAgent);
      }
      schedule();
    },
    stats: () => ({ waiting: building.rowCount, dropped }),
    async report(verifierId, name, uses, notes) {
      if (closing || waiting > MOST_WAITING) throw new Refusal('unavailable', 'Report again in a moment.');
      await enqueue({ ...reported(verifierId, uses, notes), once: { verifierId, name } });
    },
    flush: () => within(FLUSH_WAIT_MS, writeAll()),
    async close() {
      clearTimeout(timer);
      await within(2_500, writeAll());
      closing = true;
      await stop(worker);
    },
  };
}

/** Lets the thread close its file; one that still waits for a lock is ended. */
async function stop(worker: Worker | undefined): Promise<void> {
  if (!worker) return;
  const gone = new Promise((done) => worker.once('exit', done));
  // With nothing else to do, Node would end here, in the middle of the stop.
  worker.ref();
  worker.postMessage(null);
  await Promise.race([gone, sleep(500, undefined, { ref: false }).then(() => worker.terminate())]);
}

/** What a service reports, as a batch: a use of which it sent no row came from where the last one came from. */
function reported(verifierId: string, uses: readonly ReportedUse[], notes: readonly ReportedNote[]): UsageBatch {
  const builder = new BatchBuilder();
  const noted = new Map<string, number>();
  for (const n of notes) {
    builder.note(n, n.code, { ...n, verifierId, purpose: 'direct' }, n.at);
    if (n.code === 'valid') noted.set(n.secretId, (noted.get(n.secretId) ?? 0) + 1);
  }
  for (const u of uses) {
    builder.count(u, u.code, u.count, u.lastAt, u.lastIp, u.lastUserAgent);
    const rest = u.code === 'valid' ? u.count - (noted.get(u.secretId) ?? 0) : 0;
    if (rest > 0) builder.source(u, rest, u.lastAt, u.lastIp, u.lastUserAgent);
  }
  return builder.batch;
}
