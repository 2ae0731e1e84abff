/** How fast two quartz clocks part, in milliseconds a millisecond: 100 ppm. */
const DRIFT = 1e-4;

/**
 * The companion's clock, as far as its ticks show it. A tick that comes late shows an earlier time than it is: so the tick that
 * came soonest counts, and one that is behind it shows how late it is. Measured against a clock that nobody sets.
 */
export class CompanionClock {
  readonly #monotonic: () => number;
  /** What the companion's clock is ahead of the monotonic one, by the tick that came soonest. */
  #ahead = Number.NEGATIVE_INFINITY;
  #at = 0;

  /** @param monotonic milliseconds since any moment */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /**
   * Milliseconds since 1970-01-01 UTC, never later than the companion's by more than drift; before the first tick nonsense.
   * @param at the monotonic time, where it was just read
   */
  now(at = this.#monotonic()): number {
    return Math.floor(at + this.#ahead);
  }

  /**
   * Takes in a tick.
   * @param companionNow what the companion's clock showed when it sent the tick
   * @param sentAfter monotonic time after which it was surely sent, where that is known: a clock that was set back shows then
   * @returns the monotonic time at which it was sent
   */
  hear(companionNow: number, sentAfter = Number.NEGATIVE_INFINITY): number {
    const arrived = this.#monotonic();
    const most = companionNow - sentAfter;
    const known = Math.min(this.#ahead - (arrived - this.#at) * DRIFT, most);
    this.#ahead = Math.max(known, companionNow - arrived);
    this.#at = arrived;
    return companionNow - this.#ahead;
  }
}
