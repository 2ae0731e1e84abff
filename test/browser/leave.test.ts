import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { connect, signIn } from '../support/connect.ts';
import { ExtensionBrowser } from '../support/extension.ts';
import { Hand } from '../support/hand.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let ben: Person;
let ext: ExtensionBrowser;
let tab: Page;
beforeAll(async () => {
  s = await scenario();
  ben = await s.member('Ben');
  ext = await ExtensionBrowser.launch();
  tab = await ext.browser.newPage();
  await signIn(tab, s.url, ben);
  await connect(ext, tab, s.url);
});
afterAll(async () => {
  await ext?.close();
  await s?.end();
});

const shot = async (page: Page, name: string) => {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
};

test('a member who is no admin leaves by themselves, is shown before what that ends, and is signed out', async () => {
  const { secret } = await s.key(ben, { name: 'nightly-export' });
  const page = await ext.open('workspace.html#/account');
  await page.setViewport({ width: 1280, height: 800 });
  const hand = new Hand(page);
  await hand.see('Browsers and terminals');
  expect(await hand.faults()).toEqual([]);
  await shot(page, 'account');
  await hand.press('Leave the workspace…');
  await hand.see('Leave this workspace?');
  await hand.see('nightly-export');
  expect(await hand.faults()).toEqual([]);
  await shot(page, 'leave');
  await hand.press('Cancel');
  expect(await page.$('dialog')).toBeNull();
  await hand.press('Leave the workspace…');
  await hand.fill('Type', ben.email);
  await hand.press('Leave and revoke 1 key');
  await hand.see('Sign in again');
  await hand.see('You have left. 1 key revoked.');
  await hand.see('As long as you are a member');
  await shot(page, 'left');
  const verdict = await call(s.url, 'POST', '/v1/verify', { token: await s.verifier(), body: { key: secret } });
  expect(verdict.body).toMatchObject({ valid: false, code: 'revoked' });
  const { items } = (await s.as(s.owner, 'GET', 'W/audit?limit=5')).body;
  expect(items.map((item: { action: string }) => item.action)).toContain('member.removed');
});

test('the last owner is told why they can’t leave', async () => {
  const own = await ExtensionBrowser.launch();
  const page = await own.browser.newPage();
  await signIn(page, s.url, s.owner);
  await connect(own, page, s.url);
  const hand = new Hand(await own.open('workspace.html#/account'));
  await hand.press('Leave the workspace…');
  await hand.fill('Type', s.owner.email);
  await hand.press('Leave');
  await hand.see('You have not left');
  await shot(hand.page, 'last-owner');
  await own.close();
});

test('somebody who is suspended can leave, too', async () => {
  const own = await ExtensionBrowser.launch();
  const page = await own.browser.newPage();
  const cleo = await s.member('Cleo');
  await signIn(page, s.url, cleo);
  await connect(own, page, s.url);
  await s.as(s.owner, 'POST', `W/members/${cleo.membershipId}/suspend`);
  const hand = new Hand(await own.open('workspace.html#/account'));
  await shot(hand.page, 'suspended');
  await hand.press('Leave the workspace…');
  await hand.fill('Type', cleo.email);
  await hand.press('Leave');
  await hand.see('You have left');
  await own.close();
});
