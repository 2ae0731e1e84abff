import type { Signal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';
import type { Key } from '../../shared/contract/keys.ts';
import type { Environment } from '../../shared/key-format.ts';
import { filters, setFilters } from '../state/filters.ts';
import { disableKey, enableKey } from '../state/keys.ts';
import { navigate } from '../state/route.ts';
import { copy } from '../state/secret.ts';
import { showToast } from '../state/toasts.ts';
import { offline } from '../state/workspace.ts';
import { isDead } from '../ui/key-words.ts';
import { type Shortcut, useShortcuts } from '../ui/shortcuts.ts';
import { isMine, whyNoNewKey } from './keys-states.tsx';

export async function copyPrefix(key: Key): Promise<void> {
  const done = await copy(key.prefix);
  showToast(done ? 'Prefix copied' : 'Not copied', done ? 'ok' : 'bad');
}

/** What the letters do to one key, as far as it and the reader allow it. */
export function keyActs(key: Key | undefined): Shortcut[] {
  if (!key) return [];
  const mine = isMine(key);
  const copying: Shortcut = { key: 'c', words: 'Copy prefix', run: () => void copyPrefix(key) };
  if (isDead(key.status) || offline.value) return [copying];
  const toggle = () => void (key.status === 'disabled' ? enableKey(key.id) : disableKey(key.id));
  return [
    copying,
    ...(mine
      ? [
          { key: 'r', words: 'Rotate', run: () => navigate({ screen: 'rotate', id: key.id }) },
          { key: 'e', words: 'Edit', run: () => navigate({ screen: 'edit', id: key.id }) },
        ]
      : []),
    { key: 'd', words: 'Disable or enable', run: toggle },
    { key: 'Backspace', words: 'Revoke', run: () => navigate({ screen: 'revoke', id: key.id }) },
  ];
}

const ENVIRONMENT_KEYS: [key: string, environment: Environment | null][] = [
  ['0', null],
  ['1', 'production'],
  ['2', 'staging'],
  ['3', 'development'],
];

interface RowKeysProps {
  chosen: Signal<string | null>;
  order: () => Key[];
  search: () => HTMLInputElement | null;
}

const rowOf = (id: string | undefined) =>
  id === undefined ? null : document.querySelector<HTMLElement>(`[data-key="${CSS.escape(id)}"]`);
const inList = () => document.activeElement?.matches('.krow') ?? false;

/** The keyboard of the list: one tab stop, arrows inside, letters for the chosen key. */
export function RowKeys({ chosen, order, search }: RowKeysProps) {
  useLayoutEffect(() => {
    rowOf(chosen.peek() ?? undefined)?.focus({ preventScroll: true });
  }, [chosen]);
  const move = (step: 1 | -1) => {
    const keys = order();
    const at = inList() ? keys.findIndex((key) => key.id === chosen.peek()) : -1;
    if (at + step < 0) return search()?.focus();
    const next = inList() ? keys[at + step] : keys[step === 1 ? 0 : keys.length - 1];
    rowOf(next?.id)?.focus();
  };
  const clearOrClose = () => {
    if (filters.peek().search !== '') setFilters({ search: '' });
    else if (document.activeElement === search()) close();
    search()?.focus();
  };
  const chosenKey = () => order().find((key) => key.id === chosen.value);
  useShortcuts([
    { key: 'n', words: 'New key', run: () => whyNoNewKey() ?? navigate({ screen: 'new' }) },
    { key: '/', words: 'Search', run: () => search()?.focus() },
    { key: 'ArrowDown', words: 'Choose a key', typing: true, run: () => move(1) },
    { key: 'ArrowUp', words: 'Choose a key', typing: true, run: () => move(-1) },
    ...ENVIRONMENT_KEYS.map(([key, environment]) => ({
      key,
      words: 'Environment filter, 0 for all',
      run: () => setFilters({ environment }),
    })),
    { key: 'Escape', words: 'Clear search, close', typing: true, run: clearOrClose },
    ...keyActs(chosenKey()).map((act) => ({ ...act, run: () => inList() && act.run() })),
  ]);
  return null;
}
