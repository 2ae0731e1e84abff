import { computed, signal } from '@preact/signals';
import * as z from 'zod/mini';
import type { FreshSecret } from '../messages/published.ts';
import { ask } from '../messages/send.ts';
import { persisted } from './persisted.ts';
import { mirrors } from './published.ts';

/** The attempt that this page is still busy with: its secret is shown once the copying is over, one way or the other. */
const held = signal<string | null>(null);
export async function holding<T>(attempt: string, work: () => Promise<T>): Promise<T> {
  held.value = attempt;
  try {
    return await work();
  } finally {
    held.value = null;
  }
}

/** Secrets that wait for "I stored it", the oldest first. While there is one, popup and workspace show it first of all. */
export const freshSecrets = computed(() => (mirrors.fresh.value ?? []).filter((fresh) => fresh.id !== held.value));
export const freshSecret = computed((): FreshSecret | undefined => freshSecrets.value[0]);
/** Creates and rotations that were sent and are not answered yet; the popup may have been closed since. */
export const unfinished = computed(() => mirrors.unfinished.value ?? []);

/** The form in which the secret was last shown, as the view names it; the next secret starts with the same. */
export const secretFormat = persisted<string>('secretFormat', z.string(), '', 'local');

const result = signal<'copied' | 'not_copied' | null>(null);
/** How the latest `copy` went; null before the first. For the `role=status` line. */
export const copyResult = computed(() => result.value);

/** Writes to the clipboard. Says true only when the browser has confirmed it. */
export async function copy(text: string): Promise<boolean> {
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch {
    // The page has lost the focus, or the browser forbids it: the caller says so and offers the button.
  }
  result.value = done ? 'copied' : 'not_copied';
  return done;
}

/** Copies a fresh secret, in whatever form, and remembers that it was copied. */
export async function copySecret(fresh: Pick<FreshSecret, 'id'>, text: string): Promise<boolean> {
  const done = await copy(text);
  if (done) await ask('secret.copied', { id: fresh.id });
  return done;
}

/** "I stored it": the secret is gone from the browser. */
export const dismissSecret = (fresh: Pick<FreshSecret, 'id'>) => ask('secret.dismiss', { id: fresh.id });
