import { signal } from '@preact/signals';
import { preferences, setPreferences } from '../state/preferences.ts';
import { Button } from '../ui/button.tsx';
import { Tick } from '../ui/choice.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Kbd } from '../ui/kbd.tsx';
import { activeShortcuts, useShortcuts } from '../ui/shortcuts.ts';

// Taken when the list opens: the dialog itself would hide what holds below it.
const listed = signal<{ key: string; words: string }[] | null>(null);

export function openShortcuts(): void {
  listed.value = activeShortcuts();
}

/** Several keys that do the same stand on one line. */
function rows(shortcuts: { key: string; words: string }[]): [words: string, keys: string[]][] {
  const byWords = new Map<string, string[]>();
  for (const { key, words } of shortcuts) byWords.set(words, [...(byWords.get(words) ?? []), key]);
  return [...byWords];
}

function List({ shortcuts }: { shortcuts: { key: string; words: string }[] }) {
  const close = () => {
    listed.value = null;
  };
  return (
    <Dialog title="Keyboard shortcuts" shape="sheet" onClose={close} foot={<Button onClick={close}>Close</Button>}>
      <dl class="facts shortcut-list">
        {rows(shortcuts).map(([words, keys]) => (
          <>
            <dt>
              {keys.map((key) => (
                <Kbd key={key} keys={key} spoken />
              ))}
            </dt>
            <dd>{words}</dd>
          </>
        ))}
        <dt>
          <Kbd keys="?" spoken />
        </dt>
        <dd>This list</dd>
      </dl>
      <Tick
        kind="switch"
        checked={preferences.value.singleKeys}
        onChange={(singleKeys) => void setPreferences({ singleKeys })}
      >
        Single letters act as shortcuts
      </Tick>
    </Dialog>
  );
}

/** The list under `?`, on every screen. */
export function Shortcuts() {
  useShortcuts([{ key: '?', run: openShortcuts }]);
  return listed.value && <List shortcuts={listed.value} />;
}
