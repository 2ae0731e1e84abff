import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, signIn } from '../support/connect.ts';
import { ExtensionBrowser } from '../support/extension.ts';
import { Hand } from '../support/hand.ts';
import { type MadeKey, type Person, type Scenario, scenario } from '../support/scenario.ts';

/* An admin with several keys selected: the built extension, a real companion. One test is one step on what the one before left. */

let s: Scenario;
let ext: ExtensionBrowser;
let tab: Page;
let hand: Hand;
let [adam, ben] = [] as unknown as [Person, Person];
const made: Record<string, MadeKey> = {};

beforeAll(async () => {
  s = await scenario();
  [adam, ben] = [await s.member('Adam', 'admin'), await s.member('Ben')];
  for (const name of ['bens-import', 'bens-export', 'bens-report']) made[name] = await s.key(ben, { name });
  for (const name of ['adams-cli', 'adams-ci']) made[name] = await s.key(adam, { name });
  ext = await ExtensionBrowser.launch();
  tab = await ext.browser.newPage();
  await signIn(tab, s.url, adam);
  await connect(ext, tab, s.url);
  hand = new Hand(await ext.open('workspace.html#/keys'));
  await hand.see('bens-report');
});
afterAll(async () => {
  await ext?.close();
  await s?.end();
});

const select = (name: string) => hand.page.locator(`[aria-label="Select ${name}"]`).click();
const shown = (name: string) =>
  hand.page.$$eval(
    'tbody tr',
    (rows, wanted) => (rows.find((tr) => tr.textContent?.includes(wanted)) as HTMLElement | undefined)?.innerText ?? '',
    name,
  );
const dialog = () => hand.page.$eval('dialog[open]', (e) => (e as HTMLElement).innerText);
const status = async (name: string) => (await s.as(s.owner, 'GET', `W/keys/${made[name]?.id}`)).body.status;
const confirm = async (words: string) => {
  await hand.press('Revoke');
  await hand.see(`Type ${words} to confirm`);
  await hand.fill(`Type ${words}`, words);
  await hand.page.keyboard.press('Enter');
};

test('keys of several people are revoked together, after what they are was shown, and the others stay', async () => {
  await select('bens-import');
  await select('adams-cli');
  await hand.see('2 selected');
  await hand.press('Revoke');
  await hand.see('Revoke 2 keys?');
  expect(await dialog()).toMatch(/bens-import Ben\s+never used\s+/);
  expect(await hand.faults()).toEqual([]);
  await hand.press('Cancel');
  await hand.see('2 selected');
  await confirm('revoke 2 keys');
  await hand.see('2 keys revoked');
  expect(await hand.page.$('dialog[open]')).toBeNull();
  expect([await status('bens-import'), await status('adams-cli'), await status('bens-export')]).toEqual([
    'revoked',
    'revoked',
    'active',
  ]);
  expect([await shown('bens-import'), await shown('bens-export')]).toEqual([
    expect.stringMatching(/Revoked\s+by admin/),
    expect.stringContaining('Active'),
  ]);
  expect(await hand.page.$('.bulk')).toBeNull();
});

test('when one of them can’t be revoked none is, and the dialog says so and stays', async () => {
  await select('bens-export');
  await select('adams-ci');
  await hand.see('2 selected');
  await hand.press('Revoke');
  await hand.see('Revoke 2 keys?');
  // Meanwhile: from now on only one of the two keys is there for them.
  const demoted = await s.as(s.owner, 'PATCH', `W/members/${adam.membershipId}`, { role: 'member' });
  expect(demoted.status).toBe(200);
  await hand.fill('Type revoke 2 keys', 'revoke 2 keys');
  await hand.page.keyboard.press('Enter');
  await hand.see('No key was revoked');
  expect(await dialog()).toContain('Revoke 2 keys?');
  expect(await hand.faults()).toEqual([]);
  expect([await status('bens-export'), await status('adams-ci')]).toEqual(['active', 'active']);
});
