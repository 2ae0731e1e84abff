import { expect, test } from 'vitest';
import {
  actionWords,
  actorWords,
  changeWords,
  fieldWords,
  headOf,
  headText,
} from '../../../extension/views/workspace/audit-words.ts';
import { groupChanges, matrixOf } from '../../../extension/views/workspace/group-model.ts';
import { nextOrder, SORTS, sortKeys } from '../../../extension/views/workspace/key-sort.ts';
import type { Key } from '../../../shared/contract/keys.ts';

test('an entry of the audit log is told in words, also one of a kind that is new', () => {
  expect(actionWords('key.rotated')).toEqual(['rotate', 'rotated']);
  expect(actionWords('robot.was_fed')).toEqual(['info', 'robot was fed']);
  expect(actorWords({ type: 'member', name: 'lena@acme.example' })).toBe('lena@acme.example');
  expect(actorWords({ type: 'scim' })).toBe('Identity provider');
});

test('what changed is told by field, what stayed is not', () => {
  expect(changeWords({ before: { role: 'member', name: 'x' }, after: { role: 'admin', name: 'x' } })).toBe(
    'role: member → admin',
  );
  expect(changeWords({ before: { ipAllowlist: [] }, after: { ipAllowlist: ['10.0.0.0/8'] } })).toBe(
    'IP allowlist: added 10.0.0.0/8',
  );
  expect(changeWords({ before: { permissions: ['a:b', 'c:d'] }, after: { permissions: ['c:d', 'e:f'] } })).toBe(
    'permissions: added e:f, removed a:b',
  );
  // In the time of the reader, as the rest of the line is.
  const noon = new Date(2027, 1, 18, 12).toISOString();
  expect(changeWords({ before: null, after: { environment: 'staging', expiresAt: noon, x: null } })).toBe(
    'environment: staging · expires: 18 Feb 2027, 12:00',
  );
  expect(changeWords({ before: null, after: { a: 1, b: 2, c: 3, d: 4, e: 5 } })).toBe('a: 1 · b: 2 · c: 3 · 2 more');
  expect(changeWords({ before: null, after: null })).toBe('');
  expect(fieldWords('maxKeyLifetimeDays')).toBe('max key lifetime days');
});

test('what the verb and the name say is not told again', () => {
  const target = { type: 'key', id: 'key_1', name: 'docker-edge-ci' };
  const told = (action: string, before: object | null, after: object | null) =>
    changeWords({ action, target, before: before as never, after: after as never });
  expect(told('key.revoked', { status: 'live' }, { status: 'revoked', reason: 'leaked' })).toBe('reason: leaked');
  expect(told('key.revoked', { status: 'live' }, { status: 'revoked', reason: 'by_owner' })).toBe(
    'reason: by its owner',
  );
  expect(told('key.disabled', { disabled: false }, { disabled: true })).toBe('');
  expect(told('key.created', null, { name: target.name, environment: 'staging' })).toBe('environment: staging');
  expect(told('key.rotated', { expiresAt: null }, { expiresAt: null, prefix: 'heex_prod_K4vT9mPz', overlap: 1 })).toBe(
    'overlap: 1 · prefix: heex_prod_K4vT9mPz',
  );
  // Another name is a fact, and so is a new one.
  expect(told('key.created', null, { name: 'other' })).toBe('name: other');
  expect(told('key.edited', { name: 'old' }, { name: target.name })).toBe('name: old → docker-edge-ci');
});

test('a head of the log is copied as one line and known again, whatever stands around it', () => {
  const head = { seq: 8413, hash: 'ab'.repeat(32) };
  expect(headOf(headText(head))).toEqual(head);
  expect(headOf(`Friday: {"seq":8413,"hash":"${head.hash.toUpperCase()}"}\n`)).toEqual(head);
  for (const bad of ['', '8413', head.hash, `8413 ${head.hash}0`, `8413 ${head.hash.slice(1)}`])
    expect(headOf(bad), bad).toBeUndefined();
});

test('permissions become a matrix: read and write first, resources by name', () => {
  expect(matrixOf(['triggers:deploy', 'events:write', 'events:read', 'triggers:read', 'events:read'])).toEqual([
    { resource: 'events', words: 'Events', actions: ['read', 'write'] },
    { resource: 'triggers', words: 'Triggers', actions: ['read', 'deploy'] },
  ]);
});

test('saving a group says what it would change', () => {
  const before = { name: 'A', description: '', permissions: ['a:b'] };
  expect(groupChanges(before, before)).toEqual([]);
  expect(groupChanges(before, { name: 'B', description: '', permissions: ['c:d'] })).toEqual([
    'name changed',
    'c:d added',
    'a:b removed',
  ]);
});

const key = (name: string, over: Partial<Key> = {}) =>
  ({
    name,
    environment: 'production',
    status: 'active',
    createdAt: '2026-01-01T00:00:00Z',
    expiresAt: null,
    lastUsed: null,
    usageCount: 0,
    ...over,
  }) as Key;
const names = (keys: Key[]) => keys.map(({ name }) => name).join('');

test('keys are ordered by any column, never by accident', () => {
  const keys = [
    key('b', { expiresAt: '2027-01-01T00:00:00Z', usageCount: 5 }),
    key('A', { status: 'revoked', environment: 'development' }),
    key('c', {
      lastUsed: { at: '2026-11-01T00:00:00Z', ip: null, userAgent: null },
      expiresAt: '2026-12-01T00:00:00Z',
    }),
  ];
  const by = (sort: (typeof SORTS)[number], descending = false) => names(sortKeys(keys, { by: sort, descending }));
  expect(by('name')).toBe('Abc');
  expect(by('status')).toBe('bcA');
  expect(by('environment', true)).toBe('Abc');
  expect(by('expires')).toBe('cbA');
  expect(by('used', true)).toBe('cbA');
  expect(by('requests', true)).toBe('bAc');
  for (const sort of SORTS) expect(sortKeys([], { by: sort, descending: true })).toEqual([]);
});

test('a column is turned round by the second click', () => {
  const first = nextOrder({ by: 'created', descending: true }, 'name');
  expect(first).toEqual({ by: 'name', descending: false });
  expect(nextOrder(first, 'name')).toEqual({ by: 'name', descending: true });
  expect(nextOrder(first, 'used')).toEqual({ by: 'used', descending: true });
});
