import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EMPTY_NEW_KEY } from '../../../extension/state/drafts.ts';
import { errorsOf, lineErrors, readLines, sentence } from '../../../extension/ui/field-errors.ts';
import { DAY } from '../../../extension/ui/format.ts';
import {
  allowedDays,
  changesOf,
  createBodyOf,
  draftErrors,
  effectiveExpiry,
  expiresAt,
  fieldsOf,
} from '../../../extension/views/key-form-model.ts';
import type { Key } from '../../../shared/contract/keys.ts';
import { createKeyBody } from '../../../shared/contract/keys.ts';

const now = Date.parse('2026-11-20T14:32:00Z');

test('an empty draft sends nothing but name, environment and expiry', () => {
  expect(createBodyOf({ ...EMPTY_NEW_KEY, name: 'prod-main-app' }, null, now)).toEqual({
    name: 'prod-main-app',
    environment: 'development',
    expiresAt: new Date(now + 90 * DAY).toISOString(),
  });
});

test('everything that was typed is sent in the form of the contract', () => {
  const draft = {
    ...EMPTY_NEW_KEY,
    name: 'x1',
    description: 'd',
    expiry: 'never',
    groupId: 'grp_1',
    permissions: ['a:b'],
    ipAllowlist: ' 10.0.0.0/24 \n\n198.51.100.7\n',
    rateLimit: '1,200/3600',
    customers: 'acme\n',
    technicalOwner: ' ops@acme.example ',
  };
  const body = createBodyOf(draft, null, now);
  expect(body).toEqual({
    name: 'x1',
    description: 'd',
    environment: 'development',
    expiresAt: null,
    groupId: 'grp_1',
    permissions: ['a:b'],
    ipAllowlist: ['10.0.0.0/24', '198.51.100.7'],
    rateLimit: { limit: 1200, windowSeconds: 3600 },
    customers: ['acme'],
    technicalOwner: 'ops@acme.example',
  });
  expect(createKeyBody.safeParse(body).success).toBe(true);
});

test('bad input is named by its field before anything is sent', () => {
  const paths = (change: Partial<typeof EMPTY_NEW_KEY>) => {
    const draft = { ...EMPTY_NEW_KEY, name: 'prod-main-app', ...change };
    return draftErrors(draft, createBodyOf(draft, null, now), now).map((error) => error.path);
  };
  expect(paths({})).toEqual([]);
  expect(paths({ name: 'p' })).toEqual(['name']);
  expect(paths({ rateLimit: 'many/60' })).toEqual(['rateLimit.limit']);
  expect(paths({ rateLimit: '0/60' })).toEqual(['rateLimit.limit']);
  expect(paths({ technicalOwner: 'nobody' })).toEqual(['technicalOwner']);
  expect(paths({ ipAllowlist: '10.0.0.0/24\n203.0.113.300\n010.0.0.1' })).toEqual(['ipAllowlist.1', 'ipAllowlist.2']);
  expect(paths({ customers: 'ok\nwith space' })).toEqual(['customers.1']);
  expect(paths({ expiry: 'custom', expiresOn: '' })).toEqual(['expiresAt']);
  expect(paths({ expiry: 'custom', expiresOn: '2020-01-01' })).toEqual(['expiresAt']);
});

test('a chosen day counts to its end, in local time', () => {
  const end = expiresAt('custom', '2027-02-18', now);
  expect(end).toBe(new Date(2027, 1, 18, 23, 59, 59).getTime());
  expect(expiresAt('custom', 'soon', now)).toBeUndefined();
});

test('the workspace’s maximum lifetime takes choices away', () => {
  expect(allowedDays(90)).toEqual([7, 30, 90]);
  expect(effectiveExpiry('365', 90)).toBe('90');
  expect(effectiveExpiry('never', 30)).toBe('30');
  expect(effectiveExpiry('never', 3)).toBe('custom');
  expect(effectiveExpiry('never', null)).toBe('never');
  expect(effectiveExpiry('custom', 90)).toBe('custom');
});

const key = {
  id: 'key_1',
  name: 'prod-main-app',
  description: '',
  groupId: 'grp_1',
  permissions: ['a:b'],
  ipAllowlist: ['10.0.0.0/24'],
  rateLimit: { limit: 600, windowSeconds: 90 },
  customers: [],
  technicalOwner: null,
} as unknown as Key;
const group = { id: 'grp_1', name: 'G', description: '', permissions: ['a:b', 'a:c'], keys: 1, createdAt: '' };

test('an edit sends only what was changed', () => {
  const before = fieldsOf(key);
  expect(changesOf(before, before)).toEqual({});
  expect(changesOf({ ...before, name: 'other', rateLimit: '' }, before)).toEqual({ name: 'other', rateLimit: null });
  expect(changesOf({ ...before, ipAllowlist: '' }, before)).toEqual({ ipAllowlist: [] });
});

test('a key with fewer permissions than its group is shown as narrowed, and widening it is a change', () => {
  expect(fieldsOf(key).permissions).toBeNull();
  const before = fieldsOf(key, [group]);
  expect(before.permissions).toEqual(['a:b']);
  expect(changesOf({ ...before, permissions: null }, before)).toEqual({ permissions: null });
});

test('messages of the contract become sentences', () => {
  expect(sentence('use at least 2 characters')).toBe('Use at least 2 characters.');
  expect(sentence('Is it? ')).toBe('Is it?');
});

test('errors are found at their field and at what lies in it, never at a longer name', () => {
  const errors = [
    { path: 'name', message: 'a' },
    { path: 'rateLimit.limit', message: 'b' },
    { path: 'nameless', message: 'c' },
  ];
  expect(errorsOf(errors, 'name')).toEqual(['A.']);
  expect(errorsOf(errors, 'rateLimit')).toEqual(['B.']);
});

test('an error of a list names the line that was typed, blank lines counted', () => {
  const text = '10.0.0.0/24\n\n  203.0.113.300\nfd00::/129';
  const errors = [
    { path: 'ipAllowlist.1', message: 'isn’t an IP address' },
    { path: 'ipAllowlist[2]', message: 'ends at /128' },
    { path: 'ipAllowlist', message: 'list at most 100' },
  ];
  expect(lineErrors(errors, 'ipAllowlist', text)).toEqual([
    { line: 3, words: 'Isn’t an IP address.' },
    { line: 4, words: 'Ends at /128.' },
    { words: 'List at most 100.' },
  ]);
});

test('a line that the server names in its words becomes the line that was typed', () => {
  const errors = [{ path: 'ipAllowlist', message: 'Line 2: 203.0.113.300 isn’t an IP address.' }];
  expect(lineErrors(errors, 'ipAllowlist', '10.0.0.0/24\n\n203.0.113.300')).toEqual([
    { line: 3, words: '203.0.113.300 isn’t an IP address.' },
  ]);
});

test('every entry of a typed list keeps the number of its line', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ a-z]{0,6}$/)), (rows) => {
      const { entries, lines } = readLines(rows.join('\n'));
      expect(entries).toEqual(rows.map((row) => row.trim()).filter((row) => row !== ''));
      for (const [i, line] of lines.entries()) expect(rows[line - 1]?.trim()).toBe(entries[i]);
    }),
  );
});
