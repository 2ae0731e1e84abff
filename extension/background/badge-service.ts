import { browser } from 'wxt/browser';
import { PUBLISHED } from '../messages/published.ts';
import type { Store } from './store.ts';

const ACCENT = '#3451d1';
const WARN = '#875200';

/** The number on the toolbar button: secrets that wait to be stored, else keys that expire soon. */
export function createBadgeService({ store }: { store: Store }) {
  async function show(): Promise<void> {
    const [fresh = [], snapshot] = await Promise.all([store.read('fresh'), store.read('snapshot')]);
    const expiring = snapshot?.keys.filter((key) => key.status === 'expiring_soon').length ?? 0;
    const count = fresh.length || expiring;
    const title = fresh.length
      ? 'Heex Keys: a new secret waits to be stored'
      : expiring
        ? `Heex Keys: ${expiring} ${expiring === 1 ? 'key expires' : 'keys expire'} soon`
        : 'Heex Keys';
    await browser.action.setBadgeText({ text: count ? String(count) : '' });
    await browser.action.setBadgeBackgroundColor({ color: fresh.length ? ACCENT : WARN });
    await browser.action.setTitle({ title });
  }

  return {
    show,
    async onStorageChanged(changes: Record<string, unknown>): Promise<void> {
      if (PUBLISHED.fresh.key in changes || PUBLISHED.snapshot.key in changes) await show();
    },
  };
}
