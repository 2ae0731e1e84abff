import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect, signIn } from '../support/connect.ts';
import { ExtensionBrowser } from '../support/extension.ts';
import { Hand } from '../support/hand.ts';
import { LossyProxy } from '../support/proxy.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

const proxy = new LossyProxy();
let s: Scenario;
let ada: Person;
let ext: ExtensionBrowser;
let tab: Page;
let url: string;

beforeAll(async () => {
  url = await proxy.listen();
  s = await scenario({ HEEX_PUBLIC_URL: url });
  proxy.forwardTo(s.companion.url);
  ada = await s.member('Ada');
  ext = await ExtensionBrowser.launch();
  tab = await ext.browser.newPage();
  await signIn(tab, url, ada);
  await connect(ext, tab, url);
});
afterAll(async () => {
  await ext?.close();
  await proxy.close();
  await s?.end();
});
afterEach(() => {
  proxy.fate = () => 'pass';
  proxy.lost.length = 0;
});

const loseCreate = (fate: 'stop' | 'lose answer') => {
  proxy.fate = (method, path) => (method === 'POST' && path.endsWith('/keys') ? fate : 'pass');
};
const onServer = async (name: string) => {
  const { items } = (await s.as(ada, 'GET', 'W/keys?limit=100')).body as { items: { name: string }[] };
  return items.filter((key) => key.name === name).length;
};
/** Fills the form and sends it; answers when the request has come to nothing on its way. */
async function sendNewKey(name: string): Promise<Hand> {
  const popup = new Hand(await ext.popup(tab));
  await popup.press('New key');
  await popup.fill('Name', name);
  await popup.press('Create and copy');
  await expect.poll(() => proxy.lost).toHaveLength(1);
  return popup;
}
/** A page of a site that the extension has no permission for. */
async function otherSite(): Promise<{ url: string; close(): void }> {
  const html = '<label>Other <input></label><label>Secret <input id="secret" type="password"></label>';
  const server = createServer((_q, r) => r.setHeader('content-type', 'text/html').end(html));
  await new Promise<void>((done) => server.listen(0, 'localhost', done));
  return { url: `http://localhost:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
}
async function store(popup: Hand): Promise<void> {
  await popup.press('I stored it');
  await popup.see('New key');
  await popup.page.close();
}

describe('a worker that is killed in the middle of a create', () => {
  test('with the popup open: one key, and its secret is on the clipboard as if nothing had happened', async () => {
    loseCreate('stop');
    const popup = await sendNewKey('killed-before');
    proxy.fate = () => 'pass';
    await ext.stopWorker(popup.page);
    await popup.see('Copied to your clipboard');
    expect(await ext.clipboard(popup.page)).toMatch(/^heex_dev_\w{46}$/);
    expect(await onServer('killed-before')).toBe(1);
    await store(popup);
  });

  test('with the popup closed: one key, and its secret waits for the next opening', async () => {
    loseCreate('stop');
    const popup = await sendNewKey('killed-closed');
    await popup.page.close();
    proxy.fate = () => 'pass';
    await ext.stopWorker();
    const again = new Hand(await ext.popup(tab));
    await again.see('It will not be shown again');
    await again.see('Not copied. Press Copy.');
    expect(await onServer('killed-closed')).toBe(1);
    await store(again);
  });

  test('after the server has made the key: one key, and it is said plainly that its secret was lost', async () => {
    loseCreate('lose answer');
    const popup = await sendNewKey('killed-after');
    await popup.page.close();
    proxy.fate = () => 'pass';
    await ext.stopWorker();
    const again = new Hand(await ext.popup(tab));
    await again.see('The key exists, its secret doesn’t');
    expect(await again.faults()).toEqual([]);
    expect(await onServer('killed-after')).toBe(1);
    await again.press('Leave it');
    await again.page.close();
    const after = new Hand(await ext.popup(tab));
    await after.press('killed-after');
    await after.press('Back');
    await after.press('New key');
    await after.see('Create and copy');
    expect(await after.page.$$eval('input', (all) => all.map((input) => input.value))).not.toContain('killed-after');
    await after.press('Cancel');
    await after.page.close();
  });
});

describe('a secret that waits', () => {
  test('is inserted into the field of the page on a click, and only there', async () => {
    const page = await otherSite();
    const site = await ext.browser.newPage();
    await site.goto(page.url);
    await site.focus('#secret');
    const popup = new Hand(await ext.popup(site));
    await popup.press('New key');
    await popup.fill('Name', 'inserted');
    await popup.press('Create and copy');
    await popup.see('Copied to your clipboard');
    const secret = await ext.clipboard(popup.page);
    const values = () => site.$$eval('input', (all) => all.map((input) => input.value));
    expect(await values()).toEqual(['', '']);
    await popup.press('Insert');
    await popup.see('Inserted into “Secret”');
    expect(await values()).toEqual(['', secret]);
    await store(popup);
    await site.close();
    page.close();
  });

  test('outlives the worker', async () => {
    const popup = new Hand(await ext.popup(tab));
    await popup.press('New key');
    await popup.fill('Name', 'outlives');
    await popup.press('Create and copy');
    await popup.see('Copied to your clipboard');
    await popup.page.close();
    await ext.stopWorker();
    const again = new Hand(await ext.popup(tab));
    await again.see('outlives');
    await again.see('It will not be shown again');
    await store(again);
  });
});

describe('what was begun', () => {
  test('is there again when the popup is opened again', async () => {
    const popup = new Hand(await ext.popup(tab));
    await popup.press('New key');
    await popup.fill('Name', 'half typed');
    await popup.page.close();
    const again = new Hand(await ext.popup(tab));
    await again.see('Create and copy');
    expect(await again.page.$$eval('input', (all) => all.map((input) => input.value))).toContain('half typed');
    await again.press('Cancel');
    await again.page.close();
  });
});

test('the popup has the size that it is drawn for, and scrolls inside only', async () => {
  const popup = new Hand(await ext.popup(tab));
  await popup.see('New key');
  const size = await popup.page.evaluate(() => [innerWidth, innerHeight, document.documentElement.scrollHeight]);
  expect(size).toEqual([400, 600, 600]);
  await popup.page.close();
});

test('a script in a page cannot read what the extension keeps', async () => {
  const page = await ext.open('popup.html');
  const answers = await page.evaluate(async (host) => {
    const target = (await chrome.tabs.query({ url: `${host}/*` }))[0]?.id ?? -1;
    const [frame] = await chrome.scripting.executeScript({
      target: { tabId: target },
      func: async () => {
        const read = (area: 'local' | 'session') =>
          chrome.storage[area].get().then(
            (found) => Object.keys(found).length,
            () => 'closed',
          );
        return [await read('local'), await read('session')];
      },
    });
    return frame?.result;
  }, 'http://127.0.0.1');
  expect(answers).toEqual(['closed', 'closed']);
  await page.close();
});

test('disconnecting ends the session on the server and gives the permission back', async () => {
  const popup = new Hand(await ext.popup(tab));
  await popup.press('Account');
  await popup.press('Disconnect this browser');
  await popup.press('Disconnect');
  await popup.see('Connect to your team’s server');
  // What this browser knew is gone at once; the server is told after that, and then the permission is given back.
  await expect.poll(() => popup.page.evaluate(() => chrome.permissions.getAll())).not.toHaveProperty('origins.0');
  const sessions = (await s.as(ada, 'GET', '/v1/sessions')).body.items as { client: string }[];
  expect(sessions.filter(({ client }) => client === 'extension')).toEqual([]);
  await popup.page.close();
});
