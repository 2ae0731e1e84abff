import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { statusOf } from '../../shared/check.ts';
import type { VerifyCode } from '../../shared/contract/verify.ts';
import type { KeyCheck, SecretRef, UsageRecorder } from '../app/deps.ts';
import { Refusal } from '../domain/refusal.ts';
import { HOUR_MS } from '../domain/time.ts';
import type { FromWriter } from './usage-worker.ts';
import { ROW_FIELDS, type UsageBatch, type UsageCount } from './usage-writer.ts';

/** What is counted is in the file this much later at the most, as long as the file can be written. */
const FLUSH_EVERY_MS = 300;
/** Rows of the request log held between two flushes; what is beyond is counted but has no row. */
const MOST_ROWS = 100_000;
/** Batches that wait to be written; services are asked to come again. */
const MOST_WAITING = 100;
/** How long a reader waits for what is under way before it makes do with what is written. */
const FLUSH_WAIT_MS = 1_000;

const OUTCOME_OF = { 200: 'valid', 401: 'unauthorized', 403: 'forbidden', 429: 'rate_limited' } as const;
type Outcome = (typeof OUTCOME_OF)[200 | 401 | 403 | 429];

export type UseOrigin = Pick<KeyCheck, 'requestId' | 'ip' | 'userAgent' | 'verifierId' | 'purpose'>;

export interface Recorder extends UsageRecorder {
  /** Counts one check of a known key, and notes it for the request log. Writes nothing itself. */
  record(entry: SecretRef, code: VerifyCode, use: UseOrigin, at: number): void;
  /** Writes what is waiting and ends. */
  close(): Promise<void>;
}

const emptyBatch = (): UsageBatch => ({ counts: [], rows: [] });

/**
 * Collects uses in memory and hands them to a thread of its own, which alone writes the activity file: neither the disk nor
 * another process's lock ever holds up a check.
 * @param onFault told once for each batch that can't be written yet
 */
export function createRecorder(activityFile: string, onFault: (error: string) => void): Recorder {
  let batch = emptyBatch();
  let pending = new Map<string, UsageCount>();
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
    if (!inFlight && (pending.size || batch.rows.length)) {
      const given: UsageBatch = { counts: [...pending.values()], rows: batch.rows };
      batch = emptyBatch();
      pending = new Map();
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
        if (pending.size || batch.rows.length) schedule();
      });
    }, FLUSH_EVERY_MS).unref();
  }

  async function writeAll(): Promise<void> {
    while (inFlight || pending.size || batch.rows.length) await hand();
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
      const outcome = OUTCOME_OF[statusOf(code)];
      if (use.purpose === 'direct') count(pending, entry, outcome, 1, at, use.ip, use.userAgent);
      if (batch.rows.length < MOST_ROWS * ROW_FIELDS) note(batch.rows, entry, code, use, at);
      else dropped++;
      schedule();
    },
    stats: () => ({ waiting: batch.rows.length / ROW_FIELDS, dropped }),
    async report(verifierId, name, uses, notes) {
      if (closing || waiting > MOST_WAITING) throw new Refusal('unavailable', 'Report again in a moment.');
      const counts = new Map<string, UsageCount>();
      const rows: UsageBatch['rows'] = [];
      for (const u of uses)
        count(counts, u, OUTCOME_OF[statusOf(u.code)], u.count, u.lastAt, u.lastIp, u.lastUserAgent);
      for (const n of notes) note(rows, n, n.code, { ...n, verifierId, purpose: 'direct' }, n.at);
      await enqueue({ counts: [...counts.values()], rows, once: { verifierId, name } });
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

function count(
  pending: Map<string, UsageCount>,
  secret: SecretRef,
  outcome: Outcome,
  uses: number,
  at: number,
  ip: string | null,
  userAgent: string | null,
): void {
  const hour = Math.floor(at / HOUR_MS);
  let counted = pending.get(secret.secretId);
  if (counted?.hour !== hour) {
    // Over the full hour the finished one keeps its row under another name.
    if (counted) pending.set(`${secret.secretId}@${counted.hour}@${pending.size}`, counted);
    counted = emptyCount(secret, hour);
    pending.set(secret.secretId, counted);
  }
  counted[outcome] += uses;
  // Only a use that was let through counts as the last one.
  if (outcome !== 'valid' || at < counted.lastAt) return;
  counted.lastAt = at;
  counted.lastIp = ip;
  counted.lastUserAgent = userAgent;
}

const emptyCount = ({ secretId, keyId, workspaceId, environment }: SecretRef, hour: number): UsageCount => ({
  secretId,
  keyId,
  workspaceId,
  environment,
  hour,
  lastAt: 0,
  lastIp: null,
  lastUserAgent: null,
  valid: 0,
  unauthorized: 0,
  forbidden: 0,
  rate_limited: 0,
});

function note(rows: UsageBatch['rows'], secret: SecretRef, code: VerifyCode, use: UseOrigin, at: number): void {
  rows.push(
    use.requestId,
    secret.workspaceId,
    secret.keyId,
    secret.secretId,
    secret.prefix,
    at,
    OUTCOME_OF[statusOf(code)],
    code,
    use.purpose,
    use.verifierId,
    use.ip,
    use.userAgent,
  );
}
