import { dismissToast, type Toast, toasts } from '../state/toasts.ts';
import { Icon, type IconName } from './icon.tsx';

const ICONS: Record<Toast['tone'], IconName> = { ok: 'ok', info: 'info', bad: 'warn' };

function One({ toast }: { toast: Toast }) {
  return (
    <div class="toast">
      <Icon name={ICONS[toast.tone]} />
      <span class="toast__text">{toast.text}</span>
      {toast.undo ? (
        <button type="button" onClick={toast.undo}>
          Undo
        </button>
      ) : (
        <button type="button" class="toast__close" aria-label="Close" onClick={() => dismissToast(toast.id)}>
          <Icon name="x" class="icon--sm" />
        </button>
      )}
    </div>
  );
}

/** Always on the page, so that screen readers notice what is put into it. Only the latest few are in sight. */
export function Toasts() {
  return (
    <div class="toasts" role="status">
      {toasts.value.slice(-2).map((toast) => (
        <One key={toast.id} toast={toast} />
      ))}
    </div>
  );
}
