import type { KeyFacts } from '../check.ts';
import type { KeyIdentity, KeyRecord } from '../contract/verify.ts';
import { compileAllowlist } from '../ip.ts';

/** A key's secret as a service remembers it. */
export interface Remembered extends KeyFacts {
  identity: KeyIdentity | undefined;
  /** What it hangs on: a change to one of these makes it unknown again. */
  anchors: readonly string[];
}

/** Changes remembered, to judge a look-up that was under way meanwhile. */
const RECENT = 1_000;

function toRemembered(record: KeyRecord, workspaceId: string): Remembered {
  const { ipAllowlist, identity, groupId, membershipId, ...facts } = record;
  const anchors = [`key:${facts.keyId}`, `workspace:${workspaceId}`];
  if (groupId !== null) anchors.push(`group:${groupId}`);
  if (membershipId !== null) anchors.push(`member:${membershipId}`);
  return {
    ...facts,
    workspaceId,
    allows: ipAllowlist.length ? compileAllowlist(ipAllowlist) : undefined,
    permissions: new Set(identity?.permissions),
    customers: identity?.customers ?? [],
    identity: identity ?? undefined,
    anchors,
  };
}

/**
 * The keys that a service remembers, bounded. What the stream names is dropped; what was looked up before a change that
 * concerns it never comes in after that change.
 */
export class KeyMemory {
  readonly #keys = new Map<string, Remembered>();
  readonly #hanging = new Map<string, Set<string>>();
  readonly #most: number;
  #recent: { seq: number; anchor: string }[] = [];
  /** The last change before those in `#recent`. */
  #floor = Number.POSITIVE_INFINITY;
  #seq = -1;

  /** @param most keys remembered at the most */
  constructor(most: number) {
    this.#most = most;
  }

  /** The last change that was heard of; undefined before the first. */
  get seq(): number | undefined {
    return this.#seq < 0 ? undefined : this.#seq;
  }
  get size(): number {
    return this.#keys.size;
  }

  get(name: string): Remembered | undefined {
    return this.#keys.get(name);
  }

  /** @param seq the last change that is surely in the record */
  fill(name: string, seq: number, record: KeyRecord, workspaceId: string): Remembered {
    const entry = toRemembered(record, workspaceId);
    if (this.#isNews(seq, entry)) {
      if (this.#keys.size >= this.#most) this.#makeRoom();
      this.#keys.set(name, entry);
      for (const anchor of entry.anchors) {
        const names = this.#hanging.get(anchor);
        if (names) names.add(name);
        else this.#hanging.set(anchor, new Set([name]));
      }
    }
    return entry;
  }

  /** Whether no change after `seq` that was heard of already concerns the entry. */
  #isNews(seq: number, entry: Remembered): boolean {
    if (seq >= this.#seq) return true;
    if (seq < this.#floor) return false;
    return !this.#recent.some((change) => change.seq > seq && entry.anchors.includes(change.anchor));
  }

  /** Half of all that is remembered, the oldest half, goes: rare, and cheaper than keeping an order of use. */
  #makeRoom(): void {
    let left = Math.ceil(this.#most / 2);
    for (const name of this.#keys.keys()) {
      if (left-- <= 0) break;
      this.#remove(name);
    }
  }

  #remove(name: string): void {
    const entry = this.#keys.get(name);
    if (!entry) return;
    this.#keys.delete(name);
    for (const anchor of entry.anchors) {
      const names = this.#hanging.get(anchor);
      names?.delete(name);
      if (names?.size === 0) this.#hanging.delete(anchor);
    }
  }

  /** Takes a change in: what hangs on it is no longer known. */
  change(seq: number, anchor: string): void {
    this.passed(seq);
    this.#recent.push({ seq, anchor });
    if (this.#recent.length > 2 * RECENT) {
      const gone = this.#recent.splice(0, RECENT);
      this.#floor = gone.at(-1)?.seq ?? this.#floor;
    }
    for (const name of [...(this.#hanging.get(anchor) ?? [])]) this.#remove(name);
  }

  /** Nothing up to `seq` is outstanding. */
  passed(seq: number): void {
    if (this.#floor === Number.POSITIVE_INFINITY) this.#floor = seq;
    if (seq > this.#seq) this.#seq = seq;
  }

  /** Forgets everything; what was looked up before this never comes in. */
  reset(seq: number): void {
    this.#keys.clear();
    this.#hanging.clear();
    this.#recent = [];
    this.#floor = seq;
    this.#seq = seq;
  }
}
