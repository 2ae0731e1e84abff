import { isRealTime } from '../../shared/contract/fields.ts';
import { ENVIRONMENTS, type Environment } from '../../shared/key-format.ts';
import { BadUsage } from './io.ts';

/** `staging`, or as short as a key's prefix says it. @throws BadUsage */
export function readEnvironment(text: string): Environment {
  const found = ENVIRONMENTS.filter((e) => e.startsWith(text.toLowerCase()));
  if (text.length < 3 || found.length !== 1 || !found[0])
    throw new BadUsage(`--env must be one of ${ENVIRONMENTS.join(', ')}, not "${text}"`);
  return found[0];
}

const UNITS: Record<string, number> = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000, y: 365 * 86_400_000 };

/** `90d`, `12h`, `2w`, `1y` from now, an RFC 3339 time, a date (its end, UTC), or `never`. @throws BadUsage */
export function readExpiry(text: string, now: number): string | null {
  if (text === 'never') return null;
  const lasting = /^([1-9]\d{0,3})([hdwy])$/.exec(text);
  if (lasting?.[2]) return new Date(now + Number(lasting[1]) * (UNITS[lasting[2]] as number)).toISOString();
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T23:59:59Z` : text;
  if (!isRealTime(time))
    throw new BadUsage(`--expires must look like 90d, 12h, 2027-02-18, 2027-02-18T12:00:00Z or never, not "${text}"`);
  return new Date(time).toISOString();
}

const OVERLAPS: Record<string, 0 | 3600 | 86_400 | 604_800> = { none: 0, '1h': 3600, '24h': 86_400, '7d': 604_800 };

/** @throws BadUsage */
export function readOverlap(text: string): 0 | 3600 | 86_400 | 604_800 {
  const overlap = OVERLAPS[text];
  if (overlap === undefined)
    throw new BadUsage(`--overlap must be one of ${Object.keys(OVERLAPS).join(', ')}, not "${text}"`);
  return overlap;
}

/** `100/60`: a hundred requests in sixty seconds. @throws BadUsage */
export function readRate(text: string): { limit: number; windowSeconds: number } {
  const match = /^(\d{1,7})\/(\d{1,5})$/.exec(text);
  if (!match) throw new BadUsage(`--rate must look like 100/60 (requests/seconds), not "${text}"`);
  return { limit: Number(match[1]), windowSeconds: Number(match[2]) };
}

/** Values that were repeated or joined by commas. */
export const readList = (values: readonly string[] | undefined): string[] | undefined =>
  values
    ?.flatMap((value) => value.split(','))
    .map((value) => value.trim())
    .filter(Boolean);

/** @throws BadUsage */
export function readChoice<T extends string>(name: string, choices: readonly T[], text: string): T {
  const choice = choices.find((c) => c === text);
  if (choice === undefined) throw new BadUsage(`--${name} must be one of ${choices.join(', ')}, not "${text}"`);
  return choice;
}
