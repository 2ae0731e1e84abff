import { signal } from '@preact/signals';
import { browser } from 'wxt/browser';

/** The tab that a secret could be inserted into: known once the popup was opened over it by a click. */
export const insertTarget = signal<{ tabId: number; host: string } | null>(null);

export type Inserted = { ok: true; field: string | null } | { ok: false; reason: 'no_field' | 'not_allowed' };

/** Looks which page the popup was opened over. The click on the toolbar shows that one address, and no other. */
export async function findInsertTarget(): Promise<void> {
  const [tab] = await browser.tabs.query({ active: true, currentWindow: true });
  const url = tab?.url && URL.canParse(tab.url) ? new URL(tab.url) : null;
  insertTarget.value =
    tab?.id !== undefined && url && /^https?:$/.test(url.protocol) ? { tabId: tab.id, host: url.host } : null;
}

/** Runs in the page: it is sent there as text, so it must not use anything from outside itself. */
function fillFocusedField(text: string): { field: string | null } | null {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  const typable = ['', 'text', 'password', 'search', 'url', 'tel'];
  const nameOf = (e: HTMLElement & { labels?: NodeListOf<HTMLLabelElement> | null }) =>
    (e.labels?.[0]?.textContent?.trim() || e.getAttribute('aria-label') || e.getAttribute('placeholder'))?.slice(0, 60);
  if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) {
    const type = element instanceof HTMLInputElement ? (element.getAttribute('type')?.toLowerCase() ?? '') : 'text';
    if (!typable.includes(type) || element.disabled || element.readOnly) return null;
    element.setRangeText(text, element.selectionStart ?? 0, element.selectionEnd ?? element.value.length, 'end');
    element.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertText', data: text }));
    element.dispatchEvent(new Event('change', { bubbles: true }));
    return { field: nameOf(element) ?? null };
  }
  if (element instanceof HTMLElement && element.isContentEditable && document.execCommand('insertText', false, text)) {
    return { field: nameOf(element) ?? null };
  }
  return null;
}

/** Puts the text into the field of the tab that has the focus. On a click only; that one tab, no frame inside it. */
export async function insertIntoPage(text: string): Promise<Inserted> {
  const target = insertTarget.value;
  if (!target) return { ok: false, reason: 'not_allowed' };
  try {
    const [frame] = await browser.scripting.executeScript({
      target: { tabId: target.tabId },
      func: fillFocusedField,
      args: [text],
    });
    const done = frame?.result;
    return done ? { ok: true, field: done.field } : { ok: false, reason: 'no_field' };
  } catch {
    return { ok: false, reason: 'not_allowed' };
  }
}
