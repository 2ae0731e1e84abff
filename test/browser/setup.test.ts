import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SETUP_TOKEN, type TestCompanion, testCompanion } from '../support/companion.ts';
import { Hand } from '../support/hand.ts';
import { freePort } from '../support/port.ts';
import { chromiumPath } from '../support/programs.ts';
import { virtualAuthenticator } from '../support/virtual-authenticator.ts';

let companion: TestCompanion;
let browser: Browser;
let origin: string;
beforeAll(async () => {
  const port = await freePort();
  // Passkeys need a host name.
  origin = `http://localhost:${port}`;
  companion = await testCompanion({ HEEX_PORT: String(port), HEEX_PUBLIC_URL: origin });
  browser = await puppeteer.launch({ executablePath: chromiumPath(), pipe: true, args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser?.close();
  await companion?.end();
});

const focused = (page: Page) => page.evaluate(() => document.activeElement?.id);

test('the first person sets up with a passkey in place of a password, and signs in with it', async () => {
  const page = await browser.newPage();
  await virtualAuthenticator(page);
  await page.goto(`${origin}/setup#${SETUP_TOKEN}`);
  const hand = new Hand(page);
  await hand.see('Or use a passkey and skip it.');
  expect(await hand.faults()).toEqual([]);

  // What is missing or wrong is said before the device asks for anything, and the field has the focus.
  await hand.press('Use a passkey instead');
  await hand.see('Fill in “Workspace” first.');
  expect(await focused(page)).toBe('workspace');
  await hand.fill('Workspace', 'Acme Robotics');
  await hand.fill('Your name', 'Lena Fischer');
  await hand.fill('E-mail', 'lena@acme');
  await hand.press('Use a passkey instead');
  await hand.see('E-mail must be an e-mail address.');
  expect(await focused(page)).toBe('email');
  expect(await hand.faults()).toEqual([]);
  await hand.fill('Setup code', 'another');
  await hand.fill('E-mail', 'lena@acme.example');
  await hand.press('Use a passkey instead');
  await hand.see('The setup token is wrong');

  await hand.fill('Setup code', SETUP_TOKEN);
  // Clicked twice, as people do: one passkey is made, for what was asked once.
  let asked = 0;
  page.on('request', (request) => {
    if (request.url().endsWith('/setup/options')) asked += 1;
  });
  await page.$eval('[data-passkey=setup]', (button) => {
    for (const _ of ['once', 'again']) (button as HTMLElement).click();
  });
  await page.waitForFunction(() => location.pathname === '/' && document.readyState === 'complete');
  expect(asked).toBe(1);
  await hand.see('Lena Fischer');
  await hand.press('Sign out');
  await page.waitForFunction(() => location.pathname === '/signin' && document.readyState === 'complete');
  await hand.press('Continue with a passkey');
  await page.waitForFunction(() => location.pathname === '/' && document.readyState === 'complete');
  await hand.see('Lena Fischer');
});

test('where a browser has no passkeys, setting up does not speak of them', async () => {
  const other = await testCompanion({ HEEX_PUBLIC_URL: 'http://localhost:1' });
  const page = await browser.newPage();
  await page.evaluateOnNewDocument(() => Object.assign(globalThis, { PublicKeyCredential: undefined }));
  await page.goto(`${other.url}/setup`);
  const hand = new Hand(page);
  await expect.poll(hand.text).not.toContain('passkey');
  expect(await hand.text()).toContain('10 characters or more.');
  await other.end();
});
