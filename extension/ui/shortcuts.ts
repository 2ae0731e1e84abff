import { useLayoutEffect, useRef } from 'preact/hooks';
import { preferences } from '../state/preferences.ts';

/** One shortcut: `n`, `/`, `ArrowDown`, `Mod+Enter`. */
export interface Shortcut {
  key: string;
  /** What it does, in the list under `?`; without words it is not listed. */
  words?: string;
  /** Also while the person is typing: for Escape, the arrows and combinations with Mod. */
  typing?: boolean;
  run: () => void;
}

interface Layer {
  shortcuts: () => readonly Shortcut[];
  /** Nothing below a dialog is reached. */
  modal: boolean;
}

const layers: Layer[] = [];

const TEXT_TYPES = new Set(['text', 'search', 'email', 'url', 'password', 'date', 'number', 'tel']);

/** Whether keys belong to the element that has the focus, because text is typed there. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return TEXT_TYPES.has(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

type Pressed = Pick<KeyboardEvent, 'key' | 'metaKey' | 'ctrlKey' | 'altKey'>;

/** Whether an event is a combination such as `Mod+Enter` or `n`. Shift counts only through the character it makes. */
export function matches(event: Pressed, combination: string): boolean {
  const mod = combination.startsWith('Mod+');
  const key = mod ? combination.slice(4) : combination;
  if (event.altKey || mod !== (event.metaKey || event.ctrlKey)) return false;
  return key.length === 1 ? event.key.toLowerCase() === key : event.key === key;
}

const isSingle = (key: string) => key.length === 1;

/** The shortcut that an event stands for, from the topmost layer down. */
export function find(event: Pressed, typing: boolean, stack: readonly Layer[], single: boolean): Shortcut | undefined {
  for (const layer of stack.toReversed()) {
    const hit = layer
      .shortcuts()
      .find((s) => matches(event, s.key) && (!typing || s.typing) && (single || !isSingle(s.key) || s.key === '?'));
    if (hit) return hit;
    if (layer.modal) return undefined;
  }
  return undefined;
}

/** Arrows inside a group of radio buttons, a list or a text of several lines are that element's own. */
const ownsArrows = (target: EventTarget | null) =>
  target instanceof HTMLSelectElement ||
  target instanceof HTMLTextAreaElement ||
  (target instanceof HTMLInputElement && (target.type === 'radio' || target.type === 'date'));

function onKeyDown(event: KeyboardEvent): void {
  const arrow = event.key.startsWith('Arrow');
  if (event.defaultPrevented || event.isComposing || (event.repeat && !arrow)) return;
  if (arrow && ownsArrows(event.target)) return;
  const hit = find(event, isTyping(event.target), layers, preferences.value.singleKeys);
  if (!hit) return;
  event.preventDefault();
  hit.run();
}

function add(layer: Layer): () => void {
  if (layers.length === 0) document.addEventListener('keydown', onKeyDown);
  layers.push(layer);
  return () => {
    layers.splice(layers.indexOf(layer), 1);
    if (layers.length === 0) document.removeEventListener('keydown', onKeyDown);
  };
}

/** Shortcuts that hold while the component is on the page; those of a component mounted later go first. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  // With the page, not after it was drawn: a key that is pressed in between would be lost.
  useLayoutEffect(() => add({ shortcuts: () => latest.current, modal: false }), []);
}

/** While a dialog is open, the shortcuts of the page below it rest. */
export function useModalLayer(): void {
  useLayoutEffect(() => add({ shortcuts: () => [], modal: true }), []);
}

/** What the shortcuts on the page do now, for the list under `?`. */
export function activeShortcuts(): { key: string; words: string }[] {
  const seen = new Map<string, string>();
  for (const layer of layers) {
    for (const { key, words } of layer.shortcuts()) if (words) seen.set(key, words);
  }
  return [...seen].map(([key, words]) => ({ key, words }));
}
