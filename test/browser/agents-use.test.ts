import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { asked, button, settle, text } from '../support/views/hands.ts';
import { Stage } from '../support/views/stage.ts';

let stage: Stage;
const pages: Page[] = [];
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.close());
afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});
async function show(scene: string): Promise<Page> {
  const page = await stage.show(scene, 'light', { width: 1280, height: 800 });
  pages.push(page);
  return page;
}
const PATIENCE = { timeout: 15_000 };
const rows = (page: Page) => page.$$eval('tbody tr', (all) => all.length);

test('what an agent’s key has become is told without alarm', async () => {
  const page = await show('w4-agents');
  expect(await text(page, '.page__note .callout')).toContain('That’s fine.');
});

/** Types into what has the focus, a letter with every other frame. @returns the longest pause between two, in milliseconds */
const typeInto = (page: Page, words: string) =>
  page.evaluate(async (letters) => {
    const field = document.activeElement as HTMLInputElement;
    let [longest, before] = [0, performance.now()];
    for (const letter of letters) {
      longest = Math.max(longest, performance.now() - before);
      before = performance.now();
      field.value += letter;
      field.dispatchEvent(new Event('input', { bubbles: true }));
      for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
    }
    return longest;
  }, words);

test('a search of agents is sent when the typing has stopped', async () => {
  let page: Page;
  do {
    page = await show('w4-agents');
    await page.keyboard.press('/');
    // A busy machine may pause between letters for as long as a person who has stopped: then once more.
  } while ((await typeInto(page, 'truck')) > 200);
  const queries = async () =>
    (await asked(page, 'agent.list')).map((payload) => JSON.stringify((payload as { query: object }).query));
  await expect.poll(queries, PATIENCE).toContain('{"limit":50,"q":"truck"}');
  // Every question is asked again while it is looked at.
  expect(new Set(await queries())).toEqual(new Set(['{"limit":1}', '{"limit":50}', '{"limit":50,"q":"truck"}']));
});

test('reading presence anew keeps the pages that were loaded, and stops while the page is hidden', async () => {
  const page = await show('w4-agents');
  const answered = async () => (await asked(page, 'agent.list')).length;
  await button(page, 'Show more').click();
  await settle(page);
  const before = await answered();
  await expect.poll(answered, PATIENCE).toBeGreaterThan(before + 3);
  expect(await rows(page)).toBe(8);
  await page.evaluate(() =>
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true }),
  );
  await page.evaluate(() => new Promise((done) => setTimeout(done, 1200)));
  const hidden = await answered();
  await page.evaluate(() => new Promise((done) => setTimeout(done, 1200)));
  expect(await answered()).toBe(hidden);
  await page.evaluate(() => Object.defineProperty(document, 'visibilityState', { value: 'visible' }));
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await expect.poll(answered, PATIENCE).toBeGreaterThan(hidden);
});

test('state, address and last seen fit into their columns', async () => {
  const page = await show('w4-agents');
  const cut = await page.$$eval('tbody td:nth-child(2), tbody td:nth-child(3) :is(time, small, span)', (all) =>
    all
      .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
      .map((e) => e.textContent),
  );
  expect(cut).toEqual([]);
  expect(await page.$eval('tbody td:nth-child(3) small', (e) => [e.textContent, e.title])).toEqual([
    '10.0.0.9',
    '10.0.0.9',
  ]);
});

test('enrolling an agent shows the commands, with the address of the server', async () => {
  const page = await show('w4-agents');
  await button(page, 'Enrol an agent').click();
  await page.waitForSelector('dialog[open]');
  expect(await text(page, 'dialog pre')).toContain('export HEEX_URL=https://keys.acme.example\n');
});

test('the list is narrowed by state, key, member and version, and all of it comes back', async () => {
  const page = await show('w4-agents');
  const choose = async (filter: string, value: string) => {
    await button(page, filter).click();
    await page.locator(`::-p-aria([name="${value}"][role="menuitemradio"])`).click();
    await settle(page);
  };
  await choose('Key status', 'Expired');
  expect([await rows(page), await text(page, 'tbody tr b')]).toEqual([1, 'lab-cam-4']);
  await choose('Version', '2.9.1');
  expect(((await asked(page, 'agent.list')) as { query: object }[]).at(-1)?.query).toEqual({
    limit: 50,
    keyStatus: 'expired',
    version: '2.9.1',
  });
  await choose('State', 'Running');
  expect(await text(page, '.empty')).toContain('No agents match.');
  expect(await page.$$eval('.filters .btn--chosen', (all) => all.map((e) => e.textContent))).toEqual([
    'State: Running',
    'Key status: Expired',
    'Version: 2.9.1',
  ]);
  await page.click('.filters .link');
  await settle(page);
  expect(await rows(page)).toBe(4);
});

test('all pages of what was found are exported, and nothing where nothing was found', async () => {
  const page = await show('w4-agents');
  await button(page, 'Export').click();
  await settle(page);
  const whole = ((await asked(page, 'agent.list')) as { query: { limit: number } }[]).filter(
    ({ query }) => query.limit === 100,
  );
  expect(whole).toEqual([{ query: { limit: 100 } }, { query: { limit: 100, cursor: 'more' } }]);
  const none = await show('w4-agents-empty');
  expect(await none.$eval('::-p-aria(Export)', (e) => e.getAttribute('title'))).toBe('There are no agents to export');
});

test('what the server refuses to list is not exported, and that is said', async () => {
  const page = await show('w4-agents-export-failed');
  await button(page, 'Export').click();
  await settle(page);
  expect(await text(page, '.toast')).toContain('The agents were not exported');
});
