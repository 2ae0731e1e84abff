import type { KeyFacts } from '../../shared/check.ts';
import type { KeyIdentity } from '../../shared/contract/verify.ts';
import type { Environment } from '../../shared/key-format.ts';
import type { KeyView } from '../app/deps.ts';
import type { Tallied, Tally } from './batch.ts';
import type { RateLimited } from './rate.ts';

/** Something that keys hang on; a change to it makes every entry that holds it stale. */
export interface Anchor {
  stale: boolean;
}

/** A value that many keys have in common, with its JSON: there once in memory, however many keys share it. */
export interface Shared<T> {
  value: T;
  json: string;
}
export const sharedOf = <T>(value: T): Shared<T> => ({ value, json: JSON.stringify(value) });

/** A key's secret as it is remembered. It has few fields of its own, since there may be a million of them. */
export class KeyEntry implements KeyFacts, KeyView, Tallied, RateLimited {
  readonly keyId: string;
  readonly secretId: string;
  readonly name: string;
  readonly prefix: string;
  readonly environment: Environment;
  readonly revoked: boolean;
  readonly disabled: boolean;
  readonly suspended: boolean;
  readonly expiresAt: number | null;
  readonly endsAt: number | null;
  readonly allows: KeyFacts['allows'];
  readonly rateLimit: KeyFacts['rateLimit'];
  readonly sharedOwner: Shared<KeyIdentity['owner']>;
  readonly sharedWorkspace: Shared<KeyIdentity['workspace']>;
  readonly granted: Shared<readonly string[]> & { set: ReadonlySet<string> };
  readonly sharedCustomers: Shared<readonly string[]>;
  /** What it shares with other keys; itself it is marked directly. */
  readonly anchors: readonly Anchor[];
  changed = false;
  tally: Tally | undefined = undefined;
  window: RateLimited['window'] = undefined;

  constructor(fields: Omit<KeyEntry, 'changed' | 'tally' | 'window' | 'isStale' | keyof Derived>) {
    this.keyId = fields.keyId;
    this.secretId = fields.secretId;
    this.name = fields.name;
    this.prefix = fields.prefix;
    this.environment = fields.environment;
    this.revoked = fields.revoked;
    this.disabled = fields.disabled;
    this.suspended = fields.suspended;
    this.expiresAt = fields.expiresAt;
    this.endsAt = fields.endsAt;
    this.allows = fields.allows;
    this.rateLimit = fields.rateLimit;
    this.sharedOwner = fields.sharedOwner;
    this.sharedWorkspace = fields.sharedWorkspace;
    this.granted = fields.granted;
    this.sharedCustomers = fields.sharedCustomers;
    this.anchors = fields.anchors;
  }

  get isStale(): boolean {
    if (this.changed) return true;
    for (const anchor of this.anchors) if (anchor.stale) return true;
    return false;
  }
  get workspaceId(): string {
    return this.sharedWorkspace.value.id;
  }
  get permissions(): ReadonlySet<string> {
    return this.granted.set;
  }
  get customers(): readonly string[] {
    return this.sharedCustomers.value;
  }

  identity(): KeyIdentity {
    return JSON.parse(this.identityJson());
  }

  identityJson(): string {
    const expiresAt = this.expiresAt === null ? 'null' : `"${new Date(this.expiresAt).toISOString()}"`;
    return `{"id":"${this.keyId}","name":${JSON.stringify(this.name)},"prefix":"${this.prefix}","owner":${this.sharedOwner.json},"workspace":${this.sharedWorkspace.json},"environment":"${this.environment}","permissions":${this.granted.json},"customers":${this.sharedCustomers.json},"expiresAt":${expiresAt}}`;
  }
}
type Derived = Pick<KeyEntry, 'workspaceId' | 'permissions' | 'customers' | 'identity' | 'identityJson'>;

/** Gives out one instance for equal values. What was given out stays good when the table starts anew, it is only not shared. */
export class Interned<T> {
  readonly #known = new Map<string, T>();
  readonly #most: number;
  /** @param most values held at the most */
  constructor(most = 10_000) {
    this.#most = most;
  }
  get(name: string, make: () => T): T {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#most) this.#known.clear();
    const made = make();
    this.#known.set(name, made);
    return made;
  }
}
