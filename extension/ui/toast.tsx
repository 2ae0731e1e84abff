import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';

interface Message {
  words: string;
  icon: IconName;
  undo?: () => void;
}

const current = signal<Message | null>(null);

/** Milliseconds that a toast stays: as long as an action can be taken back. */
const STAY = 10_000;

/** Says what has just been done; with `undo`, offers to take it back. */
export function toast(words: string, options: { icon?: IconName; undo?: () => void } = {}): void {
  current.value = { words, icon: options.icon ?? 'ok', ...(options.undo ? { undo: options.undo } : {}) };
}

export function dismissToast(): void {
  current.value = null;
}

/** The place where toasts appear. It is always on the page, so that screen readers notice what is put into it. */
export function Toasts() {
  const message = current.value;
  useEffect(() => {
    if (!message) return;
    const timer = setTimeout(() => {
      if (current.value === message) current.value = null;
    }, STAY);
    return () => clearTimeout(timer);
  }, [message]);
  return (
    <div class="toasts" role="status">
      {message && (
        <div class="toast">
          <Icon name={message.icon} />
          <span class="truncate">{message.words}</span>
          {message.undo ? (
            <button
              type="button"
              onClick={() => {
                dismissToast();
                message.undo?.();
              }}
            >
              Undo
            </button>
          ) : (
            <button type="button" class="toast__close" aria-label="Close" onClick={dismissToast}>
              <Icon name="x" class="icon--sm" />
            </button>
          )}
        </div>
      )}
    </div>
  );
}
