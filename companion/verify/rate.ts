import type { RateState } from '../../shared/contract/verify.ts';

interface Window {
  start: number;
  lengthMs: number;
  used: number;
  /** Whether it is still the one of its key. */
  held: boolean;
}

/** What stands for a key, of which there may be several, and keeps its window at hand: among a million, looking for it costs. */
export interface RateLimited {
  readonly keyId: string;
  window?: Window | undefined;
}

/** Windows that are looked at for clean-up whenever one begins, so that no single check pays for all of them. */
const SWEPT_AT_ONCE = 8;

// Also over where it began later than now: a clock that was set back must not lock a key out for longer than its window.
const isOver = ({ start, lengthMs }: Window, now: number) => now >= start + lengthMs || now < start;

/**
 * Counts the uses of each key in fixed windows; a window begins at the first use after the one before has ended. Counters
 * are this process's own and start anew with it.
 */
export class RateLimits {
  readonly #windows = new Map<string, Window>();
  #sweeping = this.#windows.entries();

  /**
   * Takes one use if there is one left; a refusal takes none.
   * @param now milliseconds since 1970-01-01 UTC
   */
  take(
    key: RateLimited,
    { limit, windowSeconds }: { limit: number; windowSeconds: number },
    now: number,
  ): { taken: boolean; state: RateState } {
    const lengthMs = windowSeconds * 1000;
    let window = key.window?.held ? key.window : this.#windows.get(key.keyId);
    // An edit may have changed the length.
    if (window) window.lengthMs = lengthMs;
    if (!window || isOver(window, now)) {
      if (window) window.held = false;
      window = { start: now, used: 0, lengthMs, held: true };
      this.#windows.set(key.keyId, window);
      this.#sweep(now);
    }
    key.window = window;
    const taken = window.used < limit;
    if (taken) window.used++;
    const resetSeconds = Math.max(1, Math.ceil((window.start + lengthMs - now) / 1000));
    return { taken, state: { limit, windowSeconds, remaining: Math.max(0, limit - window.used), resetSeconds } };
  }

  /** Windows that are held; those that are over go, sooner or later, when others begin. */
  get size(): number {
    return this.#windows.size;
  }

  #sweep(now: number): void {
    for (let i = 0; i < SWEPT_AT_ONCE; i++) {
      const { value, done } = this.#sweeping.next();
      if (done) {
        this.#sweeping = this.#windows.entries();
        return;
      }
      const [keyId, window] = value;
      if (!isOver(window, now)) continue;
      window.held = false;
      this.#windows.delete(keyId);
    }
  }
}
