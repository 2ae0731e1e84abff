import { type ReadonlySignal, signal } from '@preact/signals';
import type { Failure } from '../messages/failure.ts';
import { UNDO_MS } from '../messages/protocol.ts';

const PLAIN_MS = 6000;

export interface Toast {
  id: number;
  text: string;
  tone: 'ok' | 'info' | 'bad';
  undo?: () => void;
}

const shown = signal<readonly Toast[]>([]);
/** Short notes on what has happened, the oldest first; each goes by itself, those with Undo after ten seconds. */
export const toasts: ReadonlySignal<readonly Toast[]> = shown;
let next = 1;

export function dismissToast(id: number): void {
  shown.value = shown.value.filter((toast) => toast.id !== id);
}

/** Shows a note; `undo` runs once at most and closes it. */
export function showToast(text: string, tone: Toast['tone'] = 'ok', undo?: () => void): void {
  const id = next++;
  const once =
    undo &&
    (() => {
      if (!shown.value.some((toast) => toast.id === id)) return;
      dismissToast(id);
      undo();
    });
  shown.value = [...shown.value, { id, text, tone, ...(once ? { undo: once } : {}) }];
  setTimeout(() => dismissToast(id), undo ? UNDO_MS : PLAIN_MS);
}

/** What to say of something that was asked for: that it did not happen, or that nobody knows. */
export const failed = (what: string, { code, title }: Failure): string => (code === 'outcome_unknown' ? title : what);

/** Says that something did not happen, and why. */
export function showFailure(what: string, failure: Failure): void {
  showToast(`${failed(what, failure)}. ${failure.detail ?? failure.title}`, 'bad');
}
