import type { RateState } from '../../shared/contract/verify.ts';

interface Window {
  start: number;
  used: number;
}

const SWEEP_EVERY_MS = 60_000;

/**
 * Counts the uses of each key in fixed windows; a window begins at the first use after the one before has ended. Counters
 * are this process's own and start anew with it.
 */
export class RateLimits {
  readonly #windows = new Map<string, Window & { lengthMs: number }>();
  #sweptAt = 0;

  /**
   * Takes one use if there is one left; a refusal takes none.
   * @param now milliseconds since 1970-01-01 UTC
   */
  take(
    keyId: string,
    { limit, windowSeconds }: { limit: number; windowSeconds: number },
    now: number,
  ): { taken: boolean; state: RateState } {
    const lengthMs = windowSeconds * 1000;
    let window = this.#windows.get(keyId);
    // A clock that was set back must not lock a key out for longer than its window.
    if (!window || now >= window.start + lengthMs || now < window.start) {
      window = { start: now, used: 0, lengthMs };
      this.#windows.set(keyId, window);
      if (now - this.#sweptAt > SWEEP_EVERY_MS || now < this.#sweptAt) this.#sweep(now);
    }
    // An edit may have changed the length.
    window.lengthMs = lengthMs;
    const taken = window.used < limit;
    if (taken) window.used++;
    const resetSeconds = Math.max(1, Math.ceil((window.start + lengthMs - now) / 1000));
    return { taken, state: { limit, windowSeconds, remaining: Math.max(0, limit - window.used), resetSeconds } };
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [id, w] of this.#windows) if (now >= w.start + w.lengthMs) this.#windows.delete(id);
  }
}
