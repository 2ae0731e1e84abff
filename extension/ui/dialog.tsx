import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks';
import { surface } from '../state/surface.ts';
import { useModalLayer } from './shortcuts.ts';

interface DialogProps {
  title: ComponentChildren;
  /** Beside the title, e.g. an avatar. */
  mark?: ComponentChildren;
  /** A line below the title. */
  subtitle?: ComponentChildren;
  children: ComponentChildren;
  foot: ComponentChildren;
  /** Something is destroyed: screen readers interrupt for it. */
  alert?: boolean;
  /** A sheet rises from the bottom of the popup. */
  shape?: 'dialog' | 'sheet';
  full?: boolean;
  /** The foot holds a field above its buttons. */
  footStack?: boolean;
  onClose: () => void;
  /** ↵ in a field and ⌘↵ anywhere; the caller decides whether that is enough to act. */
  onSubmit?: () => void;
}

const FOCUSABLE =
  'a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled]), [tabindex="0"]';

/** The first place that is safe to be in: a marked one, a field, or the way out. */
function firstSafe(dialog: HTMLElement): HTMLElement | null {
  return (
    dialog.querySelector<HTMLElement>('[data-autofocus]') ??
    dialog.querySelector<HTMLElement>('input:not([type=radio]), textarea, select') ??
    dialog.querySelector<HTMLElement>('.dialog__foot .btn:not(.btn--danger, .btn--primary)') ??
    dialog.querySelector<HTMLElement>(FOCUSABLE)
  );
}

/** Tab goes round inside; what lies below is inert anyway. */
function keepTabInside(dialog: HTMLElement, event: KeyboardEvent): void {
  const stops = [...dialog.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((e) => e.tabIndex >= 0 && e.offsetParent);
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  if (stops.length > 0 && document.activeElement === edge) {
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0])?.focus();
  }
}

/** Opens the element above everything, moves the focus in, and gives it back to the opener at the end. */
function useModal(onClose: () => void) {
  const ref = useRef<HTMLDialogElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    dialog.showModal();
    firstSafe(dialog)?.focus();
    // Closed before it goes, so that the browser gives the focus back to the opener.
    return () => dialog.close();
  }, []);
  useEffect(() => {
    const dialog = ref.current;
    const cancel = (event: Event) => {
      event.preventDefault();
      close.current();
    };
    dialog?.addEventListener('cancel', cancel);
    return () => dialog?.removeEventListener('cancel', cancel);
  }, []);
  return ref;
}

export function Dialog(props: DialogProps) {
  const { full, alert, onClose, onSubmit } = props;
  // A sheet belongs to the popup's narrow page; in a full tab the same thing stands in the middle.
  const shape = props.shape === 'sheet' && surface.value === 'popup' ? 'sheet' : 'dialog';
  const titleId = useId();
  const ref = useModal(onClose);
  useModalLayer();
  const keydown = (event: KeyboardEvent) => {
    if (event.key === 'Tab' && ref.current) keepTabInside(ref.current, event);
    if (event.key === 'Escape') {
      // Kept from the browser, which would close the whole popup.
      event.preventDefault();
      event.stopPropagation();
      onClose();
    }
    const field = event.target instanceof HTMLInputElement && event.target.type !== 'radio';
    if (event.key === 'Enter' && onSubmit && (field || event.metaKey || event.ctrlKey)) {
      event.preventDefault();
      event.stopPropagation();
      onSubmit();
    }
  };
  return (
    <dialog
      ref={ref}
      class={`dialog ${shape === 'sheet' ? 'sheet' : ''} ${full && shape === 'sheet' ? 'sheet--full' : ''}`}
      role={alert ? 'alertdialog' : undefined}
      aria-modal="true"
      aria-labelledby={titleId}
      onKeyDown={keydown}
      onMouseDown={(event) => event.target === event.currentTarget && !alert && onClose()}
    >
      <div class="dialog__head">
        {props.mark}
        <div class="grow">
          <h2 id={titleId}>{props.title}</h2>
          {props.subtitle && <p class="small muted truncate">{props.subtitle}</p>}
        </div>
      </div>
      <div class="dialog__body">{props.children}</div>
      <div class={`dialog__foot ${props.footStack ? 'dialog__foot--stack' : ''}`}>{props.foot}</div>
    </dialog>
  );
}
