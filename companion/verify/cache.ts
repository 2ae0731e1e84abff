import type { Anchors } from './entries.ts';
import type { Anchor, KeyEntry } from './key-entry.ts';

/** Entries that are looked at for clean-up at each write, so that no single request pays for forgetting half a cache. */
const SWEPT_AT_ONCE = 32;

/**
 * A bounded map in which what was not used for long is forgotten: two generations; a hit moves an entry into the young one,
 * and when that is full, the old one is dropped whole.
 */
export class GenerationMap<V> {
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  #dropped: Iterator<V> | undefined;
  readonly #half: number;
  readonly #onDrop: (value: V) => void;

  /**
   * @param most how many entries are held at the most
   * @param onDrop called, sooner or later, for what was forgotten for want of room
   */
  constructor(most: number, onDrop: (value: V) => void = () => {}) {
    this.#half = Math.max(1, Math.floor(most / 2));
    this.#onDrop = onDrop;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) {
      this.#old.delete(key);
      this.set(key, old);
    }
    return old;
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#half && !this.#young.has(key)) this.#rotate();
    this.#young.set(key, value);
    if (this.#dropped) this.#sweep(SWEPT_AT_ONCE);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#dropped = undefined;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  #rotate(): void {
    this.#sweep(Number.POSITIVE_INFINITY);
    this.#dropped = this.#old.values();
    this.#old = this.#young;
    this.#young = new Map();
  }

  #sweep(most: number): void {
    for (let i = 0; i < most && this.#dropped; i++) {
      const { value, done } = this.#dropped.next();
      if (done) this.#dropped = undefined;
      else this.#onDrop(value);
    }
  }
}

export interface AnchorTable extends Anchors {
  /** Makes everything that hangs on it stale. */
  drop(kind: string, id: string): void;
  /** For when whatever hangs on them is forgotten, too: looking at each would hold up every check. */
  clear(): void;
}

/** The entries of each key: one, or while a rotation overlaps two. */
export class EntriesByKey {
  readonly #entries = new Map<string, KeyEntry | KeyEntry[]>();

  add(entry: KeyEntry): void {
    const known = this.#entries.get(entry.keyId);
    this.#entries.set(entry.keyId, known === undefined ? entry : [known, entry].flat());
  }

  /** Makes all entries of a key stale. */
  drop(keyId: string): void {
    const known = this.#entries.get(keyId);
    if (known === undefined) return;
    for (const entry of Array.isArray(known) ? known : [known]) entry.changed = true;
    this.#entries.delete(keyId);
  }

  /** Forgets one that is no longer remembered. */
  remove(entry: KeyEntry): void {
    const known = this.#entries.get(entry.keyId);
    if (known === entry) this.#entries.delete(entry.keyId);
    else if (Array.isArray(known)) {
      const rest = known.filter((other) => other !== entry);
      if (rest.length) this.#entries.set(entry.keyId, rest.length === 1 ? (rest[0] as KeyEntry) : rest);
      else this.#entries.delete(entry.keyId);
    }
  }

  /** For when the entries themselves are forgotten, too: marking each of a million would hold up every check. */
  clear(): void {
    this.#entries.clear();
  }
}

/** A change to a group of ten thousand keys marks one anchor instead of looking for ten thousand entries. */
export function createAnchors(): AnchorTable {
  const known = new Map<string, Anchor>();
  return {
    of(kind, id) {
      const name = `${kind}:${id}`;
      let anchor = known.get(name);
      if (!anchor) {
        anchor = { stale: false };
        known.set(name, anchor);
      }
      return anchor;
    },
    drop(kind, id) {
      const name = `${kind}:${id}`;
      const anchor = known.get(name);
      if (!anchor) return;
      anchor.stale = true;
      known.delete(name);
    },
    clear() {
      known.clear();
    },
  };
}
