/** The first wait is up to this long, … */
const FIRST_MS = 2_000;
/** … doubled with every failure up to this. */
const MOST_MS = 60_000;

/**
 * How long to wait before connecting again: exponential backoff with full jitter, so that a fleet whose companion restarts
 * comes back spread out.
 * @param failures in a row, 0 after a connection that had worked
 * @param random from 0 to 1
 */
export function backoff(failures: number, random: number): number {
  return random * Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures, 30));
}
