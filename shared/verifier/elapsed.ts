/** Two clocks that are read one after the other differ by so many milliseconds; a smaller set back isn't told from that. */
const JITTER_MS = 50;

/**
 * Time that passes at least as fast as the monotonic and the wall clock each say: the one stands still while a machine is
 * suspended (clock_gettime(2), CLOCK_MONOTONIC), the other may be set back. A wall clock that is set ahead counts as time that passed.
 */
export class ElapsedTime {
  readonly #monotonic: () => number;
  readonly #wall: () => number;
  /** What the wall clock is ahead of the monotonic one, at the most since it was last set back. */
  #top: number;
  #read: number;
  #skipped = 0;

  /**
   * @param monotonic milliseconds since any moment
   * @param wall milliseconds since 1970-01-01 UTC
   */
  constructor(monotonic: () => number, wall: () => number) {
    this.#monotonic = monotonic;
    this.#wall = wall;
    this.#read = wall();
    this.#top = this.#read - monotonic();
  }

  /** Milliseconds since any moment; never earlier than before. */
  now(): number {
    this.#read = this.#wall();
    const monotonic = this.#monotonic();
    const ahead = this.#read - monotonic;
    if (ahead > this.#top) {
      this.#skipped += ahead - this.#top;
      this.#top = ahead;
    } else if (ahead < this.#top - JITTER_MS) this.#top = ahead;
    return monotonic + this.#skipped;
  }

  /** What the wall clock showed when the time was last asked for. */
  get wall(): number {
    return this.#read;
  }

  /** Milliseconds that the monotonic clock did not count, as of when the time was last asked for; it only grows. */
  get skipped(): number {
    return this.#skipped;
  }
}
