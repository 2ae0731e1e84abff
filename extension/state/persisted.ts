import { effect, type Signal, signal } from '@preact/signals';
import { browser } from 'wxt/browser';
import type * as z from 'zod/mini';

const pending: (() => Promise<void>)[] = [];

/** Stands beside every value, different each time: which page has written it. */
const WRITER = 'page.writer';
const page = crypto.randomUUID();
let writes = 0;

/**
 * A signal of this page that survives its closing: kept in memory-only session storage, or in local storage. What is
 * found there and does not fit `schema` is ignored. Reads `initial` until `restorePersisted` has run.
 */
export function persisted<T>(
  name: string,
  schema: z.ZodMiniType<T>,
  initial: T,
  area: 'session' | 'local' = 'session',
): Signal<T> {
  const value = signal(initial);
  const key = `page.${name}`;
  pending.push(async () => {
    const stored = (await browser.storage[area].get(key))[key];
    const parsed = schema.safeParse(stored);
    if (parsed.success) value.value = parsed.data;
    let known = value.peek();
    effect(() => {
      const next = value.value;
      if (next === known) return;
      known = next;
      void browser.storage[area].set({ [key]: next, [WRITER]: `${page} ${++writes}` });
    });
    // What popup or workspace has sent or put away is not begun any more in the other one.
    browser.storage.onChanged.addListener((changes, where) => {
      const change = changes[key];
      const writer = changes[WRITER]?.newValue;
      // One's own comes back late: more may have been typed by then.
      if (!change || where !== area || (typeof writer === 'string' && writer.startsWith(page))) return;
      const other = schema.safeParse(change.newValue);
      known = other.success ? other.data : initial;
      value.value = known;
    });
  });
  return value;
}

/** Brings back what every `persisted` signal held when the last page closed. Runs once, before the first render. */
export async function restorePersisted(): Promise<void> {
  await Promise.all(pending.splice(0).map((restore) => restore()));
}
