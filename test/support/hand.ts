import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ElementHandle, Page } from 'puppeteer-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Not by animation frames: a tab in the background has none.
const PATIENCE = { timeout: 15_000, polling: 50 };

/** What a person does on a page, by the words that they see. Everything waits until it is possible. */
export class Hand {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  /** Clicks the button, link or choice of that name (its text begins so, or its label is that). */
  async press(name: string): Promise<void> {
    const found = await this.page.waitForFunction(
      (wanted) => {
        // What lies under a dialog can't be reached.
        const within = [...document.querySelectorAll('dialog:modal')].at(-1) ?? document;
        const all = [...within.querySelectorAll<HTMLElement>('button, a, label, [role="menuitem"]')];
        const usable = all.filter(
          (e) => e.checkVisibility() && !e.matches(':disabled, [aria-disabled="true"]') && !e.closest('[inert]'),
        );
        const named = (e: HTMLElement) => (e.getAttribute('aria-label') ?? e.innerText).trim();
        return usable.find((e) => named(e) === wanted) ?? usable.find((e) => named(e).startsWith(wanted));
      },
      PATIENCE,
      name,
    );
    await (found as ElementHandle<HTMLElement>).click();
  }

  async #field(label: string): Promise<ElementHandle<HTMLInputElement>> {
    const found = await this.page.waitForFunction(
      (wanted) => {
        const fields = [...document.querySelectorAll<HTMLInputElement>('input, textarea')];
        const named = (e: HTMLInputElement) => e.getAttribute('aria-label') ?? e.labels?.[0]?.innerText ?? '';
        return fields.find((e) => e.checkVisibility() && named(e).trim().startsWith(wanted));
      },
      PATIENCE,
      label,
    );
    return found as ElementHandle<HTMLInputElement>;
  }

  /** Types into the field of that label, in place of what it held. */
  async fill(label: string, text: string): Promise<void> {
    const field = await this.#field(label);
    await field.evaluate((e) => e.select());
    await field.type(text);
  }

  /** Pastes what is on the clipboard into the field of that label. */
  async paste(label: string): Promise<void> {
    await (await this.#field(label)).focus();
    await this.page.keyboard.down('Control');
    await this.page.keyboard.press('v');
    await this.page.keyboard.up('Control');
  }

  /** Waits until the page shows that text. */
  async see(text: string): Promise<void> {
    await this.page
      .waitForFunction((wanted) => document.body.innerText.includes(wanted), PATIENCE, text)
      .catch(async () => {
        throw new Error(`“${text}” is not shown, but: ${await this.text()}`);
      });
  }

  text = (): Promise<string> => this.page.evaluate(() => document.body.innerText);

  /** What an extension page finds in the extension's storage, as JSON. */
  stored = (area: 'local' | 'session'): Promise<string> =>
    this.page.evaluate(
      `(globalThis.browser ?? chrome).storage.${area}.get().then((found) => JSON.stringify(found))`,
    ) as Promise<string>;

  /** What axe finds wrong, in light and in dark. */
  async faults(): Promise<string[]> {
    const found: string[] = [];
    for (const scheme of ['light', 'dark']) {
      await this.page.emulateMediaFeatures([
        { name: 'prefers-color-scheme', value: scheme },
        // Colours on their way from light to dark are neither.
        { name: 'prefers-reduced-motion', value: 'reduce' },
      ]);
      await this.page.evaluate(axe);
      const ids = await this.page.evaluate(
        `axe.run().then((r) => r.violations.flatMap((v) => v.nodes.map((n) => v.id + ' ' + n.target.join(' '))))`,
      );
      found.push(...(ids as string[]).map((id) => `${scheme}: ${id}`));
    }
    return found;
  }
}
