import type { Page } from 'puppeteer-core';
import type { Asked } from './browser.ts';

/** Waits until what follows from an act is on the page: frames were drawn, and nothing changed meanwhile. */
export const settle = (page: Page) =>
  page.evaluate(async () => {
    let changed = true;
    const watch = new MutationObserver(() => {
      changed = true;
    });
    watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    while (changed) {
      changed = false;
      await new Promise((done) => setTimeout(done, 60));
      // What is done after painting waits for a frame, for which a busy machine takes its time.
      for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
    }
    watch.disconnect();
  });
/** What has the focus when the page has settled: its accessible name, its field name or its text. */
export async function focused(page: Page): Promise<string> {
  await settle(page);
  return page.evaluate(() => {
    const e = document.activeElement;
    return e?.getAttribute('aria-label') ?? (e as HTMLInputElement)?.name ?? e?.textContent ?? '';
  });
}
export async function focusedText(page: Page): Promise<string> {
  await settle(page);
  return page.evaluate(() => document.activeElement?.textContent ?? '');
}
export const text = (page: Page, selector: string) => page.$eval(selector, (e) => e.textContent ?? '');
/** The payloads of the messages of one type that the page has sent. */
export const asked = (page: Page, type: string) =>
  page.evaluate(
    (t) => (globalThis as unknown as { asked: Asked[] }).asked.filter((a) => a.type === t).map((a) => a.payload),
    type,
  );
export const button = (page: Page, words: string) => page.locator(`::-p-aria([name="${words}"][role="button"])`);
