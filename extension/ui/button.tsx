import type { ComponentChildren, Ref } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';
import { Kbd } from './kbd.tsx';

interface ButtonProps {
  children?: ComponentChildren;
  /** `danger-quiet` is the way to a dangerous dialog, `danger` is the act itself. */
  variant?: 'primary' | 'secondary' | 'ghost' | 'danger' | 'danger-quiet';
  size?: 'sm' | 'md' | 'lg';
  icon?: IconName;
  /** Of a button with an icon only: what it does and to what, e.g. `Remove Jonas Weber`. */
  label?: string;
  /** The key that does the same. */
  kbd?: string;
  type?: 'button' | 'submit';
  block?: boolean;
  /** Words while the action is under way; the width stays. */
  busy?: string | false;
  /** Why it can't be pressed now. The title says it, to screen readers as the description; it stays in the tab order. */
  unavailable?: string | false | undefined;
  class?: string;
  /** The menu that it opens. */
  expanded?: boolean;
  popup?: 'menu' | 'dialog';
  buttonRef?: Ref<HTMLButtonElement>;
  onClick?: (event: MouseEvent) => void;
}

function classes({ variant = 'secondary', size = 'md', block, icon, label, class: more }: ButtonProps): string {
  return [
    'btn',
    variant !== 'secondary' && `btn--${variant}`,
    size !== 'md' && `btn--${size}`,
    icon && label && 'btn--icon',
    block && 'btn--block',
    more,
  ]
    .filter(Boolean)
    .join(' ');
}

/** Remembers the width that the button had before it became busy. */
function useSteadyWidth(busy: boolean) {
  const span = useRef<HTMLSpanElement>(null);
  const width = useRef(0);
  useLayoutEffect(() => {
    if (!busy) width.current = span.current?.parentElement?.offsetWidth ?? 0;
  });
  return [span, busy && width.current ? { minWidth: `${width.current}px` } : undefined] as const;
}

export function Button(props: ButtonProps) {
  const { children, icon, label, kbd, type = 'button', busy = false, unavailable, onClick } = props;
  const [inner, steady] = useSteadyWidth(busy !== false);
  const off = busy !== false || Boolean(unavailable);
  const press = (event: MouseEvent) => {
    if (off) event.preventDefault();
    else onClick?.(event);
  };
  return (
    <button
      type={type}
      class={classes(props)}
      style={steady}
      title={unavailable || label || undefined}
      aria-label={label}
      aria-disabled={off ? 'true' : undefined}
      aria-busy={busy !== false ? 'true' : undefined}
      aria-haspopup={props.popup}
      aria-expanded={props.expanded}
      ref={props.buttonRef ?? null}
      onClick={press}
    >
      {busy !== false ? <span class="spinner" /> : icon && <Icon name={icon} />}
      <span class="btn__words" ref={inner}>
        {busy !== false ? busy : children}
      </span>
      {kbd && busy === false && <Kbd keys={kbd} />}
    </button>
  );
}

interface LinkProps {
  children: ComponentChildren;
  icon?: IconName;
  iconEnd?: IconName;
  class?: string;
  expanded?: boolean;
  onClick: () => void;
}

/** A button that looks like a link: for small acts beside text. */
export function LinkButton({ children, icon, iconEnd, class: more = '', expanded, onClick }: LinkProps) {
  return (
    <button type="button" class={`link ${more}`.trim()} aria-expanded={expanded} onClick={onClick}>
      {icon && <Icon name={icon} class="icon--sm" />}
      {children}
      {iconEnd && <Icon name={iconEnd} class="icon--sm" />}
    </button>
  );
}
