import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { type TestCompanion, testCompanion } from '../support/companion.ts';
import { chromiumPath } from '../support/programs.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PASSWORD = 'correct horse battery';

let companion: TestCompanion;
let browser: Browser;
let page: Page;
const complaints: string[] = [];
beforeAll(async () => {
  companion = await testCompanion();
  browser = await puppeteer.launch({
    executablePath: chromiumPath(),
    pipe: true,
    args: ['--no-sandbox', '--disable-gpu'],
  });
  page = await open();
});
afterAll(async () => {
  await browser?.close();
  await companion?.end();
});

/** A window of its own: other cookies, other storage. What its policy refuses and its scripts throw is kept. */
async function open(): Promise<Page> {
  const context = await browser.createBrowserContext();
  const made = await context.newPage();
  await made.evaluateOnNewDocument(() => {
    const refused: string[] = [];
    Object.assign(globalThis, { refused });
    document.addEventListener('securitypolicyviolation', (event) =>
      refused.push(`${event.effectiveDirective} ${event.blockedURI}`),
    );
  });
  made.on('pageerror', (error) => complaints.push(String(error)));
  return made;
}

interface Violation {
  id: string;
  nodes: { target: string[] }[];
}
async function accessible(shown: Page): Promise<void> {
  // Read first: axe tries styles of its own on the page, which the policy refuses, as it should.
  complaints.push(...(await shown.evaluate(() => (globalThis as unknown as { refused: string[] }).refused)));
  for (const theme of ['light', 'dark']) {
    await shown.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: theme },
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ]);
    await shown.evaluate(axe);
    const found = await shown.evaluate(async () => {
      const run = (globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }).axe.run;
      return (await run()).violations;
    });
    expect([shown.url(), theme, found.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' '))}`)]).toEqual([
      shown.url(),
      theme,
      [],
    ]);
    const wide = await shown.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    expect(wide).toBe(false);
  }
}

async function submit(
  shown: Page,
  fields: Record<string, string>,
  button = 'main form button.btn--primary',
): Promise<void> {
  for (const [id, value] of Object.entries(fields)) {
    await shown.$eval(`#${id}`, (input) => {
      (input as HTMLInputElement).value = '';
    });
    await shown.type(`#${id}`, value);
  }
  await Promise.all([shown.waitForNavigation(), shown.click(button)]);
}

test('setting up: the code leaves the address, wrong fields get the focus, the password can be shown', async () => {
  await page.goto(companion.setupLink ?? '', { waitUntil: 'load' });
  expect(page.url()).toBe(`${companion.url}/setup`);
  expect(await page.$eval('#token', (input) => (input as HTMLInputElement).value)).toBe('setup-token-for-tests');
  await accessible(page);
  await submit(page, { workspace: 'Acme Robotics', name: 'Lena Fischer', email: 'lena@acme', password: 'short' });
  await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('email');
  await accessible(page);
  // Beside a field with an error the next one stays in line.
  const top = (id: string) => page.$eval(`#${id}`, (input) => input.getBoundingClientRect().top);
  expect(await top('name')).toBe(await top('email'));
  await page.click('button[data-reveal]');
  expect(await page.$eval('#password', (input) => (input as HTMLInputElement).type)).toBe('text');
  await submit(page, { email: 'lena@acme.example', password: PASSWORD });
  expect(page.url()).toBe(`${companion.url}/`);
  await accessible(page);
});

test('an invitation is opened from its link, accepted, and cannot be told from the history', async () => {
  const token = (
    await call(companion.url, 'POST', '/v1/sessions', { body: { email: 'lena@acme.example', password: PASSWORD } })
  ).body.session.token;
  const workspaceId = (await call(companion.url, 'GET', '/v1/me', { token })).body.memberships[0].workspaceId;
  const invite = await call(companion.url, 'POST', `/v1/workspaces/${workspaceId}/invitations`, {
    token,
    body: { email: 'tomas@acme.example', role: 'member' },
  });
  const other = await open();
  await other.goto(invite.body.link, { waitUntil: 'load' });
  await other.waitForSelector('#name');
  expect(other.url()).toBe(`${companion.url}/accept/open`);
  expect(await other.$eval('#email', (input) => (input as HTMLInputElement).value)).toBe('tomas@acme.example');
  await accessible(other);
  await submit(other, { name: 'Tomás Silva', password: PASSWORD }, 'button[form="join"]');
  expect(other.url()).toBe(`${companion.url}/`);
  await other.goBack();
  expect(await other.content()).not.toContain(new URL(invite.body.link).hash.slice(1));
  await other.goto(invite.body.link, { waitUntil: 'load' });
  await other.waitForFunction(() => document.title.startsWith('Invitation not found'));
  await accessible(other);
  await other.browserContext().close();
});

test('a browser is approved by keyboard after signing in, and denied; both ends show it', async () => {
  const query = new URLSearchParams({
    client: 'extension',
    label: 'Chrome 142 on macOS',
    state: 's'.repeat(43),
    code_challenge: createHash('sha256').update('v'.repeat(43)).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const other = await open();
  await other.goto(`${companion.url}/connect?${query}`, { waitUntil: 'load' });
  expect(new URL(other.url()).pathname).toBe('/signin');
  await accessible(other);
  const button = 'form[action="/signin"] button[type="submit"]';
  await submit(other, { email: 'lena@acme.example', password: 'not the password' }, button);
  // The browser gives the focus, and the page its title, a moment after it has loaded.
  await expect.poll(() => other.evaluate(() => document.activeElement?.id)).toBe('password');
  await accessible(other);
  await submit(other, { password: PASSWORD }, button);
  expect(new URL(other.url()).pathname).toBe('/connect');
  await accessible(other);
  await other.focus('button[value="approve"]');
  await Promise.all([other.waitForNavigation(), other.keyboard.press('Enter')]);
  expect(other.url()).toMatch(/\/connect\/done#code=[0-9A-Za-z]{40}&state=s{43}$/);
  await expect.poll(() => other.title()).toBe('Connected · Heex Keys');
  await accessible(other);
  await other.goto(`${companion.url}/connect?${query}`, { waitUntil: 'load' });
  await Promise.all([other.waitForNavigation(), other.click('button[value="deny"]')]);
  await expect.poll(() => other.title()).toBe('Request denied · Heex Keys');
  await expect
    .poll(() => other.$$eval('[data-when]', (parts) => parts.filter((p) => p.checkVisibility()).length))
    .toBe(1);
  await accessible(other);
  if (process.env.SHOTS) await other.screenshot({ path: `${process.env.SHOTS}/c5-denied.png` });
  await Promise.all([
    other.waitForNavigation(),
    other.locator('::-p-aria([name="Report it to an admin"][role="button"])').click(),
  ]);
  expect(await other.$eval('h1', (e) => e.textContent)).toBe('Reported');
  await accessible(other);
  await other.browserContext().close();
});

test('names as long as they may be stay inside every page, on a narrow screen too', async () => {
  const long = await testCompanion();
  const tab = await open();
  await tab.setViewport({ width: 320, height: 640 });
  const inside = async (name: string) => {
    const out = await tab.$$eval('main *', (all) =>
      all.filter((e) => e.getBoundingClientRect().right > innerWidth - 32).map((e) => e.outerHTML.slice(0, 80)),
    );
    expect.soft([name, out, await tab.evaluate(() => document.documentElement.scrollWidth)]).toEqual([name, [], 320]);
    if (process.env.SHOTS) await tab.screenshot({ path: `${process.env.SHOTS}/${name}.png`, fullPage: true });
  };
  await tab.goto(long.setupLink ?? '', { waitUntil: 'load' });
  const email = `${'m'.repeat(60)}@${'a'.repeat(60)}.example`;
  await submit(tab, { workspace: 'W'.repeat(200), name: 'Ö'.repeat(200), email, password: PASSWORD });
  await inside('long-home');
  await tab.goto(`${long.url}/security`, { waitUntil: 'load' });
  await inside('long-security');
  const query = new URLSearchParams({
    client: 'extension',
    label: 'M'.repeat(80),
    state: 's'.repeat(43),
    code_challenge: 'c'.repeat(43),
    code_challenge_method: 'S256',
  });
  await tab.goto(`${long.url}/connect?${query}`, { waitUntil: 'load' });
  await inside('long-approve');
  await Promise.all([tab.waitForNavigation(), tab.click('button[value="deny"]')]);
  await inside('long-denied');
  const code = await call(long.url, 'POST', '/v1/device/code', {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `client_id=heex-cli&device_name=${'H'.repeat(80)}`,
  });
  await tab.goto(`${long.url}/device`, { waitUntil: 'load' });
  await submit(tab, { code: code.body.user_code });
  await inside('long-terminal');
  const token = (await call(long.url, 'POST', '/v1/sessions', { body: { email, password: PASSWORD } })).body.session
    .token;
  const workspaceId = (await call(long.url, 'GET', '/v1/me', { token })).body.memberships[0].workspaceId;
  const invite = await call(long.url, 'POST', `/v1/workspaces/${workspaceId}/invitations`, {
    token,
    body: { email: `x${email}`, role: 'member' },
  });
  await tab.deleteCookie(...(await tab.cookies()));
  await tab.goto(invite.body.link, { waitUntil: 'load' });
  await tab.waitForSelector('#name');
  await inside('long-accept');
  await tab.goto(`${long.url}/signin`, { waitUntil: 'load' });
  await inside('long-sign-in');
  await tab.browserContext().close();
  await long.end();
});

test('the reference reads well and leads to the explanation of an error', async () => {
  await page.goto(`${companion.url}/docs#error-last_owner`, { waitUntil: 'load' });
  await accessible(page);
  expect(await page.$eval('#error-last_owner', (row) => row.matches(':target') && row.checkVisibility())).toBe(true);
});

test('no page made the browser complain, of its content security policy or anything else', () => {
  expect(complaints).toEqual([]);
});
