import type { Page } from 'puppeteer-core';
import type { ExtensionBrowser } from './extension.ts';
import { Hand } from './hand.ts';

/** Signs a person in on the companion's own page. */
export async function signIn(tab: Page, url: string, person: { email: string; password: string }): Promise<void> {
  const hand = new Hand(tab);
  await tab.goto(`${url}/signin`);
  await hand.fill('E-mail', person.email);
  await hand.fill('Password', person.password);
  await hand.press('Sign in');
  await tab.waitForFunction("location.pathname !== '/signin'");
}

const codeOf = (page: Page) => page.$eval('.devcode', (e) => e.getAttribute('aria-label'));

/**
 * Connects the extension of a browser whose person is signed in, as that person does: from the real popup, over the full
 * page that asks for the permission, to the companion's approval page.
 * @returns what axe found wrong on the way
 */
export async function connect(browser: ExtensionBrowser, tab: Page, url: string): Promise<string[]> {
  const popup = new Hand(await browser.popup(tab));
  await popup.see('Connect to your team’s server');
  const faults = await popup.faults();
  await popup.fill('Server address', url);
  const page = await browser.opened(`${browser.origin}/workspace.html`, () => popup.press('Connect'));
  const workspace = new Hand(page);
  await workspace.see(`Allow access to ${new URL(url).host}`);
  faults.push(...(await workspace.faults()));
  await browser.preapprove('http://127.0.0.1/*');
  await page.bringToFront();
  const approve = new Hand(await browser.opened(`${url}/connect?`, () => workspace.press('Allow')));
  await approve.see('Approve this browser?');
  await workspace.see('Waiting for you to approve');
  if ((await codeOf(approve.page)) !== (await codeOf(page))) throw new Error('the two ends show different codes');
  faults.push(...(await approve.faults()), ...(await workspace.faults()));
  await approve.press('Approve');
  await approve.see('Connected');
  await workspace.see('Skip to content');
  await page.close();
  await approve.page.close();
  return faults;
}
