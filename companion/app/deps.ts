import type { Store } from '../store/store.ts';
import type { Background } from './background.ts';

/** Hashes and checks passwords (argon2id). Slow on purpose. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** Takes as long for `undefined` (no such person) as for a wrong password. */
  matches(password: string, hash: string | null | undefined): Promise<boolean>;
}

/** Slows down guessing. */
export interface Throttle {
  /** Counts an attempt. @throws Refusal rate_limited with Retry-After */
  attempt(kind: 'sign_in' | 'token', subject: string, ip: string | null): Promise<void>;
  /** Forgets the attempts on a subject, after success. */
  forgive(kind: 'sign_in' | 'token', subject: string, ip: string | null): Promise<void>;
}

/** Sends mail where SMTP is configured; undefined elsewhere. */
export interface Mailer {
  send(mail: { to: string; subject: string; text: string }): Promise<void>;
}

/** Encrypts what has to be read again later; the key never touches the database. */
export interface Seal {
  close(purpose: string, text: string): string;
  /** @returns undefined for anything that was not closed here for the same purpose */
  open(purpose: string, sealed: string): string | undefined;
}

/** The batched writer of use counts and of the request log. */
export interface UsageRecorder {
  /** Writes what is waiting, so that a read sees it. */
  flush(): Promise<void>;
}

/** What a use case needs of the outside. Time, randomness and ids are passed in, so that tests can set them. */
export interface Deps {
  store: Store;
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  randomBytes(n: number): Uint8Array;
  newId(prefix: string): string;
  /** Keyed hash of a key's secret (HMAC-SHA-256, hex). */
  hashSecret(secret: string): string;
  passwords: Passwords;
  throttle: Throttle;
  usage: UsageRecorder;
  mailer: Mailer | undefined;
  background: Background;
  seal: Seal;
  config: { publicUrl: string; keyLimit: number; plan: 'starter' | 'team' };
}

/** Where a request came from; it goes into the audit log and the request log. */
export interface Origin {
  requestId: string;
  ip: string | null;
  userAgent: string | null;
}
