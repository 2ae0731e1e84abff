import { type ComponentChildren, createContext } from 'preact';
import { useContext, useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { scroll } from '../state/drafts.ts';
import { preferences } from '../state/preferences.ts';
import { back } from '../state/route.ts';
import { Button } from './button.tsx';
import { useShortcuts } from './shortcuts.ts';
import { Toasts } from './toasts.tsx';

/** Light or dark as the person chose, or as the system says. */
export function useTheme(): void {
  const { theme } = preferences.value;
  useLayoutEffect(() => {
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
}

/** Where the focus goes when a screen appears: the marked place, or its heading. */
function useFirstFocus() {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const page = ref.current;
    // A part of the screen may know better, e.g. the row that one comes back to.
    if (page?.contains(document.activeElement)) return;
    const marked = page?.querySelector<HTMLElement>('[data-autofocus]');
    const target = marked ?? page?.querySelector<HTMLElement>(':is(h1, h2)[tabindex]');
    target?.focus({ preventScroll: true });
  }, []);
  return ref;
}

const WAIT = 200;

/** Keeps how far the element is scrolled, and brings it back when the screen is shown again. */
function useKeptScroll(name: string | undefined) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (name && ref.current) ref.current.scrollTop = scroll.peek()[name] ?? 0;
  }, [name]);
  useEffect(() => {
    const element = ref.current;
    if (!name || !element) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const keep = () => {
      clearTimeout(timer);
      const { scrollTop } = element;
      timer = setTimeout(() => {
        scroll.value = { ...scroll.peek(), [name]: scrollTop };
      }, WAIT);
    };
    element.addEventListener('scroll', keep, { passive: true });
    return () => element.removeEventListener('scroll', keep);
  }, [name]);
  return ref;
}

/** Whether a screen stands in the panel of the workspace page, which has landmarks, a heading and notes of its own. */
export const InPanel = createContext(false);

interface PopupPageProps {
  top?: ComponentChildren;
  children: ComponentChildren;
  foot?: ComponentChildren;
  /** A line of state instead of actions. */
  quiet?: boolean;
  /** Under this name the place of scrolling is kept. */
  scrollName?: string;
  /** Sheets and dialogs. */
  over?: ComponentChildren;
}

/** 400×600: a bar that stays, a body that scrolls, a foot that stays. */
export function PopupPage({ top, children, foot, quiet, scrollName, over }: PopupPageProps) {
  const page = useFirstFocus();
  const panel = useContext(InPanel);
  const body = useKeptScroll(panel ? undefined : scrollName);
  const Body = panel ? 'div' : 'main';
  const Foot = panel ? 'div' : 'footer';
  return (
    <div class="popup" ref={page}>
      <div class="popup__top">{top}</div>
      <Body class="popup__body" ref={body}>
        {children}
      </Body>
      {foot && <Foot class={`popup__foot ${quiet ? 'popup__foot--quiet' : ''}`}>{foot}</Foot>}
      {!panel && <Toasts />}
      {over}
    </div>
  );
}

interface TitleBarProps {
  title: string;
  onBack?: (() => void) | false;
  end?: ComponentChildren;
}

/** The bar of a screen below the first one: back, what it is about, its acts. Escape goes back too. */
export function TitleBar({ title, onBack = back, end }: TitleBarProps) {
  const panel = useContext(InPanel);
  useShortcuts(onBack ? [{ key: 'Escape', words: panel ? 'Close' : 'Back', typing: true, run: onBack }] : []);
  const Bar = panel ? 'div' : 'header';
  const Heading = panel ? 'h2' : 'h1';
  return (
    <Bar class={`topbar topbar--title ${onBack && !panel ? '' : 'topbar--first'}`}>
      {onBack && !panel && <Button variant="ghost" icon="back" label="Back" onClick={onBack} />}
      <Heading class="truncate" title={title} tabIndex={-1}>
        {title}
      </Heading>
      <span class="grow" />
      {end}
      {onBack && panel && <Button variant="ghost" icon="x" label="Close" onClick={onBack} />}
    </Bar>
  );
}
