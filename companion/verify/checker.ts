import { hash } from 'node:crypto';
import type Database from 'better-sqlite3';
import { decide, decideState, type KeyVerdict } from '../../shared/check.ts';
import { type RateState, type Resolved, VERIFY_CODES, type VerifyCode } from '../../shared/contract/verify.ts';
import { isToken, LONGEST_SECRET, parseKey } from '../../shared/key-format.ts';
import type { Admitted, CheckerStats, HeldKey, KeyCheck, KeyChecker, Verifier } from '../app/deps.ts';
import { type Change, createFeed, type Feed } from '../store/feed.ts';
import { openReader } from '../store/sqlite.ts';
import { createAnchors, EntriesByKey, GenerationMap } from './cache.ts';
import { createEntryReader, type EntryReader, type VerifierEntry } from './entries.ts';
import type { KeyEntry } from './key-entry.ts';
import { RateLimits } from './rate.ts';
import type { Recorder } from './usage.ts';

export interface CheckerOptions {
  /** The database file; it is read on a handle of the checker's own. */
  database: string;
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** What a key's or verifier's secret is stored as. */
  hashSecret(secret: string): string;
  usage: Recorder;
  /** Keys remembered at the most; half as many are surely remembered. */
  remembered?: number;
}

/**
 * Decides about keys from memory. Before each answer it catches up with the change feed, so that a change that was
 * acknowledged by any process is in force.
 */
export function createChecker(options: CheckerOptions): KeyChecker {
  return new Checker(options);
}

class Checker implements KeyChecker {
  readonly #db: Database.Database;
  readonly #feed: Feed;
  readonly #reader: EntryReader;
  readonly #options: CheckerOptions;
  readonly #anchors = createAnchors();
  readonly #byKey = new EntriesByKey();
  readonly #keys: GenerationMap<KeyEntry>;
  readonly #verifiers = new GenerationMap<VerifierEntry>(10_000);
  readonly #rates = new RateLimits();
  readonly #outcomes = new Map<VerifyCode, number>(VERIFY_CODES.map((code) => [code, 0]));
  #lookUps = 0;

  constructor(options: CheckerOptions) {
    this.#options = options;
    this.#db = openReader(options.database);
    this.#reader = createEntryReader(this.#db, this.#anchors);
    this.#keys = new GenerationMap<KeyEntry>(options.remembered ?? REMEMBERED, (entry) => this.#byKey.remove(entry));
    const forget = ({ kind, id }: Change) => (kind === 'key' ? this.#byKey.drop(id) : this.#anchors.drop(kind, id));
    this.#feed = createFeed(
      this.#db,
      (changes) => changes.forEach(forget),
      () => this.#forgetAll(),
    );
  }

  check(ask: KeyCheck): KeyVerdict {
    this.#feed.catchUp();
    const { entry, code, rateLimit } = this.#decide(ask);
    return {
      code,
      ...(entry ? { keyId: entry.keyId } : {}),
      ...(entry && code === 'valid' ? { key: entry.identity(), stopsAt: stopOf(entry) } : {}),
      ...(rateLimit ? { rateLimit } : {}),
    };
  }

  identify(secret: string, origin: Parameters<KeyChecker['identify']>[1]): HeldKey | undefined {
    this.#feed.catchUp();
    const entry = this.#find(secret);
    if (typeof entry === 'string') {
      this.#counted(entry);
      return undefined;
    }
    const now = this.#options.now();
    const code = decideState(entry, now);
    // Whoever asks for more is counted then.
    if (code === 'valid') return { secret, identity: entry.identity(), secretId: entry.secretId };
    this.#counted(code);
    this.#options.usage.record(entry, code, { ...origin, verifierId: null }, now);
    return undefined;
  }

  verifier(secret: string): Verifier | undefined {
    this.#feed.catchUp();
    return this.#findVerifier(secret);
  }

  admit(secret: string): Admitted | undefined {
    this.#feed.catchUp();
    const verifier = this.#findVerifier(secret);
    if (!verifier) return undefined;
    const { id: verifierId, environment, workspaceId } = verifier;
    return {
      verifier,
      ask: ({ key, permissions, customer, ip, userAgent, requestId }) => {
        const ask: KeyCheck = {
          key,
          permissions,
          customer,
          ip,
          userAgent,
          requestId,
          environment,
          workspaceId,
          verifierId,
          purpose: 'direct',
        };
        const { entry, code, rateLimit } = this.#decide(ask);
        return { code, key: code === 'valid' ? entry : undefined, rateLimit };
      },
    };
  }

  resolve(secret: string, { workspaceId, environment }: Verifier): Resolved {
    // The number first: what is read afterwards is at least as new.
    this.#feed.catchUp();
    const { seq } = this.#feed;
    const key = parseKey(secret)
      ? this.#reader.record(this.#options.hashSecret(secret), workspaceId, environment)
      : null;
    return { seq, key, workspaceId, environment };
  }

  stats(): CheckerStats {
    return { outcomes: this.#outcomes, remembered: this.#keys.size, lookUps: this.#lookUps };
  }

  close(): void {
    this.#db.close();
  }

  #decide(ask: KeyCheck): { entry?: KeyEntry; code: VerifyCode; rateLimit?: RateState | undefined } {
    const entry = this.#find(ask.key);
    if (typeof entry === 'string') return { code: this.#counted(entry) };
    const now = this.#options.now();
    let code = decide(entry, ask, now);
    if (code === 'unknown') return { code: this.#counted(code) };
    let rateLimit: RateState | undefined;
    if (code === 'valid' && entry.rateLimit) {
      const { taken, state } = this.#rates.take(entry, entry.rateLimit, now);
      if (!taken) code = 'rate_limited';
      rateLimit = state;
    }
    this.#options.usage.record(entry, code, ask, now);
    return { entry, code: this.#counted(code), rateLimit };
  }

  #counted(code: VerifyCode): VerifyCode {
    this.#outcomes.set(code, (this.#outcomes.get(code) as number) + 1);
    return code;
  }

  /**
   * The entry of a secret, or why there is none. What is in memory is found by a plain hash: of 238 random bits nothing can be
   * guessed from it, and it costs a tenth of the keyed one, which only the database sees. What is not there is not remembered:
   * a guess costs one look-up, and a new key works at once.
   */
  #find(secret: string): KeyEntry | 'malformed' | 'unknown' {
    // Nobody sends a key of a kilobyte but to have it hashed.
    if (secret.length > LONGEST_SECRET) return 'malformed';
    const name = hash('sha256', secret, 'binary');
    const known = this.#keys.get(name);
    if (known && !known.isStale) return known;
    if (!parseKey(secret)) return 'malformed';
    this.#lookUps++;
    const found = this.#reader.key(this.#options.hashSecret(secret));
    if (known) this.#byKey.remove(known);
    if (!found) return 'unknown';
    this.#keys.set(name, found);
    this.#byKey.add(found);
    return found;
  }

  #findVerifier(secret: string): VerifierEntry | undefined {
    if (secret.length > LONGEST_SECRET) return undefined;
    const name = hash('sha256', secret, 'binary');
    const known = this.#verifiers.get(name);
    if (known && !known.anchors.some((anchor) => anchor.stale)) return known;
    if (!isToken('verifier', secret)) return undefined;
    const found = this.#reader.verifier(this.#options.hashSecret(secret));
    if (found) this.#verifiers.set(name, found);
    return found;
  }

  /** All of these at once: what is in none of them is looked up anew, so that nothing has to be marked. */
  #forgetAll(): void {
    this.#anchors.clear();
    this.#byKey.clear();
    this.#keys.clear();
    this.#verifiers.clear();
  }
}

function stopOf({ expiresAt, endsAt }: KeyEntry): number | null {
  if (expiresAt === null || endsAt === null) return expiresAt ?? endsAt;
  return Math.min(expiresAt, endsAt);
}

/** So that a million keys in use are all remembered. */
const REMEMBERED = 2_000_000;
