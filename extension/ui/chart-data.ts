import type { OUTCOMES, UsageDay } from '../../shared/contract/keys.ts';
import { compact, day, number } from './format.ts';

export type Outcome = (typeof OUTCOMES)[number];

/** Requests by outcome, of whatever span. */
export type Counts = Omit<UsageDay, 'date'>;

export const OUTCOME_WORDS: Record<Outcome, string> = {
  valid: 'Allowed',
  unauthorized: '401 refused',
  forbidden: '403 no permission',
  rate_limited: '429 rate limit',
};
const REFUSALS: readonly Outcome[] = ['unauthorized', 'forbidden', 'rate_limited'];

/** How often an outcome occurred. */
export const ofDay = (d: Counts, outcome: Outcome) => (outcome === 'rate_limited' ? d.rateLimited : d[outcome]);
export const dayTotal = (d: Counts) => d.valid + d.unauthorized + d.forbidden + d.rateLimited;
export const total = (days: readonly Counts[]) => days.reduce((sum, d) => sum + dayTotal(d), 0);
export const outcomeTotal = (days: readonly Counts[], outcome: Outcome) =>
  days.reduce((sum, d) => sum + ofDay(d, outcome), 0);

/** The smallest of 2, 4, 6, 8 and 10 times a power of ten that is no less than the value: its half is whole too. */
export function niceTop(value: number): number {
  if (value <= 2) return 2;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([2, 4, 6, 8, 10].find((n) => n * power >= value) ?? 10) * power;
}

// A day of the server is a date without a time: read as noon here, it never slips to the day before.
const localDay = (date: string) => `${date}T12:00:00`;

/** The sentence that a chart is for those who do not see it. */
export function usageSentence(days: readonly UsageDay[], now: number): string {
  const [first, last] = [days[0], days.at(-1)];
  if (!first || !last || total(days) === 0) return 'No requests in the last 30 days.';
  const most = days.reduce((best, d) => (dayTotal(d) > dayTotal(best) ? d : best), first);
  const refused = REFUSALS.filter((o) => outcomeTotal(days, o) > 0).map(
    (o) => `${number(outcomeTotal(days, o))} were refused with ${OUTCOME_WORDS[o].slice(0, 3)}`,
  );
  const span = `${day(localDay(first.date), now)} to ${day(localDay(last.date), now)}`;
  const peak = `Most on ${day(localDay(most.date), now)}, ${compact(dayTotal(most))}.`;
  return `Requests per day, ${span}: ${number(total(days))} in all. ${peak} ${
    refused.length > 0 ? `${refused.join(', ')}.` : 'None were refused.'
  }`;
}

/** Heights of 0 to 1 of the last `n` days, oldest first; days before the first known one are 0. */
export function sparkHeights(days: readonly UsageDay[], n: number): number[] {
  const values = days.slice(-n).map(dayTotal);
  const padded = [...Array.from({ length: n - values.length }, () => 0), ...values];
  const top = Math.max(...padded);
  return padded.map((v) => (top === 0 ? 0 : v / top));
}
