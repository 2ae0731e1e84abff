const MAC = /Mac|iPhone|iPad/.test(globalThis.navigator?.userAgent ?? '');

/** A key as it is printed on this machine's keyboard; `Mod` is ⌘ or Ctrl. */
export function keyCap(key: string): string {
  const caps: Record<string, string> = {
    Mod: MAC ? '⌘' : 'Ctrl ',
    Enter: '↵',
    ArrowUp: '↑',
    ArrowDown: '↓',
    Backspace: '⌫',
    Escape: 'Esc',
  };
  return caps[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}

/** A hint that repeats what the list under `?` says: screen readers hear only those there (`spoken`). */
export function Kbd({ keys, spoken = false }: { keys: string; spoken?: boolean }) {
  return (
    <kbd class="kbd" aria-hidden={spoken ? undefined : 'true'}>
      {keys.split('+').map(keyCap).join('')}
    </kbd>
  );
}
