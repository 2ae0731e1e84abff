import { effect, type Signal, signal } from '@preact/signals';
import { browser } from 'wxt/browser';
import type * as z from 'zod/mini';

const pending: (() => Promise<void>)[] = [];

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
    let first = true;
    effect(() => {
      const next = value.value;
      if (!first) void browser.storage[area].set({ [key]: next });
      first = false;
    });
  });
  return value;
}

/** Brings back what every `persisted` signal held when the last page closed. Runs once, before the first render. */
export async function restorePersisted(): Promise<void> {
  await Promise.all(pending.splice(0).map((restore) => restore()));
}
