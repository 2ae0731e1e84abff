import { hash, randomBytes } from 'node:crypto';
import { decide } from '../check.ts';
import { cutUserAgent, type KeyIdentity, type RateState, VERIFY_LIMITS, type VerifyCode } from '../contract/verify.ts';
import { type Environment, isToken, LONGEST_SECRET, parseKey } from '../key-format.ts';
import { createRequestIds } from '../request-id.ts';
import { KeyMemory, type Remembered } from './cache.ts';
import { type Ask, CompanionUnavailable, createCompanion } from './companion.ts';
import { CompanionClock } from './companion-clock.ts';
import { ElapsedTime } from './elapsed.ts';
import { createReports } from './reports.ts';
import { follow } from './stream.ts';

export type { Ask } from './companion.ts';

/** The outcome of a check. `unavailable`: it could not be decided, so the key must not be let through. */
export interface Decision {
  valid: boolean;
  code: VerifyCode | 'unavailable';
  /** Under which the key's owner finds it in the request log. */
  requestId: string;
  /** Of a valid key. */
  key?: KeyIdentity | undefined;
  rateLimit?: RateState | undefined;
}

export interface VerifierOptions {
  /** Where the companion is, e.g. `https://keys.example.com`. */
  url: string;
  /** The verifier's secret, `heexv_…`. */
  secret: string;
  /**
   * How long to go on with what is remembered when neither the stream nor the companion can be reached, in milliseconds
   * since the stream was last heard; after that every key is refused. With 0 nothing is decided from memory once the stream
   * is down, which a break shows at once and silence after `maxSilenceMs`. Default 5,000.
   */
  maxStalenessMs?: number;
  /** Silence of the stream after which it counts as down, in milliseconds; it ticks every second. Default 2,500. */
  maxSilenceMs?: number;
  /** Keys remembered at the most. Default 100,000. */
  maxKeys?: number;
  /** How long to wait for an answer of the companion, in milliseconds. Default 2,000. */
  timeoutMs?: number;
  /**
   * Told each time the stream could not be connected or broke, for the service's log: a wrong address or secret shows here
   * only. It never has a secret in it.
   */
  onFault?: (error: Error) => void;
  fetch?: typeof fetch;
  /** Milliseconds since 1970-01-01 UTC. */
  now?: () => number;
  /** Milliseconds since any moment, of a clock that nobody sets. */
  monotonic?: () => number;
}

export interface Verifier {
  /** Decides about a key; never throws. What is remembered is decided at once, without a promise. */
  check(ask: Ask): Decision | Promise<Decision>;
  /** Waits until the stream is heard, for at most that long, and tells whether it is. */
  ready(withinMs?: number): Promise<boolean>;
  /** Hands in the uses that were counted, and tells whether they arrived. */
  flush(): Promise<boolean>;
  /** Ends the stream and hands in what was counted. */
  close(): Promise<void>;
  readonly state: { live: boolean; keys: number };
}

/**
 * Checks keys inside a service: from memory, for as long as the companion's stream says what has changed; else by asking the
 * companion; and when that can't be reached either, only what was known a moment ago.
 *
 * Keys with a rate limit are always asked about, since their uses are counted in one place.
 * @throws TypeError for a URL or secret that can't be one
 */
export function createVerifier(options: VerifierOptions): Verifier {
  if (!isToken('verifier', options.secret)) throw new TypeError('secret: is not a verifier secret');
  return new InProcessVerifier(options);
}

/** The clocks of a machine part by this much when it was suspended, or when one of them was set. */
const MOST_SKIPPED_MS = 100;

/** Where an ask came from, as the companion takes it: one report that it refuses would keep back all after it. */
function originOf({ ip, userAgent }: Ask): { ip: string | null; userAgent: string | null } {
  return {
    ip: ip?.slice(0, VERIFY_LIMITS.ip).toWellFormed() ?? null,
    userAgent: userAgent ? cutUserAgent(userAgent) : null,
  };
}

/** Whether the companion would decide about that customer: what it would not, is not decided from memory either. */
const mayBeAsked = (customer: string): boolean =>
  typeof customer === 'string' &&
  customer !== '' &&
  customer.length <= VERIFY_LIMITS.customer &&
  customer.isWellFormed();

class InProcessVerifier implements Verifier {
  readonly #memory: KeyMemory;
  readonly #companion: ReturnType<typeof createCompanion>;
  readonly #reports: ReturnType<typeof createReports>;
  readonly #time: ElapsedTime;
  readonly #requestId: () => string;
  readonly #maxStalenessMs: number;
  readonly #maxSilenceMs: number;
  readonly #stop: () => void;
  /** Time at which the companion sent the last tick that was heard: what it said until then is known. */
  #heardAt = Number.NEGATIVE_INFINITY;
  #live = false;
  /** `skipped` when the stream was connected: time that was skipped since then makes what it says old, or the clock wrong. */
  #skipped = 0;
  readonly #clock: CompanionClock;
  #self: { environment: Environment; workspaceId: string } | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: VerifierOptions) {
    const origin = new URL(options.url).origin;
    const send = options.fetch ?? fetch;
    this.#time = new ElapsedTime(options.monotonic ?? (() => performance.now()), options.now ?? Date.now);
    this.#clock = new CompanionClock(() => this.#time.now());
    this.#maxStalenessMs = options.maxStalenessMs ?? 5_000;
    this.#maxSilenceMs = options.maxSilenceMs ?? 2_500;
    this.#memory = new KeyMemory(options.maxKeys ?? 100_000);
    this.#requestId = createRequestIds(randomBytes, () => this.#time.wall);
    this.#companion = createCompanion(origin, options.secret, options.timeoutMs ?? 2_000, send);
    this.#reports = createReports(async (report) => Boolean(await this.#companion.report(report)));
    this.#stop = follow({
      url: this.#companion.streamUrl,
      headers: this.#companion.headers,
      fetch: send,
      maxSilenceMs: this.#maxSilenceMs,
      time: () => this.#time.now(),
      onChange: (seq, kind, id) => this.#memory.change(seq, `${kind}:${id}`),
      onReset: (seq) => this.#memory.reset(seq),
      onTick: (seq, companionNow, sentAfter) => this.#hear(seq, companionNow, sentAfter),
      onDown: (fault) => {
        this.#live = false;
        if (fault) options.onFault?.(fault);
      },
    });
  }

  get state() {
    return { live: this.#isLive(), keys: this.#memory.size };
  }

  check(ask: Ask): Decision | Promise<Decision> {
    const { key, customer } = ask;
    const at = this.#time.now();
    // Not only where nobody checks types: what a client did not send is undefined.
    if (typeof key !== 'string' || key.length > LONGEST_SECRET) return this.#refusal('malformed');
    if (customer !== undefined && !mayBeAsked(customer)) return this.#refusal('unavailable');
    const name = hash('sha256', key, 'hex');
    const known = this.#memory.get(name);
    // What is remembered is well-formed.
    if (!known && !parseKey(key)) return this.#refusal('malformed');
    if (!this.#isLive(at)) return this.#askCompanion(ask);
    if (!known) return this.#lookUp(ask, name);
    return known.rateLimit ? this.#askCompanion(ask) : this.#decide(known, ask, at);
  }

  async ready(withinMs = 5_000): Promise<boolean> {
    if (this.#isLive()) return true;
    await new Promise<void>((done) => {
      const timer = setTimeout(done, withinMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        done();
      });
    });
    return this.#isLive();
  }

  flush(): Promise<boolean> {
    return this.#reports.flush();
  }

  async close(): Promise<void> {
    this.#stop();
    this.#live = false;
    await this.#reports.close();
  }

  /** @throws Error for a tick that is too late to rely on: a new connection may be faster than one that is backed up */
  #hear(seq: number, companionNow: number, sentAfter: number | undefined): void {
    this.#memory.passed(seq);
    const sentAt = this.#clock.hear(companionNow, sentAfter);
    this.#heardAt = Math.max(this.#heardAt, Math.min(sentAt, sentAfter ?? sentAt));
    if (sentAfter !== undefined) this.#skipped = this.#time.skipped;
    this.#live = true;
    if (!this.#isLive()) throw new Error('the stream is late');
    for (const tell of this.#waiting.splice(0)) tell();
  }

  #isLive(at = this.#time.now()): boolean {
    return (
      this.#live && at - this.#heardAt < this.#maxSilenceMs && this.#time.skipped - this.#skipped < MOST_SKIPPED_MS
    );
  }

  #refusal(code: Decision['code']): Decision {
    return { valid: false, code, requestId: this.#requestId() };
  }

  #decide(known: Remembered, ask: Ask, at = this.#time.now()): Decision {
    const self = this.#self;
    if (!self) return this.#refusal('unavailable');
    const { permissions, customer } = ask;
    const { ip, userAgent } = originOf(ask);
    const now = this.#clock.now(at);
    const code = decide(
      known,
      { environment: self.environment, workspaceId: self.workspaceId, permissions, customer, ip },
      now,
    );
    const requestId = this.#requestId();
    this.#reports.add(known, code, requestId, now, ip, userAgent);
    if (code !== 'valid') return { valid: false, code, requestId };
    return { valid: true, code, requestId, key: known.identity };
  }

  async #lookUp(ask: Ask, name: string): Promise<Decision> {
    try {
      const found = await this.#resolve(ask.key, name);
      if (!found) return this.#refusal('unknown');
      return found.rateLimit ? this.#askCompanion(ask) : this.#decide(found, ask);
    } catch (error) {
      return this.#afterFault(error, ask, name);
    }
  }

  /**
   * What the companion knows of a key. A look-up that is under way is not shared with a check that began after it, which may
   * have begun after a change that the look-up has not seen.
   */
  async #resolve(key: string, name: string): Promise<Remembered | undefined> {
    const { seq, key: record, workspaceId, environment } = await this.#companion.resolve(key);
    this.#self = { workspaceId, environment };
    return record ? this.#memory.fill(name, seq, record, workspaceId) : undefined;
  }

  async #askCompanion(ask: Ask): Promise<Decision> {
    try {
      const { key, permissions, customer } = ask;
      const { ip, userAgent } = originOf(ask);
      return await this.#companion.verify({
        key,
        permissions,
        customer,
        ip: ip ?? undefined,
        userAgent: userAgent ?? undefined,
      });
    } catch (error) {
      return this.#afterFault(error, ask, hash('sha256', ask.key, 'hex'));
    }
  }

  /** Neither stream nor companion: what is remembered holds for a little longer. */
  #afterFault(error: unknown, ask: Ask, name: string): Decision {
    if (error instanceof CompanionUnavailable && error.refused) {
      this.#live = false;
      this.#heardAt = Number.NEGATIVE_INFINITY;
      this.#memory.reset(this.#memory.seq ?? 0);
      return this.#refusal('unavailable');
    }
    const fresh = this.#time.now() - this.#heardAt < this.#maxStalenessMs;
    const known = fresh ? this.#memory.get(name) : undefined;
    // Uses under a rate limit can't be counted here.
    return known && !known.rateLimit ? this.#decide(known, ask) : this.#refusal('unavailable');
  }
}
