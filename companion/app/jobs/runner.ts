import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '../../../shared/contract/overview.ts';
import { iso } from '../../domain/time.ts';
import type { JobRow } from '../../store/tables-jobs.ts';
import type { Deps } from '../deps.ts';
import { expiryWarnings } from './expiry-warnings.ts';
import type { BackgroundJob } from './job.ts';
import { activityRetention, sweep } from './retention.ts';

export const JOBS: readonly BackgroundJob[] = [expiryWarnings, activityRetention, sweep];

const FIRST_LOOK_MS = 5_000;
const LOOK_EVERY_MS = 30_000;

/** Takes a job that is due, so that of several companions on one database only one runs it. */
function claim(deps: Deps, job: BackgroundJob): Promise<boolean> {
  return deps.store.transact(async (tx) => {
    const now = deps.now();
    const known = await tx.selectFrom('job').select('next_at').where('name', '=', job.name).executeTakeFirst();
    if (known && known.next_at > now) return false;
    const row: JobRow = {
      name: job.name,
      next_at: now + job.everyMs,
      started_at: now,
      ended_at: null,
      outcome: null,
      detail: null,
    };
    await tx
      .insertInto('job')
      .values(row)
      .onConflict((c) => c.column('name').doUpdateSet(row))
      .execute();
    return true;
  });
}

async function isDue(deps: Deps, job: BackgroundJob): Promise<boolean> {
  const row = await deps.store.read.selectFrom('job').select('next_at').where('name', '=', job.name).executeTakeFirst();
  return !row || row.next_at <= deps.now();
}

async function runOne(deps: Deps, job: BackgroundJob): Promise<void> {
  let outcome: JobRow['outcome'] = 'ok';
  let detail: string;
  try {
    detail = await job.run(deps);
  } catch (error) {
    outcome = 'failed';
    // The kind of fault only: a message may quote what it was about.
    detail = (error as { code?: string }).code ?? (error as Error).name;
    deps.warn('background job failed', { job: job.name, error: detail });
  }
  await deps.store.transact(async (tx) => {
    const ended = { ended_at: deps.now(), outcome, detail };
    await tx.updateTable('job').set(ended).where('name', '=', job.name).execute();
  });
}

/** Runs every job that is due, one after another. One that fails does not keep the next from running. */
export async function runDueJobs(
  deps: Deps,
  jobs: readonly BackgroundJob[] = JOBS,
  stopped = () => false,
): Promise<void> {
  for (const job of jobs) {
    if (stopped()) return;
    try {
      if ((await isDue(deps, job)) && (await claim(deps, job))) await runOne(deps, job);
    } catch (error) {
      deps.warn('background job not noted', { job: job.name, error: (error as Error).name });
    }
  }
}

/** Looks for due jobs from now on. */
export function startJobs(deps: Deps): { stop(): Promise<void> } {
  let stopped = false;
  let running = Promise.resolve();
  const look = () => {
    running = runDueJobs(deps, JOBS, () => stopped).then(() => {
      if (!stopped) timer = setTimeout(look, LOOK_EVERY_MS).unref();
    });
  };
  let timer = setTimeout(look, FIRST_LOOK_MS).unref();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      // One that waits for a lock of somebody else's doesn't hold up the stop.
      await Promise.race([running, sleep(2_000, undefined, { ref: false })]);
    },
  };
}

/** Every job, with its last run. */
export async function listJobs(deps: Deps): Promise<{ items: Job[]; nextCursor: null }> {
  const rows = await deps.store.read.selectFrom('job').selectAll().execute();
  const byName = new Map(rows.map((row) => [row.name, row]));
  const items = JOBS.map(({ name, summary, everyMs }): Job => {
    const row = byName.get(name);
    return {
      name,
      summary,
      everySeconds: everyMs / 1000,
      nextRunAt: iso(row?.next_at ?? deps.now()),
      lastRun:
        row?.started_at == null
          ? null
          : {
              startedAt: iso(row.started_at),
              endedAt: row.ended_at === null ? null : iso(row.ended_at),
              outcome: row.outcome,
              detail: row.detail,
            },
    };
  });
  return { items, nextCursor: null };
}
