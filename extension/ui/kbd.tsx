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

/** Hidden from screen readers: `aria-keyshortcuts` and the list under `?` say it. */
export function Kbd({ keys }: { keys: string }) {
  return (
    <kbd class="kbd" aria-hidden="true">
      {keys.split('+').map(keyCap).join('')}
    </kbd>
  );
}
