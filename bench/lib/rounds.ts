import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './report.ts';
import { type Load, type Measured, wrk } from './wrk.ts';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const PAUSE_MS = 2_000;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);

export interface Result {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/**
 * Measures several servers in turns, so that whatever else the machine does falls on all of them alike.
 * @returns the median of each, in the order given
 * @throws Error when a server answers anything but success
 */
export async function inTurns(loads: readonly Load[], connections?: number): Promise<Result[]> {
  for (const load of loads) await wrk(load, 1, connections);
  const all: Measured[][] = loads.map(() => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, load] of loads.entries()) {
      const measured = await wrk(load, SECONDS, connections);
      if (measured.errors) throw new Error(`${load.url} failed ${measured.errors} times`);
      all[i]?.push(measured);
      // What a server does afterwards, such as adding up counts, must not fall on the next one.
      await sleep(PAUSE_MS);
    }
  return all.map((runs) => ({
    perSecond: median(runs.map((r) => r.perSecond)),
    p50Ms: median(runs.map((r) => r.p50Ms)),
    p99Ms: median(runs.map((r) => r.p99Ms)),
  }));
}
