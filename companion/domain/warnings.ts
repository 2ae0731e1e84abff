import { DAY_MS } from './time.ts';

/** How many days before its expiry the owner of a key is warned. */
export const WARN_DAYS = [14, 7, 1] as const;
export type WarnDays = (typeof WARN_DAYS)[number];

/**
 * The warning that a key is due: the nearest of those whose moment has come. One whose moment had passed when the expiry was set
 * is left out, as nobody needs to be reminded of what they have just chosen. Times are milliseconds since 1970-01-01 UTC.
 */
export function dueWarning(expiresAt: number, setAt: number, now: number): WarnDays | undefined {
  if (expiresAt <= now) return undefined;
  return WARN_DAYS.findLast((days) => {
    const moment = expiresAt - days * DAY_MS;
    return moment <= now && moment > setAt;
  });
}
