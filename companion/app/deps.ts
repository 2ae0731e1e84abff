import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AgentReport } from '../../shared/agent-protocol.ts';
import type { KeyVerdict } from '../../shared/check.ts';
import type { KeyIdentity, RateState, Resolved, VerifyCode } from '../../shared/contract/verify.ts';
import type { Environment } from '../../shared/key-format.ts';
import type { Store } from '../store/store.ts';
import type { Background } from './background.ts';
import type { Oidc, Passkeys } from './identity-ports.ts';

/** Hashes and checks passwords (argon2id). Slow on purpose. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** Takes as long for `undefined` (no such person) as for a wrong password. */
  matches(password: string, hash: string | null | undefined): Promise<boolean>;
}

/** What is guessed at; each has limits of its own. */
export type ThrottleKind = 'sign_in' | 'typed_code' | 'token';

/** Slows down guessing. */
export interface Throttle {
  /** Counts an attempt. @throws Refusal rate_limited with Retry-After */
  attempt(kind: ThrottleKind, subject: string, ip: string | null): Promise<void>;
  /** Forgets the attempts on a subject, after success. */
  forgive(kind: ThrottleKind, subject: string, ip: string | null): Promise<void>;
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
  /**
   * Writes what is waiting, so that a read sees it; holds the reader up for a second at the most.
   * @returns whether all of it can be seen now
   */
  flush(): Promise<boolean>;
  /** Rows that wait to be written, and those that had no room. */
  stats(): { waiting: number; dropped: number };
  /** Counts what a service has decided by itself; a batch that was counted before is not counted again. */
  report(
    verifierId: string,
    batch: string,
    uses: readonly ReportedUse[],
    notes: readonly ReportedNote[],
  ): Promise<void>;
}

/** One secret of a key, as its uses are counted. */
export interface SecretRef {
  secretId: string;
  keyId: string;
  workspaceId: string;
  environment: Environment;
  prefix: string;
}
/** Uses of one secret with one outcome. */
export interface ReportedUse extends SecretRef {
  code: VerifyCode;
  count: number;
  /** Milliseconds since 1970-01-01 UTC. */
  lastAt: number;
  lastIp: string | null;
  lastUserAgent: string | null;
}
/** One row of the request log. */
export interface ReportedNote extends SecretRef {
  requestId: string;
  code: VerifyCode;
  at: number;
  ip: string | null;
  userAgent: string | null;
}

/** One question about a key. */
export interface KeyCheck {
  /** As it was presented, well-formed or not. */
  key: string;
  /** All of them are required. */
  permissions: readonly string[] | undefined;
  customer: string | undefined;
  /** Where the key was used from, and by what program. */
  ip: string | null;
  userAgent: string | null;
  /** Those of the verifier that asks; undefined means the key's own, where the companion itself is called with the key. */
  environment: Environment | undefined;
  workspaceId: string | undefined;
  verifierId: string | null;
  /** An enrolment is logged but not counted as a use: it says nothing about scripts that would fail without the key. */
  purpose: 'direct' | 'enrolment';
  /** Under which the owner finds the outcome in the request log. */
  requestId: string;
}

/** A service that may ask about the keys of one environment. */
export interface Verifier {
  id: string;
  name: string;
  workspaceId: string;
  environment: Environment;
}

/** A live secret of a key, in the hands of whoever called with it. */
export interface HeldKey {
  secret: string;
  secretId: string;
  identity: KeyIdentity;
}

/** A key that was found good, in the form in which it can be answered at the least cost. */
export interface KeyView {
  readonly keyId: string;
  readonly name: string;
  readonly environment: Environment;
  readonly workspaceId: string;
  readonly sharedOwner: { readonly value: KeyIdentity['owner'] };
  readonly permissions: ReadonlySet<string>;
  readonly customers: readonly string[];
  identityJson(): string;
}

/** What a verifier asks about a key; the rest of a `KeyCheck` follows from who asks. */
export type Question = Omit<KeyCheck, 'environment' | 'workspaceId' | 'verifierId' | 'purpose'>;

/** A verifier that asks now: good for this turn of the event loop, since it was just made sure that nothing was missed. */
export interface Admitted {
  readonly verifier: Verifier;
  ask(question: Question): { code: VerifyCode; key?: KeyView | undefined; rateLimit?: RateState | undefined };
}

/** Decides about keys from memory, in force with every change that was acknowledged. Writes nothing, waits for nothing. */
export interface KeyChecker {
  /** Decides, takes from the rate limit and records the use. */
  check(ask: KeyCheck): KeyVerdict;
  /**
   * Whose live secret this is, whatever address it is used from and however often: enough to give the key up, for nothing
   * else. Takes nothing from the rate limit. Undefined for one that is refused, which is recorded.
   */
  identify(secret: string, origin: Origin & { purpose: KeyCheck['purpose'] }): HeldKey | undefined;
  /** The verifier that a secret belongs to. */
  verifier(secret: string): Verifier | undefined;
  /** The same for a verifier that asks about one key at once: catching up with what changed is done once for both. */
  admit(secret: string): Admitted | undefined;
  /**
   * What has to be known of a key to decide about it elsewhere, with the number of the last change that is surely in it.
   * The key is null where there is none for that verifier.
   */
  resolve(secret: string, verifier: Verifier): Resolved;
  /** Counters since the start, for operators. */
  stats(): CheckerStats;
  close(): void;
}

export interface CheckerStats {
  outcomes: ReadonlyMap<VerifyCode, number>;
  /** Keys in memory. */
  remembered: number;
  /** Keys that were read from the database. */
  lookUps: number;
}

/** A listener to what changes in a verifier's workspace and environment. */
export interface ChangeListener {
  verifier: Verifier;
  /** The id of the last event that it knows, as it gives it; undefined for a new one. */
  after: string | undefined;
  /** Takes text in the format of server-sent events. */
  send(text: string): void;
  /** Told once, when it will hear no more: the verifier is gone, or the companion stops. */
  end(): void;
}

/** Tells services that decide by themselves what has changed. */
export interface ChangeStream {
  /** @returns how to stop listening */
  listen(listener: ChangeListener): () => void;
  /** Looks at once for what has changed, instead of at the next turn. */
  poke(): void;
  readonly listeners: number;
  /** Ends every listener, and takes no more. */
  stop(): void;
}

/** One connection of an agent to this process. */
export interface SeenAgent {
  readonly agentId: string;
  readonly workspaceId: string;
  readonly connectedAt: number;
  lastSeenAt: number;
  readonly ip: string | null;
  report: AgentReport;
  /** Whether the connection is still there. */
  held: boolean;
  /** Of two connections of an agent, in whatever process, that with the higher number is newer. Undefined until it is written. */
  turn: number | undefined;
}

/** The live connections of agents to this process. */
export interface AgentConnections {
  /** Under which this process writes down who is connected to it. */
  readonly processId: string;
  /** Agents that are connected to this process now. */
  readonly count: number;
  /** Whether one more connection is taken from that address. @throws Refusal rate_limited, unavailable */
  admit(ip: string | null): void;
  /** Takes over the socket of a WebSocket request that was admitted. `hosts`: every name of this companion. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, hosts: ReadonlySet<string>, origin: Origin): void;
  /** Ends the connection of an agent that was removed, if it is here. */
  end(agentId: string): void;
  /** Connections that are here, and those that ended and are not written down yet: newer than what is written. */
  seen(): Iterable<SeenAgent>;
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
  passkeys: Passkeys;
  oidc: Oidc;
  throttle: Throttle;
  usage: UsageRecorder;
  checker: KeyChecker;
  changes: ChangeStream;
  agents: AgentConnections;
  mailer: Mailer | undefined;
  background: Background;
  /** Tells the operator, in the log, of something that needs a person. Never a secret. */
  warn(message: string, fields: Record<string, string>): void;
  seal: Seal;
  config: { publicUrl: string; keyLimit: number; plan: 'starter' | 'team'; requestDays: number };
}

/** Where a request came from; it goes into the audit log and the request log. */
export interface Origin {
  requestId: string;
  ip: string | null;
  userAgent: string | null;
}
