import type { UsageDay } from '../../../shared/contract/keys.ts';
import { DAY_MS } from '../../domain/time.ts';

/** The day of a time, as days since 1970-01-01 UTC. */
export const dayOf = (at: number) => Math.floor(at / DAY_MS);

interface Counts {
  day: number;
  valid: number;
  unauthorized: number;
  forbidden: number;
  rate_limited: number;
}

/** One entry for each of the last `days` days, today last; days without use are there too. */
export function fillDays(rows: readonly Counts[], days: number, now: number): UsageDay[] {
  const byDay = new Map(rows.map((row) => [row.day, row]));
  const today = dayOf(now);
  return Array.from({ length: days }, (_, i) => {
    const day = today - days + 1 + i;
    const row = byDay.get(day);
    return {
      date: new Date(day * DAY_MS).toISOString().slice(0, 10),
      valid: row?.valid ?? 0,
      unauthorized: row?.unauthorized ?? 0,
      forbidden: row?.forbidden ?? 0,
      rateLimited: row?.rate_limited ?? 0,
    };
  });
}
