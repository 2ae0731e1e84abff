import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { asked, button, focused, focusedText, settle, text } from '../support/views/hands.ts';
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
  const page = await stage.show(scene);
  pages.push(page);
  return page;
}
test('a key can’t be made while the limit is reached, and the button says why', async () => {
  const page = await show('p2-limit');
  const why = await page.$eval('.popup__tools .btn', (e) => [e.getAttribute('aria-disabled'), e.getAttribute('title')]);
  expect(why).toEqual(['true', 'All 10 keys are in use']);
  await page.click('.popup__tools .btn');
  await page.keyboard.press('Escape');
  await settle(page);
  expect(await page.$('.popup__tools')).not.toBeNull();
});

test('what is wrong is said at its field before anything is sent, and the first wrong field has the focus', async () => {
  const page = await show('p3-new');
  await page.$eval('input[name=name]', (e) => (e as HTMLInputElement).select());
  await page.keyboard.type('p');
  await page.keyboard.down('Control');
  await page.keyboard.press('Enter');
  await page.keyboard.up('Control');
  await settle(page);
  const error = await page.$eval('input[name=name]', (e) => [
    e.getAttribute('aria-invalid'),
    document.getElementById(e.getAttribute('aria-describedby')?.split(' ')[0] ?? '')?.textContent,
  ]);
  expect(error).toEqual(['true', 'Use at least 2 characters.']);
  expect(await focused(page)).toBe('name');
  expect(await text(page, '.popup__foot [role=status]')).toBe('1 thing to fix');
  expect(await asked(page, 'key.create')).toEqual([]);
});

test('the server’s errors of a list are shown with the lines that were typed', async () => {
  const page = await show('p3-new-advanced');
  await button(page, 'Create and copy').click();
  await page.waitForSelector('.field__error');
  const lines = await page.$$eval('.field__error', (all) => all.map((e) => e.textContent));
  expect(lines[0]).toContain('Line 2: 203.0.113.300');
  expect(lines[1]).toContain('Line 4: ');
  expect(await focused(page)).toBe('ipAllowlist');
});

test('a new key is sent once, with what was typed', async () => {
  const page = await show('p3-new');
  await button(page, 'Create and copy').click();
  await settle(page);
  const sent = (await asked(page, 'key.create')) as { body: Record<string, unknown> }[];
  expect(sent).toHaveLength(1);
  expect(sent[0]?.body).toMatchObject({ name: 'prod-fleet-sync', environment: 'production', groupId: 'grp_ingest' });
});

test('“Copied” is said only when the browser has copied', async () => {
  const page = await show('p4-not-copied');
  expect(await text(page, '.outcome h2')).toBe('Not copied. Press Copy.');
  await page.evaluate(() => {
    navigator.clipboard.writeText = () => Promise.reject(new Error('blocked'));
  });
  await button(page, 'Copy').click();
  await settle(page);
  expect(await text(page, '.outcome h2')).toBe('Not copied. Press Copy.');
  expect(await asked(page, 'secret.copied')).toEqual([]);
  await page.evaluate(() => {
    navigator.clipboard.writeText = (t) => {
      (globalThis as { copied?: string }).copied = t;
      return Promise.resolve();
    };
  });
  await page.keyboard.press('c');
  await settle(page);
  expect(await asked(page, 'secret.copied')).toEqual([{ id: 'fresh_1' }]);
  expect(await page.evaluate(() => (globalThis as { copied?: string }).copied)).toMatch(/^heex_prod_\w{40,}$/);
});

test('“Copied” is taken back when copying again fails', async () => {
  const page = await show('p4-reveal');
  expect(await text(page, '.outcome h2')).toBe('Copied to your clipboard');
  await page.evaluate(() => {
    navigator.clipboard.writeText = () => Promise.reject(new Error('blocked'));
  });
  await button(page, 'Copy again').click();
  await settle(page);
  expect(await text(page, '.outcome h2')).toBe('Not copied. Press Copy.');
});

test('the secret is copied in the form that is shown, arrows choose the form', async () => {
  const page = await show('p4-reveal');
  await page.focus('[role=tab][aria-selected=true]');
  await page.keyboard.press('ArrowRight');
  await settle(page);
  expect(await focusedText(page)).toBe('Shell');
  expect(await text(page, '.secret pre')).toMatch(/^export HEEX_API_KEY=heex_prod_\w{40,}$/);
});

test('a hidden secret is not on the page', async () => {
  const page = await show('p4-reveal');
  await button(page, 'Hide').click();
  await settle(page);
  expect(await page.content()).not.toContain('K4vT9mPzXm4Rs8LpT1vBnYc6HjZa3KfEuW5qA2cD0x1Yz');
});

test('a key whose secret was lost says so, and leads to rotating or revoking it', async () => {
  const page = await show('p4-lost');
  expect(await text(page, '.outcome h2')).toBe('The key exists, its secret doesn’t');
  expect(await page.$$eval('.popup__foot button', (all) => all.map((e) => e.textContent))).toEqual([
    'Leave it',
    'Revoke',
    'Rotate',
  ]);
});
