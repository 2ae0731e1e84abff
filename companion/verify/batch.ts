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

/** The place of null. */
const NO_TEXT = 0;
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

/** What a batch has of a secret so far; all numbers, so that there is nothing to collect. */
export interface Tally {
  /** Which batch that is. */
  batch: number;
  /** Where the secret is in `UsageBatch.secrets`. */
  place: number;
  /** Its latest count: where it is in `UsageBatch.counts`, and what it counts. */
  at: number;
  hour: number;
  kind: number;
  ip: number;
  userAgent: number;
  /** Where each of its counts is, by what it counts; made for a secret of which there are several. */
  counts: Map<string, number> | undefined;
}

/**
 * A secret with its tally. With another key at each use, looking the tally up and making a new one for each batch cost the
 * collector of garbage as much as the check itself.
 */
export interface Tallied extends SecretRef {
  tally?: Tally | undefined;
}

let batches = 0;

/** Gathers one batch. */
export class BatchBuilder {
  readonly batch: UsageBatch = { secrets: [], counts: [], notes: [], texts: [null] };
  readonly #number = ++batches;
  readonly #texts = new Map<string | null, number>([[null, NO_TEXT]]);
  /** Rows of uses that were let through. */
  validNotes = 0;

  get isEmpty(): boolean {
    return !this.batch.secrets.length;
  }
  get noteCount(): number {
    return this.batch.notes.length / NOTE_FIELDS;
  }

  /** @param at of the last of these uses, milliseconds since 1970-01-01 UTC */
  count(ref: Tallied, code: VerifyCode, uses: number, at: number, source: UseSource): void {
    const { counts } = this.batch;
    const tally = this.#tally(ref);
    const hour = Math.floor(at / HOUR_MS);
    const kind = mark(PLACE_OF_OUTCOME.get(outcomeOf(code)), source.purpose);
    const [ip, userAgent] = [this.#texts.get(source.ip), this.#texts.get(source.userAgent)];
    // Most secrets are used in one way from one place: nothing is looked for among their counts.
    if (tally.hour !== hour || tally.kind !== kind || tally.ip !== ip || tally.userAgent !== userAgent)
      this.#turnTo(tally, hour, kind, source);
    (counts[tally.at + USES] as number) += uses;
    if (at > (counts[tally.at + LAST_AT] as number)) counts[tally.at + LAST_AT] = at;
  }

  /** Makes another count of a secret the latest, a new one where there is none yet. */
  #turnTo(tally: Tally, hour: number, kind: number, source: UseSource): void {
    const { counts } = this.batch;
    const known = `${hour} ${kind} ${this.#texts.get(source.ip)} ${this.#texts.get(source.userAgent)}`;
    // Callers that were there first stay told apart, however many come after them.
    const isTold = !tally.counts || tally.counts.size < MOST_SOURCES || tally.counts.has(known);
    const ip = isTold ? this.#text(source.ip) : NO_TEXT;
    const userAgent = isTold ? this.#text(source.userAgent) : NO_TEXT;
    if (tally.at >= 0) tally.counts ??= new Map([[counts.slice(tally.at + 1, tally.at + USES).join(' '), tally.at]]);
    const name = `${hour} ${kind} ${ip} ${userAgent}`;
    let at = tally.counts?.get(name);
    if (at === undefined) {
      at = counts.push(tally.place, hour, kind, ip, userAgent, 0, 0) - COUNT_FIELDS;
      tally.counts?.set(name, at);
    }
    tally.at = at;
    // What is not told apart is not the same as what comes next, either.
    tally.hour = isTold ? hour : -1;
    tally.kind = kind;
    tally.ip = ip;
    tally.userAgent = userAgent;
  }

  note(ref: Tallied, code: VerifyCode, use: UseOrigin, at: number): void {
    if (code === 'valid') this.validNotes++;
    this.batch.notes.push(
      use.requestId,
      this.#tally(ref).place,
      at,
      mark(PLACE_OF_CODE.get(code), use.purpose),
      this.#text(use.verifierId),
      this.#text(use.ip),
      this.#text(use.userAgent),
    );
  }

  #tally(ref: Tallied): Tally {
    const known = ref.tally;
    if (known?.batch === this.#number) return known;
    const { secretId, keyId, workspaceId, environment, prefix } = ref;
    const place = this.batch.secrets.push(secretId, keyId, workspaceId, environment, prefix) - SECRET_FIELDS;
    const tally = known ?? { batch: 0, place: 0, at: 0, hour: 0, kind: 0, ip: 0, userAgent: 0, counts: undefined };
    tally.batch = this.#number;
    tally.place = place;
    tally.at = tally.hour = tally.kind = -1;
    tally.counts = undefined;
    ref.tally = tally;
    return tally;
  }

  #text(text: string | null): number {
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
