import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { SETUP_TOKEN } from '../support/companion.ts';
import { connect } from '../support/connect.ts';
import { ExtensionBrowser } from '../support/extension.ts';
import { Hand } from '../support/hand.ts';
import { type CompanionProcess, scratchFolder, startProcess } from '../support/process.ts';

/*
 * From an empty folder to a script that calls with HEEX_API_KEY, and to its refusal when its owner was removed. One test
 * is one step, each on what the one before has left: real browsers, a real companion process, a real database file.
 */

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const PASSWORD = 'correct horse battery';
const OLGA = { name: 'Olga Owner', email: 'olga@acme.example' };
const JONAS = { name: 'Jonas Weber', email: 'jonas@acme.example' };

let companion: CompanionProcess;
let service: { url: string; stop(): void };
let olga: ExtensionBrowser;
let jonas: ExtensionBrowser;
let tabs: { olga: Page; jonas: Page };
let link: string;
let secret: string;

beforeAll(async () => {
  companion = await startProcess(scratchFolder());
  [olga, jonas] = await Promise.all([ExtensionBrowser.launch(), ExtensionBrowser.launch()]);
  tabs = { olga: await olga.browser.newPage(), jonas: await jonas.browser.newPage() };
});
afterAll(async () => {
  service?.stop();
  await Promise.all([olga?.close(), jonas?.close()]);
  await companion?.end();
});

/** Ends the companion and starts it again on the same folder and port, as an operator does. */
async function restartCompanion(): Promise<void> {
  const { folder, url } = companion;
  await companion.end();
  companion = await startProcess(folder, { HEEX_PORT: new URL(url).port });
}

async function startService(verifier: string): Promise<typeof service> {
  const child = spawn(process.execPath, [join(root, 'examples/service.mjs')], {
    env: { PATH: process.env.PATH ?? '', HEEX_URL: companion.url, HEEX_VERIFIER: verifier, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((done) =>
    child.stdout.on('data', (chunk) => {
      const found = /on (http\S+)/.exec(String(chunk))?.[1];
      if (found) done(found);
    }),
  );
  return { url, stop: () => child.kill() };
}

/** What the example script prints with a key, or how it ends. */
const script = (key: string) =>
  run('sh', [join(root, 'examples/call.sh'), service.url], { env: { PATH: process.env.PATH, HEEX_API_KEY: key } }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string; code: number }) => `exit ${error.code}: ${error.stdout}`,
  );

describe('from an empty folder to a refused key', () => {
  test('the first person opens the setup link and becomes the owner', async () => {
    const hand = new Hand(tabs.olga);
    await tabs.olga.goto(`${companion.url}/setup#${SETUP_TOKEN}`);
    await hand.fill('Workspace', 'Acme Robotics');
    await hand.fill('Your name', OLGA.name);
    await hand.fill('E-mail', OLGA.email);
    await hand.fill('Password', PASSWORD);
    await hand.press('Create workspace');
    await hand.see('Acme Robotics');
  });

  test('connects the extension: one permission, for that one host', async () => {
    expect(await connect(olga, tabs.olga, companion.url)).toEqual([]);
    const page = await olga.open('popup.html');
    expect(await page.evaluate(() => chrome.permissions.getAll())).toMatchObject({ origins: ['http://127.0.0.1/*'] });
    await page.close();
  });

  test('invites a second person in the popup and gets a link', async () => {
    const popup = new Hand(await olga.popup(tabs.olga));
    await popup.press('Team');
    await popup.fill('Invite to Acme Robotics', JONAS.email);
    await popup.press('Invite');
    link = await popup.page
      .waitForSelector('[aria-label="Invitation link"]')
      .then((e) => e?.evaluate((field) => (field as HTMLInputElement).value) ?? '');
    expect(link).toMatch(/\/accept#\S{20,}/);
    await popup.page.close();
  });

  test('who accepts it and connects a browser of their own, a restart of the companion in between', async () => {
    await restartCompanion();
    const hand = new Hand(tabs.jonas);
    await tabs.jonas.goto(link);
    await hand.see('Join Acme Robotics');
    await hand.fill('Your name', JONAS.name);
    await hand.fill('Password', PASSWORD);
    await hand.press('Join Acme Robotics');
    await hand.see('Acme Robotics');
    await connect(jonas, tabs.jonas, companion.url);
  });

  test('a key is generated in the real popup, and the clipboard holds it', async () => {
    const popup = new Hand(await jonas.popup(tabs.jonas));
    await popup.press('New key');
    await popup.fill('Name', 'nightly-export');
    await popup.press('Production');
    await popup.press('Create and copy');
    await popup.see('Copied to your clipboard');
    secret = await jonas.clipboard(popup.page);
    expect(secret).toMatch(/^heex_prod_[0-9A-Za-z]{46}$/);
    expect(await popup.faults()).toEqual([]);
    await popup.page.close();
  });

  test('the popup closed and reopened still shows it, until it is stored', async () => {
    const popup = new Hand(await jonas.popup(tabs.jonas));
    await popup.see('It will not be shown again');
    expect(await popup.page.evaluate(() => chrome.action.getBadgeText({}))).toBe('1');
    await popup.press('I stored it');
    await popup.see('New key');
    await expect.poll(() => popup.page.evaluate(() => chrome.action.getBadgeText({}))).toBe('');
    const kept = (await popup.stored('session')) + (await popup.stored('local'));
    expect(kept).not.toContain(secret);
    await popup.page.close();
  });

  test('the example script with it in HEEX_API_KEY gets through', async () => {
    const signedIn = await call(companion.url, 'POST', '/v1/sessions', {
      body: { email: OLGA.email, password: PASSWORD },
    });
    const token = signedIn.body.session.token;
    const me = await call(companion.url, 'GET', '/v1/me', { token });
    const made = await call(companion.url, 'POST', `/v1/workspaces/${me.body.memberships[0].workspaceId}/verifiers`, {
      token,
      body: { name: 'example service', environment: 'production' },
    });
    service = await startService(made.body.secret);
    expect(JSON.parse(await script(secret))).toEqual({ hello: JONAS.name, key: 'nightly-export' });
    await restartCompanion();
    expect(JSON.parse(await script(secret))).toEqual({ hello: JONAS.name, key: 'nightly-export' });
  });

  test('the popup shows its prefix and last use, never the secret', async () => {
    const popup = new Hand(await jonas.popup(tabs.jonas));
    await popup.see(secret.slice(0, 18));
    await popup.see('Used just now');
    expect(await popup.page.content()).not.toContain(secret);
    expect(await popup.faults()).toEqual([]);
    await popup.press('nightly-export');
    await popup.see('curl/');
    expect(await popup.page.content()).not.toContain(secret);
    expect(await popup.faults()).toEqual([]);
    await popup.page.close();
  });

  test('the admin removes that person in the popup, and the next call of the script is refused', async () => {
    const own = await generate(olga, tabs.olga, 'prod-main-app');
    expect(JSON.parse(await script(own))).toMatchObject({ key: 'prod-main-app' });
    const popup = new Hand(await olga.popup(tabs.olga));
    await popup.press('Team');
    await popup.press(`Remove ${JONAS.name}`);
    await popup.see('1 key is revoked now');
    expect(await popup.faults()).toEqual([]);
    await popup.fill('Type', JONAS.email);
    await popup.press('Remove and revoke 1 key');
    await popup.see(`${JONAS.name} was removed`);
    expect(await script(secret)).toMatch(/exit 22.*refused/);
    expect(JSON.parse(await script(own))).toMatchObject({ key: 'prod-main-app' });
    await popup.page.close();
  });

  test('what has to get another key can still be copied when the popup is opened again', async () => {
    const popup = new Hand(await olga.popup(tabs.olga));
    await popup.see(`${JONAS.name} was removed`);
    expect(await popup.faults()).toEqual([]);
    await popup.press('Copy list');
    await popup.see('List copied');
    expect(await olga.clipboard(popup.page)).toMatch(
      /replace HEEX_API_KEY here before the next launch\.\nnightly-export/,
    );
    await popup.press('Done');
    await popup.page.waitForSelector('dialog', { hidden: true });
    await popup.page.close();
  });

  test('the list says why: Revoked, member left', async () => {
    const popup = new Hand(await olga.popup(tabs.olga));
    await popup.press('Keys');
    await popup.press('Filter');
    await popup.press('Everyone’s keys');
    await popup.page.keyboard.press('Escape');
    await popup.see('nightly-export');
    await popup.see('Revoked');
    await popup.see('member left');
    await popup.page.close();
  });

  test('the person who was removed is signed out', async () => {
    const popup = new Hand(await jonas.popup(tabs.jonas));
    await popup.see('Sign in again');
    expect(await popup.faults()).toEqual([]);
    await popup.page.close();
  });
});

async function generate(browser: ExtensionBrowser, tab: Page, name: string): Promise<string> {
  const popup = new Hand(await browser.popup(tab));
  // It opens where it was left.
  await popup.press('Keys');
  await popup.press('New key');
  await popup.fill('Name', name);
  await popup.press('Production');
  await popup.press('Create and copy');
  await popup.see('Copied to your clipboard');
  const made = await browser.clipboard(popup.page);
  await popup.press('I stored it');
  await popup.see('New key');
  await popup.page.close();
  return made;
}
