import { statusOf } from '../../shared/check.ts';
import { VERIFY_CODES, type VerifyCode } from '../../shared/contract/verify.ts';
import type { KeyCheck, SecretRef } from '../app/deps.ts';
import { HOUR_MS } from '../domain/time.ts';

const OUTCOME_OF = { 200: 'valid', 401: 'unauthorized', 403: 'forbidden', 429: 'rate_limited' } as const;
export type Outcome = (typeof OUTCOME_OF)[200 | 401 | 403 | 429];
/** The outcome of each code, as it is counted: by the status that the caller got. */
export const outcomeOf = (code: VerifyCode): Outcome => OUTCOME_OF[statusOf(code)];

/** The uses of one secret in one hour, by outcome. */
export interface UsageCount extends Record<Outcome, number> {
  /** Its place in `UsageBatch.secrets`. */
  secret: number;
  /** Hours since 1970-01-01 UTC. */
  hour: number;
  /** Of the last one that was let through; 0 where there was none. */
  lastAt: number;
  lastIp: string | null;
  lastUserAgent: string | null;
}

/** Uses of which there is no row, by what they came from. */
export interface SourceCount {
  secret: number;
  uses: number;
  at: number;
  ip: string | null;
  userAgent: string | null;
}

/**
 * What happened since the last batch, in the form in which it crosses to another thread at the least cost: a text that comes
 * again and again is there once.
 */
export interface UsageBatch {
  secrets: SecretRef[];
  counts: UsageCount[];
  /** The rows of the request log, `ROW_FIELDS` entries each: see `readRow`. */
  rows: (string | number)[];
  /** What rows refer to; place 0 stands for null. */
  texts: (string | null)[];
  sources: SourceCount[];
  /** A batch that a service may send again: it is counted once. */
  once?: { verifierId: string; name: string };
}

/** Entries of one row in `UsageBatch.rows`. */
export const ROW_FIELDS = 7;
export const CODES: readonly VerifyCode[] = VERIFY_CODES;
const CODE_PLACE = new Map(VERIFY_CODES.map((code, i) => [code, i]));
/** Added to the place of the code where the use was an enrolment. */
export const ENROLMENT = 100;

export type UseOrigin = Pick<KeyCheck, 'requestId' | 'ip' | 'userAgent' | 'verifierId' | 'purpose'>;

interface Pending {
  place: number;
  /** Of the hour that is counted now. */
  count: UsageCount | undefined;
  source: SourceCount | undefined;
}

/** Gathers one batch. */
export class BatchBuilder {
  readonly batch: UsageBatch = { secrets: [], counts: [], rows: [], texts: [null], sources: [] };
  readonly #secrets = new Map<string, Pending>();
  readonly #texts = new Map<string, number>();
  /** Rows of uses that were let through. */
  validRows = 0;

  get isEmpty(): boolean {
    return !this.batch.secrets.length;
  }
  get rowCount(): number {
    return this.batch.rows.length / ROW_FIELDS;
  }

  #secret(ref: SecretRef) {
    let known = this.#secrets.get(ref.secretId);
    if (!known) {
      const { secretId, keyId, workspaceId, environment, prefix } = ref;
      known = {
        place: this.batch.secrets.push({ secretId, keyId, workspaceId, environment, prefix }) - 1,
        count: undefined,
        source: undefined,
      };
      this.#secrets.set(secretId, known);
    }
    return known;
  }

  #text(text: string | null): number {
    if (text === null) return 0;
    let place = this.#texts.get(text);
    if (place === undefined) {
      place = this.batch.texts.push(text) - 1;
      this.#texts.set(text, place);
    }
    return place;
  }

  /** @param at milliseconds since 1970-01-01 UTC */
  count(ref: SecretRef, code: VerifyCode, uses: number, at: number, ip: string | null, userAgent: string | null): void {
    const secret = this.#secret(ref);
    const hour = Math.floor(at / HOUR_MS);
    let counted = secret.count;
    if (counted?.hour !== hour) {
      counted = {
        secret: secret.place,
        hour,
        lastAt: 0,
        lastIp: null,
        lastUserAgent: null,
        valid: 0,
        unauthorized: 0,
        forbidden: 0,
        rate_limited: 0,
      };
      secret.count = counted;
      this.batch.counts.push(counted);
    }
    const outcome = outcomeOf(code);
    counted[outcome] += uses;
    // Only a use that was let through counts as the last one.
    if (outcome !== 'valid' || at < counted.lastAt) return;
    counted.lastAt = at;
    counted.lastIp = ip;
    counted.lastUserAgent = userAgent;
  }

  note(ref: SecretRef, code: VerifyCode, use: UseOrigin, at: number): void {
    if (code === 'valid') this.validRows++;
    const place = CODE_PLACE.get(code) as number;
    this.batch.rows.push(
      use.requestId,
      this.#secret(ref).place,
      at,
      use.purpose === 'direct' ? place : place + ENROLMENT,
      this.#text(use.verifierId),
      this.#text(use.ip),
      this.#text(use.userAgent),
    );
  }

  /** Uses that were let through without a row of their own. Most come from where the last one came from. */
  source(ref: SecretRef, uses: number, at: number, ip: string | null, userAgent: string | null): void {
    const secret = this.#secret(ref);
    const last = secret.source;
    if (last && last.ip === ip && last.userAgent === userAgent) {
      last.uses += uses;
      last.at = at;
    } else {
      secret.source = { secret: secret.place, uses, at, ip, userAgent };
      this.batch.sources.push(secret.source);
    }
  }
}
