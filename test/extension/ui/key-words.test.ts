import { expect, test } from 'vitest';
import { DAY } from '../../../extension/ui/format.ts';
import {
  expiryPhrase,
  isDead,
  looksPersonal,
  permissionsByResource,
  ratePhrase,
  reasonWords,
  revokeNeedsName,
  usedPhrase,
} from '../../../extension/ui/key-words.ts';

const now = new Date(2026, 10, 20, 14, 32).getTime();
const iso = (time: number) => new Date(time).toISOString();
const use = (time: number) => ({ at: iso(time), ip: '10.0.0.4', userAgent: 'curl/8.5.0' });

test('a key says how long it lives in the words of its status', () => {
  const phrase = (
    status: 'active' | 'expired' | 'revoked' | 'disabled',
    expiresAt: number | null,
    revokedAt: number | null = null,
  ) =>
    expiryPhrase(
      {
        status,
        expiresAt: expiresAt === null ? null : iso(expiresAt),
        revokedAt: revokedAt === null ? null : iso(revokedAt),
      },
      now,
    );
  expect(phrase('active', null)).toBe('Never expires');
  expect(phrase('active', now + 6 * DAY)).toBe('Expires in 6 days');
  expect(phrase('active', new Date(2027, 1, 18).getTime())).toBe('Expires 18 Feb 2027');
  expect(phrase('expired', now - 2 * DAY)).toBe('Expired 18 Nov');
  expect(phrase('revoked', now + DAY, now - 12 * DAY)).toBe('Revoked 8 Nov');
});

test('a key that expired since the list was read is not said to live', () => {
  expect(expiryPhrase({ status: 'active', expiresAt: iso(now - 1), revokedAt: null }, now)).toBe('Expired 20 Nov');
});

test('use is told roughly for working keys and by the day for dead ones', () => {
  const phrase = (status: 'active' | 'revoked', lastUsed: ReturnType<typeof use> | null, enrolledAgents = 0) =>
    usedPhrase({ status, lastUsed, enrolledAgents }, now);
  expect(phrase('active', null)).toBe('Never used');
  expect(phrase('active', null, 1)).toBe('Enrolled 1 agent');
  expect(phrase('revoked', null, 3)).toBe('Enrolled 3 agents');
  expect(phrase('active', use(now - 120_000), 3)).toBe('Used 2 min ago');
  expect(phrase('revoked', use(now - 12 * DAY))).toBe('Used 8 Nov');
  expect(['active', 'expiring_soon', 'disabled', 'expired', 'revoked'].map((s) => isDead(s as 'active'))).toEqual([
    false,
    false,
    false,
    true,
    true,
  ]);
});

test('revoking asks for the typed name in production and for whatever was used in the last 30 days', () => {
  expect(revokeNeedsName({ environment: 'production', lastUsed: null }, now)).toBe(true);
  expect(revokeNeedsName({ environment: 'development', lastUsed: use(now - 29 * DAY) }, now)).toBe(true);
  expect(revokeNeedsName({ environment: 'development', lastUsed: use(now - 31 * DAY) }, now)).toBe(false);
  expect(revokeNeedsName({ environment: 'staging', lastUsed: null }, now)).toBe(false);
});

test('the reason of a revocation depends on who reads it', () => {
  expect(reasonWords('by_owner', true)).toBe('by you');
  expect(reasonWords('by_owner', false)).toBe('by its owner');
  expect(reasonWords('member_left', false)).toBe('member left');
});

test('permissions are grouped by resource in their order', () => {
  expect(permissionsByResource(['events:read', 'agents:enroll', 'events:write', 'road_signs:read'])).toEqual([
    { resource: 'Events', actions: ['read', 'write'] },
    { resource: 'Agents', actions: ['enroll'] },
    { resource: 'Road signs', actions: ['read'] },
  ]);
});

test('rate limits name their window', () => {
  expect(ratePhrase({ limit: 600, windowSeconds: 60 })).toBe('600 / min');
  expect(ratePhrase({ limit: 1200, windowSeconds: 90 })).toBe('1,200 / 90 s');
});

test('a name that holds a person’s name is noticed, one that merely contains its letters is not', () => {
  expect(looksPersonal('lena-laptop', ['Lena Fischer'])).toBe(true);
  expect(looksPersonal('FISCHER_ci', ['Lena Fischer'])).toBe(true);
  expect(looksPersonal('calendar-sync', ['Lena Fischer'])).toBe(false);
  expect(looksPersonal('prod-main-app', ['Lena Fischer'])).toBe(false);
  expect(looksPersonal('al-bot', ['Al Li'])).toBe(false);
});
