import '../support/fake-browser.ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { environmentCounts, filteredKeys, filters, NO_FILTERS, setFilters } from '../../extension/state/filters.ts';
import { mirrors } from '../../extension/state/published.ts';
import { back, navigate, parseRoute, replaceRoute, route, routePath } from '../../extension/state/route.ts';
import { copy, copyResult } from '../../extension/state/secret.ts';
import { surface } from '../../extension/state/surface.ts';
import { dismissToast, showToast, toasts } from '../../extension/state/toasts.ts';
import { aKey, aSnapshot } from '../support/made-up.ts';

beforeEach(() => {
  surface.value = 'popup';
  filters.value = NO_FILTERS;
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('where a page is', () => {
  test('a route reads back from its own path, and nonsense is the key list', () => {
    for (const one of [
      { screen: 'keys' },
      { screen: 'key', id: 'key_1', tab: 'requests' },
      { screen: 'remove', id: 'a/b %' },
    ] as const) {
      expect(parseRoute(`#${routePath(one)}`)).toEqual(one);
    }
    for (const path of ['', '#', '#/nowhere/x', '#/key/%E0%A4%A', '#//']) expect(parseRoute(path)).toMatchObject({});
    expect(parseRoute('#/nowhere')).toEqual({ screen: 'keys' });
  });

  test('back returns through what was opened, and never out of the popup', () => {
    navigate({ screen: 'key', id: 'key_1' });
    navigate({ screen: 'rotate', id: 'key_1' });
    replaceRoute({ screen: 'revoke', id: 'key_1' });
    back();
    expect(route.value).toEqual({ screen: 'key', id: 'key_1' });
    back();
    back();
    expect(route.value).toEqual({ screen: 'keys' });
  });
});

describe('the keys that are shown', () => {
  const mine = aKey({ id: 'key_1', name: 'prod-main-app', environment: 'production' });
  const old = aKey({
    id: 'key_2',
    name: 'cli-laptop',
    prefix: 'heex_dev_Vb81nTzE',
    status: 'expiring_soon',
    expiresAt: new Date(Date.now() + 6 * 86_400_000).toISOString(),
  });
  const theirs = aKey({
    id: 'key_3',
    name: 'theirs',
    createdBy: { membershipId: 'mem_2', name: 'J', email: 'j@acme.example' },
  });

  test('are found by name or prefix in any case, and counted by environment', () => {
    mirrors.snapshot.value = aSnapshot({ keys: [mine, old] });
    setFilters({ search: ' VB81 ' });
    expect(filteredKeys.value?.map((k) => k.id)).toEqual(['key_2']);
    setFilters({ search: '', environment: 'production' });
    expect(filteredKeys.value?.map((k) => k.id)).toEqual(['key_1']);
    expect(environmentCounts.value).toEqual({ all: 2, production: 1, staging: 0, development: 1 });
    setFilters({ environment: null, expiration: 'expiring_soon' });
    expect(filteredKeys.value?.map((k) => k.id)).toEqual(['key_2']);
  });

  test('are told apart by expiry as the server does: by time alone, whatever else happened to the key', () => {
    const gone = aKey({ id: 'key_9', status: 'revoked', expiresAt: new Date(Date.now() - 1000).toISOString() });
    mirrors.snapshot.value = aSnapshot({ keys: [gone] });
    setFilters({ expiration: 'expired' });
    expect(filteredKeys.value?.map((k) => k.id)).toEqual(['key_9']);
    setFilters({ expiration: 'valid' });
    expect(filteredKeys.value).toEqual([]);
  });

  test('are one’s own until an admin asks for everyone’s', () => {
    mirrors.snapshot.value = aSnapshot({ keys: [mine], allKeys: [mine, theirs], role: 'admin' });
    expect(filteredKeys.value).toHaveLength(1);
    setFilters({ owner: 'all' });
    expect(filteredKeys.value).toHaveLength(2);
    setFilters({ owner: 'mem_2' });
    expect(filteredKeys.value?.map((k) => k.id)).toEqual(['key_3']);
    mirrors.snapshot.value = aSnapshot({ keys: [mine], allKeys: null, role: 'member' });
    expect(filteredKeys.value).toEqual([]);
  });
});

describe('copying', () => {
  test('says that it happened only when the browser has confirmed it', async () => {
    const writeText = vi.fn().mockResolvedValueOnce(undefined).mockRejectedValueOnce(new Error('not focused'));
    vi.stubGlobal('navigator', { clipboard: { writeText } });
    expect([await copy('a'), copyResult.value]).toEqual([true, 'copied']);
    expect([await copy('b'), copyResult.value]).toEqual([false, 'not_copied']);
  });
});

describe('a toast', () => {
  test('goes by itself, the one with Undo after ten seconds, and undoes once at most', () => {
    vi.useFakeTimers();
    const undo = vi.fn();
    showToast('cli-laptop disabled', 'ok', undo);
    showToast('Saved');
    vi.advanceTimersByTime(9000);
    expect(toasts.value.map((t) => t.text)).toEqual(['cli-laptop disabled']);
    const [toast] = toasts.value;
    toast?.undo?.();
    toast?.undo?.();
    expect(undo).toHaveBeenCalledTimes(1);
    expect(toasts.value).toEqual([]);
    showToast('again', 'ok', undo);
    const [second] = toasts.value;
    vi.advanceTimersByTime(10_001);
    second?.undo?.();
    expect(undo).toHaveBeenCalledTimes(1);
    dismissToast(99);
  });
});
