import '../support/fake-browser.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createBadgeService } from '../../extension/background/badge-service.ts';
import { createReminderService, reminderDue } from '../../extension/background/reminder-service.ts';
import { createStore } from '../../extension/background/store.ts';
import { host } from '../support/fake-browser.ts';
import { aKey, aSnapshot } from '../support/made-up.ts';

const DAY = 86_400_000;
const EXPIRY = Date.parse('2027-02-18T12:00:00Z');
let time = 0;
const store = createStore();
const reminders = createReminderService({ store, now: () => time });

let shown: string[] = [];
beforeEach(() => {
  shown = [];
  Object.assign(host.browser.notifications, {
    create: async (id: string, { message }: { message: string }) => {
      shown.push(`${id} ${message}`);
      return id;
    },
  });
});
afterEach(() => host.reset());

const key = aKey({ expiresAt: new Date(EXPIRY).toISOString() });
const at = async (daysLeft: number, ...keys: (typeof key)[]) => {
  time = EXPIRY - daysLeft * DAY;
  shown = [];
  await reminders.check(aSnapshot({ keys: keys.length ? keys : [key] }));
  return shown.length;
};

describe('reminders of an expiry', () => {
  test('come 14, 7 and 1 days before, each once', async () => {
    const counts: number[] = [];
    for (const left of [20, 14.1, 14, 13, 7.5, 7, 6.9, 2, 1, 0.5, -1]) counts.push(await at(left));
    expect(counts).toEqual([0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0]);
  });

  test('do not come in a heap when the browser was off for long', async () => {
    expect(await at(0.5)).toBe(1);
    expect(shown[0]).toBe('expiry:key_1 It expires within a day. Rotate it to keep its name and settings.');
    expect(await at(0.4)).toBe(0);
  });

  test('begin anew when the key was rotated to a new expiry', async () => {
    await at(1);
    const rotated = { ...key, expiresAt: new Date(EXPIRY + DAY * 5).toISOString() };
    expect(await at(1, rotated)).toBe(1);
  });

  test('are about live keys that expire, and can be switched off', async () => {
    const others = [
      aKey({ expiresAt: null }),
      { ...key, status: 'revoked' as const },
      { ...key, status: 'disabled' as const },
    ];
    expect(await at(1, ...others)).toBe(0);
    await store.write('preferences', { theme: 'auto', singleKeys: true, reminders: false });
    expect(await at(1)).toBe(0);
  });

  test('are due at the nearest mark that is not passed', () => {
    expect([15, 14, 8, 7, 1.5, 1, 0].map((days) => reminderDue(days * DAY))).toEqual([
      undefined,
      14,
      14,
      7,
      7,
      1,
      undefined,
    ]);
  });
});

describe('the badge', () => {
  const badge = createBadgeService({ store });
  const text = async () => {
    await badge.show();
    return host.browser.action.getBadgeText({});
  };

  test('counts the keys that expire soon, and a secret that waits comes before them', async () => {
    expect(await text()).toBe('');
    await store.write(
      'snapshot',
      aSnapshot({ keys: [key, { ...key, status: 'expiring_soon' }, { ...key, status: 'expiring_soon' }] }),
    );
    expect(await text()).toBe('2');
    const fresh = { id: 'a', kind: 'created' as const, key, secret: 's', copied: false, at: 0 };
    await store.write('fresh', [fresh]);
    expect(await text()).toBe('1');
    await store.write('fresh', []);
    expect(await text()).toBe('2');
  });
});
