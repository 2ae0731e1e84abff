import { expect, test } from 'vitest';
import { niceTop, sparkHeights, total, usageSentence } from '../../../extension/ui/chart-data.ts';
import { exact } from '../../../extension/ui/format.ts';
import { asFormat, formatSecret, SECRET_FORMATS } from '../../../extension/ui/secret-formats.ts';
import { find, matches } from '../../../extension/ui/shortcuts.ts';
import { brokenKeys, removalList, removalReport } from '../../../extension/views/removal-words.ts';
import type { RemovalPreview } from '../../../shared/contract/members.ts';

const press = (key: string, more = {}) => ({ key, metaKey: false, ctrlKey: false, altKey: false, ...more });

test('a shortcut is its key alone, or with ⌘ or Ctrl when it says Mod', () => {
  expect(matches(press('n'), 'n')).toBe(true);
  expect(matches(press('N'), 'n')).toBe(true);
  expect(matches(press('n', { ctrlKey: true }), 'n')).toBe(false);
  expect(matches(press('n', { altKey: true }), 'n')).toBe(false);
  expect(matches(press('Enter', { metaKey: true }), 'Mod+Enter')).toBe(true);
  expect(matches(press('Enter', { ctrlKey: true }), 'Mod+Enter')).toBe(true);
  expect(matches(press('Enter'), 'Mod+Enter')).toBe(false);
});

test('letters rest while typing, when they are switched off and below a dialog', () => {
  const run = () => {};
  const page = {
    shortcuts: () => [
      { key: 'n', run },
      { key: 'Escape', typing: true, run },
      { key: '?', run },
    ],
    modal: false,
  };
  const dialog = { shortcuts: () => [], modal: true };
  expect(find(press('n'), false, [page], true)?.key).toBe('n');
  expect(find(press('n'), true, [page], true)).toBeUndefined();
  expect(find(press('Escape'), true, [page], true)?.key).toBe('Escape');
  expect(find(press('n'), false, [page], false)).toBeUndefined();
  expect(find(press('?'), false, [page], false)?.key).toBe('?');
  expect(find(press('Escape'), false, [page, dialog], true)).toBeUndefined();
});

test('of two layers the upper one is asked first', () => {
  const layer = (words: string) => ({ shortcuts: () => [{ key: 'e', words, run: () => {} }], modal: false });
  expect(find(press('e'), false, [layer('below'), layer('above')], true)?.words).toBe('above');
});

test('every form carries the secret exactly once, unchanged', () => {
  const secret = 'heex_prod_K4vT9mPzXm4Rs8LpT1vBnYc6HjZa3KfEuW5qA2cD0x1Yz';
  for (const format of SECRET_FORMATS) {
    expect(formatSecret(format, secret, 'https://keys.acme.example').split(secret)).toHaveLength(2);
  }
  expect(formatSecret('shell', secret, '')).toBe(`export HEEX_API_KEY=${secret}`);
  expect(formatSecret('curl', secret, 'https://k.example')).toBe(
    `curl -H "X-API-Key: ${secret}" https://k.example/v1/whoami`,
  );
  expect([asFormat('docker'), asFormat('gone'), asFormat('')]).toEqual(['docker', 'key', 'key']);
});

const usageDay = (date: string, valid: number, rateLimited = 0) => ({
  date,
  valid,
  unauthorized: 0,
  forbidden: 0,
  rateLimited,
});

test('a chart is a sentence to those who do not see it', () => {
  const now = new Date(2026, 10, 20, 12).getTime();
  const days = [usageDay('2026-11-19', 1200), usageDay('2026-11-20', 40, 5)];
  expect(usageSentence(days, now)).toBe(
    'Requests per day, 19 Nov to 20 Nov: 1,245 in all. Most on 19 Nov, 1.2k. 5 were refused with 429.',
  );
  expect(usageSentence([usageDay('2026-11-20', 0)], now)).toBe('No requests in the last 30 days.');
  expect(total(days)).toBe(1245);
});

test('a small drawing always has its sixteen bars, the latest at the right', () => {
  expect(sparkHeights([usageDay('2026-11-19', 5), usageDay('2026-11-20', 10)], 4)).toEqual([0, 0, 0.5, 1]);
  expect(sparkHeights([], 3)).toEqual([0, 0, 0]);
});

test('an axis ends at a round number that holds the highest bar', () => {
  expect([0, 1, 3, 5, 9, 63, 58_000, 99].map(niceTop)).toEqual([2, 2, 4, 6, 10, 80, 60_000, 100]);
});

test('the list to send names what breaks, most used first, and nothing that does not', () => {
  const key = (name: string, directUses: number) => ({
    id: name,
    name,
    prefix: `heex_prod_${name}`,
    environment: 'production' as const,
    directUses,
    enrolments: 1,
    lastUsed: null,
    sources: directUses
      ? [{ ip: '10.0.0.4', userAgent: null, uses: directUses, lastAt: new Date(0).toISOString() }]
      : [],
    moreSources: directUses > 5 ? 2 : 0,
  });
  const preview = {
    member: { name: 'Jonas', email: 'jonas@acme.example' },
    keys: [key('a', 1), key('b', 0), key('c', 9)],
    agents: [
      { id: 'agt_1', name: 'truck-17', keyId: 'a' },
      { id: 'agt_2', name: 'rig-5', keyId: 'a' },
    ],
    sessions: 1,
    knownSecrets: [
      { kind: 'scim_token', id: 'scim_1', name: 'Okta' },
      { kind: 'verifier', id: 'ver_1', name: 'edge' },
    ],
  } as unknown as RemovalPreview;
  expect(brokenKeys(preview).map(({ name }) => name)).toEqual(['c', 'a']);
  const broken = [
    'c (heex_prod_c…, production): 9 requests in 30 days',
    `  10.0.0.4, unnamed program, last ${exact(0)}`,
    '  and 2 more sources',
    'a (heex_prod_a…, production): 1 request in 30 days',
    `  10.0.0.4, unnamed program, last ${exact(0)}`,
  ];
  expect(removalList(preview).split('\n')).toEqual([
    'These stop working when Jonas is removed: replace HEEX_API_KEY here before the next launch.',
    ...broken,
  ]);
  expect(removalReport(preview, new Set(['agt_2'])).split('\n')).toEqual([
    'Removal of Jonas (jonas@acme.example)',
    '',
    '3 keys revoked:',
    'a (heex_prod_a…, production)',
    'b (heex_prod_b…, production)',
    'c (heex_prod_c…, production)',
    '',
    'Used directly in the last 30 days: replace HEEX_API_KEY here before the next launch.',
    ...broken,
    '',
    '1 agent keeps running, 1 more stays enrolled:',
    'truck-17, rig-5',
    '',
    '1 session ended.',
    '',
    'They know the secrets of SCIM token Okta, verifier edge: replace them.',
  ]);
});
