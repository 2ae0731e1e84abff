import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signIn } from '../support/connect.ts';
import { FirefoxExtension } from '../support/firefox.ts';
import { Hand } from '../support/hand.ts';
import { findProgram } from '../support/programs.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

/*
 * The same connect and generate as in Chromium, as far as Firefox's driver reaches: not to the toolbar, so the popup's page
 * is in a tab of its own, and not to the permission prompt, which is answered with yes by a preference.
 */
const path = findProgram('firefox-esr');

describe.skipIf(!path)('in Firefox', () => {
  let s: Scenario;
  let ada: Person;
  let firefox: FirefoxExtension;
  let site: Page;
  beforeAll(async () => {
    s = await scenario();
    ada = await s.member('Ada');
    firefox = await FirefoxExtension.launch(path ?? '');
    site = await firefox.browser.newPage();
    await signIn(site, s.url, ada);
  });
  afterAll(async () => {
    await firefox?.close();
    await s?.end();
  });

  test('a person connects over the real approval page, with a permission for that one host', async () => {
    const page = await firefox.open('workspace.html');
    const workspace = new Hand(page);
    await workspace.fill('Server address', s.url);
    await workspace.press('Connect');
    await workspace.see('Waiting for you to approve');
    const approve = new Hand(await firefox.pageAt(`${s.url}/connect?`));
    await approve.see('Approve this browser?');
    await approve.see('Firefox');
    await approve.press('Approve');
    await approve.see('Connected');
    await workspace.see('Skip to content');
    const { origins } = (await page.evaluate('browser.permissions.getAll()')) as { origins: string[] };
    expect(origins).toEqual(['http://127.0.0.1/*']);
    await page.close();
  });

  test('generates a key, which is on the clipboard and waits until it is stored', async () => {
    const popup = new Hand(await firefox.open('popup.html'));
    await popup.press('New key');
    await popup.fill('Name', 'from-firefox');
    await popup.press('Staging');
    await popup.press('Create and copy');
    await popup.see('Copied to your clipboard');
    const shown = JSON.parse(await popup.stored('session'));
    const secret: string = shown['published.fresh'][0].secret;
    expect(secret).toMatch(/^heex_stag_\w{46}$/);
    await popup.page.close();

    const again = new Hand(await firefox.open('popup.html'));
    await again.see('It will not be shown again');
    await again.press('I stored it');
    await again.press('New key');
    await again.paste('Name');
    expect(await again.page.$$eval('input', (all) => all.map((input) => input.value))).toContain(secret);
    expect(await again.stored('session')).not.toContain('"published.fresh":[{');
    const { items } = (await s.as(ada, 'GET', 'W/keys')).body;
    expect(items.map((key: { name: string }) => key.name)).toEqual(['from-firefox']);
    await again.page.close();
  });
});
