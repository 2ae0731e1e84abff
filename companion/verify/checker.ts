import { hash } from 'node:crypto';
import { decide, type KeyVerdict } from '../../shared/check.ts';
import { VERIFY_CODES, type VerifyCode } from '../../shared/contract/verify.ts';
import { isToken, parseKey } from '../../shared/key-format.ts';
import type { KeyCheck, KeyChecker } from '../app/deps.ts';
import { createFeed } from '../store/feed.ts';
import { openReader } from '../store/sqlite.ts';
import { createAnchors, GenerationMap, isStale } from './cache.ts';
import { createEntryReader, type KeyEntry, type VerifierEntry } from './entries.ts';
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
  /** Keys remembered at the most. */
  remembered?: number;
}

/**
 * Decides about keys from memory. Before each answer it catches up with the change feed, so that a change that was
 * acknowledged by any process is in force.
 */
export function createChecker(options: CheckerOptions): KeyChecker {
  const db = openReader(options.database);
  const anchors = createAnchors();
  const keys = new GenerationMap<KeyEntry>(options.remembered ?? 1_000_000, (entry) =>
    anchors.drop('key', entry.keyId),
  );
  const verifiers = new GenerationMap<VerifierEntry>(10_000);
  const reader = createEntryReader(db, anchors);
  const rates = new RateLimits();
  const forgetAll = () => {
    anchors.dropAll();
    keys.clear();
    verifiers.clear();
  };
  const feed = createFeed(
    db,
    (changes) => {
      for (const { kind, id } of changes) anchors.drop(kind, id);
    },
    forgetAll,
  );

  // What is in memory is found by a plain hash: of 238 random bits nothing can be guessed from it, and it costs a tenth of
  // the keyed one, which only the database sees.
  function find<V extends KeyEntry | VerifierEntry>(
    cache: GenerationMap<V>,
    secret: string,
    read: (secret: string) => V | undefined,
  ): V | undefined {
    const name = hash('sha256', secret, 'hex');
    const known = cache.get(name);
    if (known && !isStale(known.anchors)) return known;
    // What is not there is not remembered: a guess costs one look-up, and a new key works at once.
    const found = read(secret);
    if (found) cache.set(name, found);
    return found;
  }
  let lookUps = 0;
  const keyOf = (secret: string) =>
    find(keys, secret, (s) => {
      lookUps++;
      return reader.key(options.hashSecret(s));
    });

  const outcomes = new Map<VerifyCode, number>(VERIFY_CODES.map((code) => [code, 0]));
  const counted = (code: VerifyCode) => {
    outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
    return code;
  };

  function check(ask: KeyCheck): KeyVerdict {
    if (!parseKey(ask.key)) return { code: counted('malformed') };
    feed.catchUp();
    const entry = keyOf(ask.key);
    if (!entry) return { code: counted('unknown') };
    const now = options.now();
    const decided = decide(entry, ask, now);
    if (decided === 'unknown') return { code: counted('unknown') };
    const rate = decided === 'valid' && entry.rateLimit ? rates.take(entry.keyId, entry.rateLimit, now) : undefined;
    const code = counted(rate && !rate.taken ? 'rate_limited' : decided);
    options.usage.record(entry, code, ask, now);
    return {
      code,
      keyId: entry.keyId,
      ...(code === 'valid' ? { key: entry.identity } : {}),
      ...(rate ? { rateLimit: rate.state } : {}),
    };
  }

  return {
    check,
    identify(secret, origin) {
      if (!parseKey(secret)) return undefined;
      feed.catchUp();
      const entry = keyOf(secret);
      if (!entry) return undefined;
      const now = options.now();
      const ask = { environment: undefined, workspaceId: undefined, permissions: undefined, customer: undefined };
      const code = decide({ ...entry, allows: undefined }, { ...ask, ip: null }, now);
      if (code === 'valid') return { secret, identity: entry.identity, secretId: entry.secretId };
      options.usage.record(entry, code, { ...origin, verifierId: null }, now);
      return undefined;
    },
    verifier(secret) {
      if (!isToken('verifier', secret)) return undefined;
      feed.catchUp();
      return find(verifiers, secret, (s) => reader.verifier(options.hashSecret(s)));
    },
    resolve(secret, { workspaceId, environment }) {
      // The number first: what is read afterwards is at least as new.
      feed.catchUp();
      const { seq } = feed;
      const key = parseKey(secret) ? reader.record(options.hashSecret(secret), workspaceId, environment) : null;
      return { seq, key, workspaceId, environment };
    },
    stats: () => ({ outcomes, remembered: keys.size, lookUps }),
    close: () => db.close(),
  };
}
