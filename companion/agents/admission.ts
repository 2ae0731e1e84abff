import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Refusal } from '../domain/refusal.ts';

/** Live connections in one process; the server as a whole takes 10,000. */
const CONNECTED_MOST = 9_000;
/** Connections that have yet to prove themselves: in all, and from one address (many agents share one behind a NAT). */
const UNPROVEN_MOST = 2_000;
const UNPROVEN_FROM_ONE = 1_000;
/** Failed proofs from one address in a minute. Those that succeed cost nothing: a whole fleet may come back at once. */
const FAILURES_A_MINUTE = 60;

const later = (code: 'rate_limited' | 'unavailable', seconds: number, detail: string) =>
  new Refusal(code, detail, [], { 'Retry-After': String(Math.max(1, Math.ceil(seconds))) });

/** Who may open a connection now. */
export class Admission {
  readonly #failures = new RateLimiterMemory({ points: FAILURES_A_MINUTE, duration: 60 });
  readonly #unproven = new Map<string, number>();
  #unprovenInAll = 0;

  /** @throws Refusal rate_limited, unavailable */
  async check(ip: string | null, connected: number): Promise<void> {
    if (connected + this.#unprovenInAll >= CONNECTED_MOST)
      throw later('unavailable', 30, 'As many agents are connected as this companion takes.');
    if (this.#unprovenInAll >= UNPROVEN_MOST || (this.#unproven.get(ip ?? '-') ?? 0) >= UNPROVEN_FROM_ONE)
      throw later('rate_limited', 1, 'Too many connections are opening at once.');
    const failed = await this.#failures.get(ip ?? '-');
    if (failed && failed.consumedPoints >= FAILURES_A_MINUTE)
      throw later('rate_limited', failed.msBeforeNext / 1000, 'Too many failed proofs from this address.');
  }

  /** A connection opened that has yet to prove itself. @returns to be called once, whether it went well */
  opened(ip: string | null): (fine: boolean) => void {
    const address = ip ?? '-';
    this.#unprovenInAll++;
    this.#unproven.set(address, (this.#unproven.get(address) ?? 0) + 1);
    return (fine) => {
      this.#unprovenInAll--;
      const left = (this.#unproven.get(address) ?? 1) - 1;
      if (left > 0) this.#unproven.set(address, left);
      else this.#unproven.delete(address);
      if (fine) return;
      this.#failures.consume(address).catch((error: unknown) => {
        if (!(error instanceof RateLimiterRes)) throw error;
      });
    };
  }
}
