import { computed } from '@preact/signals';
import { browser } from 'wxt/browser';
import { type Preferences, PUBLISHED } from '../messages/published.ts';
import { mirrors } from './published.ts';

const DEFAULTS: Preferences = { theme: 'auto', singleKeys: true, reminders: true };

/** What the person has chosen for this browser; the same in every page of the extension. */
export const preferences = computed(() => mirrors.preferences.value ?? DEFAULTS);

export async function setPreferences(change: Partial<Preferences>): Promise<void> {
  const next = { ...preferences.value, ...change };
  mirrors.preferences.value = next;
  await browser.storage.local.set({ [PUBLISHED.preferences.key]: next });
}
