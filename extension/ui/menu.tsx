import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';
import { Kbd } from './kbd.tsx';

interface MenuProps {
  label: string;
  /** The button that opens it: the menu hangs below, and the focus goes back there. */
  opener: RefObject<HTMLElement | null>;
  align?: 'start' | 'end';
  width?: number;
  children: ComponentChildren;
  onClose: () => void;
}

const GAP = 4;
const EDGE = 8;

/** Below the opener, or above it where there is no room; always inside the window. */
function place(menu: HTMLElement, opener: HTMLElement, align: 'start' | 'end'): void {
  const from = opener.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = align === 'start' ? from.left : from.right - width;
  const below = from.bottom + GAP;
  const top = below + height > innerHeight - EDGE && from.top - GAP - height > EDGE ? from.top - GAP - height : below;
  menu.style.left = `${Math.max(EDGE, Math.min(left, innerWidth - width - EDGE))}px`;
  menu.style.top = `${Math.max(EDGE, Math.min(top, innerHeight - height - EDGE))}px`;
}

const itemsOf = (menu: HTMLElement) => [...menu.querySelectorAll<HTMLElement>('[role^=menuitem]')];

/** Arrows, Home, End and first letters, as the menu pattern of the ARIA Authoring Practices has them. */
function moveFocus(menu: HTMLElement, event: KeyboardEvent): void {
  const items = itemsOf(menu);
  const at = items.indexOf(document.activeElement as HTMLElement);
  const step = { ArrowDown: at + 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[
    event.key
  ];
  let next = step === undefined ? undefined : items.at(step % items.length);
  if (event.key.length === 1 && !event.metaKey && !event.ctrlKey && !event.altKey) {
    const rest = [...items.slice(at + 1), ...items.slice(0, at + 1)];
    next = rest.find((item) => item.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()));
  }
  if (step !== undefined || next) {
    event.preventDefault();
    next?.focus();
  }
}

function Menu({ label, opener, align = 'start', width, children, onClose }: MenuProps) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const menu = ref.current;
    if (!menu || !opener.current) return;
    place(menu, opener.current, align);
    (menu.querySelector<HTMLElement>('[role=menuitemradio][aria-checked=true]') ?? itemsOf(menu)[0])?.focus();
  }, [opener, align]);
  useEffect(() => {
    const outside = (event: Event) => {
      const target = event.target as Node;
      if (!ref.current?.contains(target) && !opener.current?.contains(target)) onClose();
    };
    document.addEventListener('pointerdown', outside, true);
    return () => document.removeEventListener('pointerdown', outside, true);
  }, [onClose, opener]);
  const keydown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      onClose();
      opener.current?.focus();
    } else if (ref.current) moveFocus(ref.current, event);
  };
  return (
    <div
      ref={ref}
      class="menu menu--floating"
      role="menu"
      aria-label={label}
      style={width === undefined ? undefined : { width: `${width}px` }}
      onKeyDown={keydown}
    >
      {children}
    </div>
  );
}

interface ItemProps {
  children: ComponentChildren;
  icon?: IconName;
  /** Instead of an icon, e.g. an avatar. */
  mark?: ComponentChildren;
  end?: ComponentChildren;
  kbd?: string;
  danger?: boolean;
  /** Of a choice among several: whether it is the one. */
  checked?: boolean;
  unavailable?: string | undefined;
  onSelect: () => void;
}

export function MenuItem({ children, icon, mark, end, kbd, danger, checked, unavailable, onSelect }: ItemProps) {
  const kind =
    checked === undefined ? { role: 'menuitem' as const } : { role: 'menuitemradio' as const, 'aria-checked': checked };
  return (
    <button
      type="button"
      class={`menu__item ${danger ? 'menu__item--danger' : ''}`}
      {...kind}
      aria-disabled={unavailable ? 'true' : undefined}
      title={unavailable}
      tabIndex={-1}
      onClick={() => !unavailable && onSelect()}
    >
      {mark ?? (icon && <Icon name={icon} />)}
      <span class="grow truncate">{children}</span>
      {end}
      {checked && !end && <Icon name="check" />}
      {kbd && <Kbd keys={kbd} />}
    </button>
  );
}

/** An opener and its menu. The children get `close`, to call before an item acts. */
export function useMenu() {
  const opener = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  const show = (props: Omit<MenuProps, 'opener' | 'onClose'>) =>
    open && <Menu {...props} opener={opener} onClose={close} />;
  return {
    opener,
    open,
    toggle: () => setOpen((was) => !was),
    close,
    show,
    /** Closes, gives the focus back, then acts: a dialog opened by the act returns to the opener. */
    choose: (act: () => void) => () => {
      setOpen(false);
      opener.current?.focus();
      act();
    },
  };
}
