import { statusOf } from '../../shared/check.ts';
import { VERIFY_CODES, type VerifyCode } from '../../shared/contract/verify.ts';
import type { KeyCheck, SecretRef } from '../app/deps.ts';
import { HOUR_MS } from '../domain/time.ts';

const OUTCOME_OF = { 200: 'valid', 401: 'unauthorized', 403: 'forbidden', 429: 'rate_limited' } as const;
export type Outcome = (typeof OUTCOME_OF)[200 | 401 | 403 | 429];
/** The outcome of each code, as it is counted: by the status that the caller got. */
export const outcomeOf = (code: VerifyCode): Outcome => OUTCOME_OF[statusOf(code)];

export type UseOrigin = Pick<KeyCheck, 'requestId' | 'ip' | 'userAgent' | 'verifierId' | 'purpose'>;
/** Where uses came from, and whether they only enrolled an agent. */
export type UseSource = Pick<KeyCheck, 'ip' | 'userAgent' | 'purpose'>;

/**
 * Callers of a key that are told apart, in a batch and in a day. One that gives itself another name each time would fill memory and
 * disk, and nobody could look through all of them; those beyond are one without address and name.
 */
export const MOST_SOURCES = 200;
const ELSEWHERE = { ip: null, userAgent: null };

/** Uses of one secret with one outcome, from one place, in one hour. */
export interface UseCount extends UseSource {
  secret: SecretRef;
  /** Hours since 1970-01-01 UTC. */
  hour: number;
  outcome: Outcome;
  uses: number;
  /** Of the last one. */
  at: number;
}

/** One row of the request log. */
export interface UseNote extends UseOrigin {
  secret: SecretRef;
  code: VerifyCode;
  at: number;
}

/**
 * What happened since the last batch, in the form in which it crosses to another thread at the least cost: flat lists, and a
 * text that comes again and again is there once. Read by `countsOf` and `notesOf`.
 */
export interface UsageBatch {
  /** `SECRET_FIELDS` entries for each secret. */
  secrets: string[];
  /** `COUNT_FIELDS` entries for each count. */
  counts: number[];
  /** `NOTE_FIELDS` entries for each row of the request log. */
  notes: (string | number)[];
  /** What the others refer to; place 0 stands for null. */
  texts: (string | null)[];
  /** A batch that a service may send again: it is counted once. */
  once?: { verifierId: string; name: string };
}

const SECRET_FIELDS = 5;
const COUNT_FIELDS = 7;
const NOTE_FIELDS = 7;
const OUTCOMES: readonly Outcome[] = Object.values(OUTCOME_OF);
const PLACE_OF_OUTCOME = new Map(OUTCOMES.map((outcome, i) => [outcome, i]));
const PLACE_OF_CODE = new Map(VERIFY_CODES.map((code, i) => [code, i]));
/** Added to the place of a code or outcome where the use was an enrolment. */
const ENROLMENT = 100;
/** Where in a count its uses and the time of the last one are. */
const [USES, LAST_AT] = [5, 6];

const mark = (place: number | undefined, purpose: UseOrigin['purpose']) =>
  (place as number) + (purpose === 'direct' ? 0 : ENROLMENT);

interface Gathered {
  /** Where the secret is in `UsageBatch.secrets`. */
  place: number;
  /** Its latest count: where it is in `UsageBatch.counts`, and what it counts. */
  at: number;
  hour: number;
  kind: number;
  ip: string | null;
  userAgent: string | null;
  /** Where each of its counts is, by what it counts; made for a secret of which there are several. */
  counts: Map<string, number> | undefined;
}

/** Gathers one batch. */
export class BatchBuilder {
  readonly batch: UsageBatch = { secrets: [], counts: [], notes: [], texts: [null] };
  readonly #secrets = new Map<string, Gathered>();
  readonly #texts = new Map<string, number>();
  /** Rows of uses that were let through. */
  validNotes = 0;

  get isEmpty(): boolean {
    return !this.batch.secrets.length;
  }
  get noteCount(): number {
    return this.batch.notes.length / NOTE_FIELDS;
  }

  /** @param at of the last of these uses, milliseconds since 1970-01-01 UTC */
  count(ref: SecretRef, code: VerifyCode, uses: number, at: number, { ip, userAgent, purpose }: UseSource): void {
    const { counts } = this.batch;
    const secret = this.#secret(ref);
    const hour = Math.floor(at / HOUR_MS);
    const kind = mark(PLACE_OF_OUTCOME.get(outcomeOf(code)), purpose);
    // Most secrets are used in one way from one place: nothing is looked up for those.
    if (secret.hour !== hour || secret.kind !== kind || secret.ip !== ip || secret.userAgent !== userAgent)
      this.#turnTo(secret, { hour, kind, ip, userAgent });
    (counts[secret.at + USES] as number) += uses;
    if (at > (counts[secret.at + LAST_AT] as number)) counts[secret.at + LAST_AT] = at;
  }

  /** Makes another count of a secret the latest, a new one where there is none yet. */
  #turnTo(secret: Gathered, what: Pick<Gathered, 'hour' | 'kind' | 'ip' | 'userAgent'>): void {
    const { counts } = this.batch;
    const told = (secret.counts?.size ?? 0) < MOST_SOURCES ? what : ELSEWHERE;
    const [ip, userAgent] = [this.#text(told.ip), this.#text(told.userAgent)];
    if (secret.at >= 0)
      secret.counts ??= new Map([[counts.slice(secret.at + 1, secret.at + USES).join(' '), secret.at]]);
    const name = `${what.hour} ${what.kind} ${ip} ${userAgent}`;
    let at = secret.counts?.get(name);
    if (at === undefined) {
      at = counts.push(secret.place, what.hour, what.kind, ip, userAgent, 0, 0) - COUNT_FIELDS;
      secret.counts?.set(name, at);
    }
    Object.assign(secret, what, { at });
  }

  note(ref: SecretRef, code: VerifyCode, use: UseOrigin, at: number): void {
    if (code === 'valid') this.validNotes++;
    this.batch.notes.push(
      use.requestId,
      this.#secret(ref).place,
      at,
      mark(PLACE_OF_CODE.get(code), use.purpose),
      this.#text(use.verifierId),
      this.#text(use.ip),
      this.#text(use.userAgent),
    );
  }

  #secret({ secretId, keyId, workspaceId, environment, prefix }: SecretRef): Gathered {
    let known = this.#secrets.get(secretId);
    if (!known) {
      const { secrets } = this.batch;
      const place = secrets.push(secretId, keyId, workspaceId, environment, prefix) - SECRET_FIELDS;
      known = { place, at: -1, hour: -1, kind: -1, ip: null, userAgent: null, counts: undefined };
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
}

const purposeOf = (marked: number): UseOrigin['purpose'] => (marked < ENROLMENT ? 'direct' : 'enrolment');

function secretAt({ secrets }: UsageBatch, place: number): SecretRef {
  const [secretId, keyId, workspaceId, environment, prefix] = secrets.slice(place, place + SECRET_FIELDS);
  return { secretId, keyId, workspaceId, environment, prefix } as SecretRef;
}

/** The counts of a batch. */
export function* countsOf(batch: UsageBatch): Generator<UseCount> {
  const { counts, texts } = batch;
  for (let i = 0; i < counts.length; i += COUNT_FIELDS) {
    const [secret, hour, kind, ip, userAgent, uses, at] = counts.slice(i, i + COUNT_FIELDS) as Numbers;
    yield {
      secret: secretAt(batch, secret),
      hour,
      outcome: OUTCOMES[kind % ENROLMENT] as Outcome,
      purpose: purposeOf(kind),
      ip: texts[ip] as string | null,
      userAgent: texts[userAgent] as string | null,
      uses,
      at,
    };
  }
}
type Numbers = [number, number, number, number, number, number, number];

/** The rows of the request log in a batch. */
export function* notesOf(batch: UsageBatch): Generator<UseNote> {
  const { notes, texts } = batch;
  const number = (i: number) => notes[i] as number;
  for (let i = 0; i < notes.length; i += NOTE_FIELDS) {
    const marked = number(i + 3);
    yield {
      requestId: notes[i] as string,
      secret: secretAt(batch, number(i + 1)),
      at: number(i + 2),
      code: VERIFY_CODES[marked % ENROLMENT] as VerifyCode,
      purpose: purposeOf(marked),
      verifierId: texts[number(i + 4)] as string | null,
      ip: texts[number(i + 5)] as string | null,
      userAgent: texts[number(i + 6)] as string | null,
    };
  }
}
