import { fileURLToPath } from 'node:url';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { createServer, type ViteDevServer } from 'vite';
import { chromiumPath } from '../programs.ts';
import { settle } from './hands.ts';

/** Shows scenes of the views in a real Chromium: no companion, no extension, the screens alone. */
export class Stage {
  readonly #server: ViteDevServer;
  readonly #browser: Browser;
  readonly #url: string;

  private constructor(server: ViteDevServer, browser: Browser, url: string) {
    this.#server = server;
    this.#browser = browser;
    this.#url = url;
  }

  static async open(): Promise<Stage> {
    const root = fileURLToPath(new URL('.', import.meta.url));
    const server = await createServer({
      root,
      configFile: false,
      logLevel: 'error',
      cacheDir: fileURLToPath(new URL('../../../node_modules/.vite-views', import.meta.url)),
      server: { host: '127.0.0.1', port: 0, hmr: false, ws: false, watch: null, fs: { strict: false } },
      oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
      optimizeDeps: { include: ['preact', 'preact/hooks', '@preact/signals', 'wxt/browser', 'zod/mini'] },
    });
    await server.listen();
    const browser = await puppeteer.launch({
      executablePath: chromiumPath(),
      headless: process.env.HEADFUL !== '1',
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--font-render-hinting=none'],
    });
    return new Stage(server, browser, server.resolvedUrls?.local[0] ?? '');
  }

  /** A page with the scene, in the colours and with the motion that a person has set. */
  async show(
    scene: string,
    scheme: 'light' | 'dark' = 'light',
    size?: { width: number; height: number },
  ): Promise<Page> {
    const page = await this.#browser.newPage();
    const errors: unknown[] = [];
    page.on('pageerror', (error) => errors.push(error));
    await page.setViewport({ ...(size ?? { width: 400, height: 600 }), deviceScaleFactor: 2 });
    await this.dress(page, scheme);
    await page.goto(`${this.#url}?scene=${scene}`);
    await page.waitForSelector('#root > *').catch(() => {
      throw new Error(`${scene} did not render: ${errors.join('; ')}`);
    });
    await settle(page);
    if (errors.length > 0) throw new Error(`${scene}: ${errors.join('; ')}`);
    return page;
  }

  /** Light or dark as the system says, without motion. */
  async dress(page: Page, scheme: 'light' | 'dark'): Promise<void> {
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: scheme },
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ]);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#server.close();
  }
}
