import { browser } from 'wxt/browser';
import type { Key } from '../../shared/contract/keys.ts';
import type { Snapshot } from '../messages/published.ts';
import type { Store } from './store.ts';

const DAY_MS = 86_400_000;
/** Days before the expiry at which the owner is reminded. */
const REMIND_DAYS = [1, 7, 14];

/** The reminder that is due for a time left: its days, or undefined when it is too early or too late. */
export function reminderDue(leftMs: number): number | undefined {
  return leftMs > 0 ? REMIND_DAYS.find((days) => leftMs <= days * DAY_MS) : undefined;
}

function sentence(leftMs: number): string {
  const days = Math.ceil(leftMs / DAY_MS);
  return days === 1 ? 'It expires within a day.' : `It expires in ${days} days.`;
}

/** Notifications 14, 7 and 1 days before a key of one's own expires, each once. */
export function createReminderService({ store, now }: { store: Store; now(): number }) {
  const isWatched = (key: Key) => key.status === 'active' || key.status === 'expiring_soon';

  async function remind(key: Key, leftMs: number): Promise<void> {
    await browser.notifications.create(`expiry:${key.id}`, {
      type: 'basic',
      iconUrl: '/icon/128.png',
      title: `${key.name} expires soon`,
      message: `${sentence(leftMs)} Rotate it to keep its name and settings.`,
    });
  }

  return {
    async check({ keys }: Snapshot): Promise<void> {
      const preferences = await store.read('preferences');
      if (preferences && !preferences.reminders) return;
      const reminded = (await store.read('reminded')) ?? {};
      const next: Record<string, number> = {};
      for (const key of keys.filter(isWatched)) {
        if (key.expiresAt === null) continue;
        const of = `${key.id} ${key.expiresAt}`;
        const leftMs = Date.parse(key.expiresAt) - now();
        const due = reminderDue(leftMs);
        const last = reminded[of];
        if (due !== undefined && (last === undefined || due < last)) await remind(key, leftMs);
        const least = due ?? last;
        if (least !== undefined) next[of] = least;
      }
      await store.write('reminded', next);
    },

    /** The key that a notification is about. */
    keyOf: (notificationId: string): string | undefined => /^expiry:(.+)$/.exec(notificationId)?.[1],
  };
}
