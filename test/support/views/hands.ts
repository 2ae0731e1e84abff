import type { Page } from 'puppeteer-core';
import type { Asked } from './browser.ts';

/** What has the focus: its accessible name, its field name or its text. */
export const focused = (page: Page) =>
  page.evaluate(() => {
    const e = document.activeElement;
    return e?.getAttribute('aria-label') ?? (e as HTMLInputElement)?.name ?? e?.textContent ?? '';
  });
export const focusedText = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? '');
export const text = (page: Page, selector: string) => page.$eval(selector, (e) => e.textContent ?? '');
/** The payloads of the messages of one type that the page has sent. */
export const asked = (page: Page, type: string) =>
  page.evaluate(
    (t) => (globalThis as unknown as { asked: Asked[] }).asked.filter((a) => a.type === t).map((a) => a.payload),
    type,
  );
export const button = (page: Page, words: string) => page.locator(`::-p-aria([name="${words}"][role="button"])`);
/** Long enough for what follows from an act to be on the page. */
export const settle = (page: Page) => page.evaluate(() => new Promise((done) => setTimeout(done, 60)));
