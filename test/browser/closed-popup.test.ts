import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { connect, signIn } from '../support/connect.ts';
import { ExtensionBrowser } from '../support/extension.ts';
import { Hand } from '../support/hand.ts';
import { LossyProxy } from '../support/proxy.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

/* The popup is closed by any click elsewhere, also right after a press: what it shows next is what is true by then. */

const proxy = new LossyProxy();
let s: Scenario;
let ext: ExtensionBrowser;
let tab: Page;
let url: string;

beforeAll(async () => {
  url = await proxy.listen();
  s = await scenario({ HEEX_PUBLIC_URL: url });
  proxy.forwardTo(s.companion.url);
  ext = await ExtensionBrowser.launch();
  tab = await ext.browser.newPage();
  await signIn(tab, url, s.owner);
  await connect(ext, tab, url);
});
afterAll(async () => {
  await ext?.close();
  await proxy.close();
  await s?.end();
});
afterEach(async () => {
  proxy.release();
  const page = await ext.open('manifest.json');
  await page.evaluate(() =>
    chrome.storage.session.remove(['page.route.popup', 'page.draft.newKey', 'page.draft.edit']),
  );
  for (const one of await ext.browser.pages()) if (one !== page && one.url().startsWith(ext.origin)) await one.close();
  await page.close();
});

const open = async () => new Hand(await ext.popup(tab));
const title = (hand: Hand) => hand.page.$eval('h1', (e) => e.textContent);
const values = (hand: Hand) => hand.page.$$eval('input', (all) => all.map((input) => input.value));
const isCreate = (method: string, path: string) => method === 'POST' && path.endsWith('/keys');
const isRevoke = (_method: string, path: string) => path.endsWith('/revoke');
const isEdit = (method: string) => method === 'PATCH';
const isRemoval = (method: string, path: string) => method === 'DELETE' && path.includes('/members/');
async function save(popup: Hand): Promise<void> {
  await popup.page.keyboard.down('Control');
  await popup.page.keyboard.press('Enter');
  await popup.page.keyboard.up('Control');
}
const arrived = () => expect.poll(() => proxy.held).toBe(1);

describe('closed before the answer', () => {
  test('a revoked key has no sheet to go back to', async () => {
    await s.key(s.owner, { name: 'revoked-closed', environment: 'staging' });
    const popup = await open();
    await popup.press('revoked-closed');
    await popup.press('Revoke');
    await popup.see('Are you sure');
    proxy.holdAnswer = isRevoke;
    await popup.press('Revoke key');
    await arrived();
    await popup.page.close();
    proxy.release();
    const again = await open();
    await again.see('can’t be re-activated');
    await again.press('Back');
    await again.page.waitForSelector('input[type=search]');
  });

  test('a removal that leaves work to do tells it at the next opening', async () => {
    const jonas = await s.member('Jonas Weber');
    const { secret } = await s.key(jonas, { name: 'jonas-script' });
    const body = { key: secret, ip: '10.1.1.1', userAgent: 'curl/8' };
    await call(s.url, 'POST', '/v1/verify', { token: await s.verifier(), body });
    const popup = await open();
    await popup.press('Team');
    await expect.poll(async () => (await s.as(s.owner, 'GET', 'W/keys?owner=all')).body.items[0].usageCount).toBe(1);
    await popup.press('Remove Jonas Weber');
    await popup.fill('Type', jonas.email);
    proxy.holdAnswer = isRemoval;
    await popup.press('Remove and revoke');
    await arrived();
    await popup.page.close();
    proxy.release();
    const again = await open();
    await again.see('Jonas Weber was removed');
    await again.press('Done');
  });

  test('a new key whose secret is put away in the tab leaves no form in the popup', async () => {
    const workspace = new Hand(await ext.open('workspace.html#/audit'));
    await workspace.see('Audit log');
    const popup = await open();
    await popup.press('New key');
    await popup.fill('Name', 'stored-in-tab');
    proxy.holdAnswer = isCreate;
    await popup.press('Create and copy');
    await arrived();
    await popup.page.close();
    proxy.release();
    await workspace.page.bringToFront();
    await workspace.press('I stored it');
    expect(await workspace.page.evaluate(() => location.hash)).toBe('#/audit');
    const again = await open();
    await again.see('stored-in-tab');
    expect(await title(again)).toBe('Keys');
    await again.press('New key');
    await again.see('Create and copy');
    expect(await values(again)).not.toContain('stored-in-tab');
  });
});

describe('an edit that was sent and closed before the answer', () => {
  async function send(name: string, label = 'Description', text = 'first words'): Promise<string> {
    const { id } = await s.key(s.owner, { name, environment: 'staging' });
    const popup = await open();
    await popup.press(name);
    await popup.press('Edit');
    await popup.fill(label, text);
    proxy.holdAnswer = isEdit;
    await save(popup);
    await arrived();
    await popup.page.close();
    proxy.release();
    return id;
  }

  test('is no form any more when it was saved', async () => {
    await send('edit-closed');
    const again = await open();
    await again.see('first words');
    await expect.poll(() => title(again)).toBe('edit-closed');
  });

  test('does not overwrite what somebody has changed since', async () => {
    const id = await send('edit-later');
    await s.as(s.owner, 'PATCH', `W/keys/${id}`, { description: 'later words' });
    const again = await open();
    await again.see('later words');
    await expect.poll(() => title(again)).toBe('edit-later');
  });

  test('is still there, and says so, when it was refused', async () => {
    await send('edit-refused', 'Name', 'edit-later');
    const again = await open();
    await again.see('Saved before, and different now');
    expect(await values(again)).toContain('edit-later');
    expect(await again.faults()).toEqual([]);
    await again.press('Cancel');
    await expect.poll(() => title(again)).toBe('edit-refused');
  });
});

describe('an answer that was lost', () => {
  test('is not told as “not done”, and the key is shown as it is', async () => {
    const { id } = await s.key(s.owner, { name: 'revoked-lost', environment: 'staging' });
    const popup = await open();
    await popup.press('revoked-lost');
    await popup.press('Revoke');
    await popup.see('Are you sure');
    proxy.fate = (method, path) => (isRevoke(method, path) ? 'lose answer' : 'pass');
    await popup.press('Revoke key');
    await expect.poll(() => proxy.lost).toHaveLength(1);
    expect((await s.as(s.owner, 'GET', `W/keys/${id}`)).body.status).toBe('revoked');
    // Longer than a request may take.
    await popup.page.waitForFunction(() => /not certain whether|can’t be re-activated/.test(document.body.innerText), {
      timeout: 40_000,
    });
    await popup.see('can’t be re-activated');
    expect(await popup.text()).not.toContain('was not revoked');
    proxy.fate = () => 'pass';
  });
});

test('a form of a key that is revoked elsewhere gives way to the key', async () => {
  const { id } = await s.key(s.owner, { name: 'gone-elsewhere', environment: 'staging' });
  const popup = await open();
  await popup.press('gone-elsewhere');
  await popup.press('Edit');
  await popup.see('Edit gone-elsewhere');
  await popup.page.close();
  await s.as(s.owner, 'POST', `W/keys/${id}/revoke`, {});
  const again = await open();
  await again.see('can’t be re-activated');
});

describe('left before the answer', () => {
  test('an edit leads one screen back, not two', async () => {
    await s.key(s.owner, { name: 'edit-left', environment: 'staging' });
    const popup = await open();
    await popup.press('edit-left');
    await popup.press('Edit');
    await popup.fill('Description', 'other words');
    proxy.holdAnswer = isEdit;
    await save(popup);
    await arrived();
    await popup.press('Cancel');
    proxy.release();
    await popup.see('Saved');
    expect(await title(popup)).toBe('edit-left');
  });

  test('a form that was begun meanwhile stays', async () => {
    const popup = await open();
    await popup.press('New key');
    await popup.fill('Name', 'first of two');
    proxy.holdAnswer = isCreate;
    await popup.press('Create and copy');
    await arrived();
    await popup.press('Cancel');
    await popup.press('New key');
    await popup.fill('Name', 'second of two');
    proxy.release();
    await popup.press('I stored it');
    await popup.see('New key');
    if ((await title(popup)) === 'Keys') await popup.press('New key');
    expect(await values(popup)).toContain('second of two');
  });
});

test('after a rotation, Back leads to the list at once', async () => {
  await s.key(s.owner, { name: 'rotated-back', environment: 'staging' });
  const popup = await open();
  await popup.press('rotated-back');
  await popup.press('Rotate');
  await popup.press('Rotate and copy');
  await popup.press('I stored it');
  await popup.see('Rotation in progress');
  await popup.press('Back');
  await popup.page.waitForSelector('input[type=search]', { timeout: 5000 });
});

test('what the popup has made is no draft in a tab that was open', async () => {
  const popup = await open();
  await popup.press('New key');
  await popup.fill('Name', 'in two places');
  const workspace = new Hand(await ext.open('workspace.html#/new'));
  await workspace.see('Create and copy');
  expect(await values(workspace)).toContain('in two places');
  const again = await open();
  await again.press('Create and copy');
  await again.press('I stored it');
  await again.see('New key');
  await workspace.page.bringToFront();
  await expect.poll(() => values(workspace)).not.toContain('in two places');
});

test('a secret that is put away over another form leaves that form where it was', async () => {
  await s.key(s.owner, { name: 'half edited', environment: 'staging' });
  const popup = await open();
  await popup.press('half edited');
  await popup.press('Edit');
  await popup.fill('Description', 'half');
  await popup.page.close();
  const workspace = new Hand(await ext.open('workspace.html#/new'));
  await workspace.fill('Name', 'made in the tab');
  await workspace.press('Create and copy');
  await workspace.see('It will not be shown again');
  await workspace.page.close();
  const again = await open();
  await again.press('I stored it');
  await again.see('Edit half edited');
});

test('a secret that waits is shown in the tab, too, where the session has ended', async () => {
  const popup = await open();
  await popup.press('New key');
  await popup.fill('Name', 'waits-signed-out');
  await popup.press('Create and copy');
  await popup.see('It will not be shown again');
  await popup.page.close();
  const sessions = (await s.as(s.owner, 'GET', '/v1/sessions')).body.items as { id: string; client: string }[];
  for (const { id } of sessions.filter(({ client }) => client === 'extension'))
    await s.as(s.owner, 'DELETE', `/v1/sessions/${id}`);
  const workspace = new Hand(await ext.open('workspace.html'));
  await workspace.see('Sign in again');
  await workspace.see('It will not be shown again');
  expect(await workspace.faults()).toEqual([]);
  if (process.env.SHOTS) await workspace.page.screenshot({ path: `${process.env.SHOTS}/waits.png` });
  await workspace.press('I stored it');
});
