import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import puppeteer, { type Browser, type BrowserContext, type Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { oidcProvider, type TestProvider } from '../support/identity-provider.ts';
import { freePort } from '../support/port.ts';
import { chromiumPath } from '../support/programs.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';
import { virtualAuthenticator } from '../support/virtual-authenticator.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const QUARTER = 16 * 60_000;

let s: Scenario;
let idp: TestProvider;
let origin: string;
let browser: Browser;
let context: BrowserContext | undefined;
let page: Page;
let trouble: string[] = [];

/** Passkeys need a host name, and the companion's public URL has to be known before it listens. */
beforeAll(async () => {
  const port = await freePort();
  origin = `http://localhost:${port}`;
  s = await scenario({ HEEX_PORT: String(port), HEEX_PUBLIC_URL: origin });
  idp = await oidcProvider(() => `${origin}/sso/callback`);
  browser = await puppeteer.launch({
    executablePath: chromiumPath(),
    headless: process.env.HEADFUL !== '1',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--font-render-hinting=none'],
  });
});
/** A browser that nobody has used yet. */
async function freshBrowser(): Promise<void> {
  await context?.close();
  context = await browser.createBrowserContext();
  page = await context.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  page.on('pageerror', (error) => trouble.push(String(error)));
  await page.evaluateOnNewDocument(() => {
    const blocked: string[] = [];
    Object.assign(globalThis, { blocked });
    document.addEventListener('securitypolicyviolation', (e) =>
      blocked.push(`${e.effectiveDirective} ${e.blockedURI}`),
    );
  });
}
beforeEach(() => {
  trouble = [];
  return freshBrowser();
});
afterEach(() => {
  expect(trouble).toEqual([]);
});
afterAll(async () => {
  await browser?.close();
  await s?.end();
  await idp?.close();
});

const press = (words: string, role = 'button') => page.locator(`::-p-aria([name="${words}"][role="${role}"])`).click();
const heading = () => page.$eval('h1', (h) => h.textContent);
const until = (path: string) =>
  page.waitForFunction((p) => location.pathname === p && document.readyState === 'complete', {}, path);
/** Waits for a page that has this, and is there as a whole: until then, its scripts and what has the focus are still to come. */
const arrived = (selector: string) =>
  page.waitForFunction((s) => document.readyState === 'complete' && document.querySelector(s), {}, selector);
async function signIn(person: Person, next = '/'): Promise<void> {
  await page.goto(`${origin}/signin?next=${encodeURIComponent(next)}`);
  await page.type('#email', person.email);
  await page.type('#password', person.password);
  await press('Sign in');
  await until(next);
}
const authenticator = () => virtualAuthenticator(page);

interface Violation {
  id: string;
  nodes: { target: string[] }[];
}
/** What the page's own policy kept from it, and what axe finds in both colour schemes. */
async function violations(): Promise<string[]> {
  // Before axe, which tries inline styles of its own.
  const all = await page.evaluate(() => [...(globalThis as unknown as { blocked: string[] }).blocked]);
  for (const value of ['light', 'dark']) {
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value },
      // Colours that are still changing are none that anybody reads.
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ]);
    await page.evaluate(axe);
    const found = await page.evaluate(async () => {
      const { run } = (globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }).axe;
      return (await run()).violations;
    });
    all.push(...found.map((v) => `${value} ${v.id}: ${v.nodes.map((node) => node.target.join(' ')).join(', ')}`));
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${shot()}.${value}.png` });
  }
  const empty = await page.$$eval('[role=alert]', (all) =>
    all.filter((e) => e.checkVisibility() && !e.textContent?.trim()).map(() => 'an empty alert'),
  );
  return [...all, ...empty];
}
let shots = 0;
const shot = () => `${String(++shots).padStart(2, '0')}-${new URL(page.url()).pathname.replaceAll('/', '_')}`;

test('somebody adds a passkey, signs in with it, confirms with it, and removes it', async () => {
  const ada = await s.member('Ada Passkey');
  await authenticator();
  await signIn(ada, '/security');
  await page.type('#name', 'MacBook');
  await press('Add a passkey');
  await arrived('[aria-label="Remove passkey MacBook"]');
  expect(await violations()).toEqual([]);

  await page.goto(`${origin}/`);
  await press('Sign out');
  await until('/signin');
  expect(await violations()).toEqual([]);
  await press('Continue with a passkey');
  await until('/');
  expect(await page.$eval('main', (m) => m.textContent)).toContain(ada.email);

  s.companion.pass(QUARTER);
  await page.goto(`${origin}/security`);
  await press('Remove passkey MacBook');
  await until('/confirm');
  expect(await heading()).toBe('Confirm that it’s you');
  expect(await violations()).toEqual([]);
  await press('Confirm with a passkey');
  await until('/security');
  await press('Remove passkey MacBook');
  await page.waitForFunction(() => !document.querySelector('[aria-label="Remove passkey MacBook"]'));
});

test('a passkey that the server does not know is said to be of no use, and the password still works', async () => {
  const ben = await s.member('Ben Forgotten');
  await authenticator();
  await signIn(ben, '/security');
  await page.type('#name', 'Old phone');
  await press('Add a passkey');
  await press('Remove passkey Old phone');
  await page.waitForFunction(() => !document.querySelector('[aria-label="Remove passkey Old phone"]'));
  await page.goto(`${origin}/`);
  await press('Sign out');
  await until('/signin');
  await press('Continue with a passkey');
  await arrived('[data-passkey-trouble]:not([hidden])');
  expect(await page.$eval('[data-passkey-trouble]', (e) => e.textContent)).toContain('does not work here');
  expect(await violations()).toEqual([]);
  await signIn(ben);
});

test('the extension’s old session is confirmed by one click of whoever has just signed in here', async () => {
  const cleo = await s.member('Cleo Extension');
  s.companion.pass(QUARTER);
  const refused = await s.as(cleo, 'POST', '/v1/passkeys/options');
  expect(refused.body.code).toBe('step_up_required');
  await page.goto(refused.body.confirmAt);
  await until('/signin');
  await page.type('#email', cleo.email);
  await page.type('#password', cleo.password);
  await press('Sign in');
  await until('/confirm');
  expect(await violations()).toEqual([]);
  await press('Confirm');
  await until('/confirm/done');
  expect(await violations()).toEqual([]);
  expect((await s.as(cleo, 'POST', '/v1/passkeys/options')).status).toBe(200);
});

test('single sign-on goes to the provider and back; an equal address is linked by its owner only', async () => {
  s.owner.token = await s.signIn(s.owner);
  const settings = { issuer: idp.issuer, clientId: idp.clientId, clientSecret: idp.clientSecret, name: 'Acme SSO' };
  expect((await s.as(s.owner, 'PUT', 'W/sso', { ...settings, domains: ['joins.example'] })).status).toBe(200);

  idp.signsIn({ sub: 'nele', email: 'nele@joins.example', email_verified: true, name: 'Nele New' });
  await page.goto(`${origin}/signin`);
  expect(await violations()).toEqual([]);
  await press('Continue with Acme SSO');
  await until('/');
  expect(await page.$eval('main', (m) => m.textContent)).toContain('Nele New');
  await press('Sign out');
  await until('/signin');

  const dora = await s.member('Dora Linked');
  await freshBrowser();
  idp.signsIn({ sub: 'dora', email: dora.email, email_verified: true });
  await page.goto(`${origin}/signin`);
  await press('Continue with Acme SSO');
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === 'Link it first');
  expect(await violations()).toEqual([]);
  await signIn(dora, '/security');
  await press('Link Acme SSO');
  await page.waitForSelector(`[aria-label="Unlink ${dora.email}"]`);
  expect(await violations()).toEqual([]);
});

test('an invited person joins by single sign-on', async () => {
  s.owner.token = await s.signIn(s.owner);
  const invited = await s.as(s.owner, 'POST', 'W/invitations', { email: 'emil@acme.example', role: 'member' });
  idp.signsIn({ sub: 'emil', email: 'emil@acme.example', email_verified: true, name: 'Emil' });
  await page.goto(invited.body.link);
  await page.waitForFunction(() => document.querySelector('h1')?.textContent?.startsWith('Join'));
  expect(await violations()).toEqual([]);
  await press('Join with Acme SSO');
  await until('/');
  expect(await page.$eval('main', (m) => m.textContent)).toContain('Emil');
});

test('an invited person joins with a passkey', async () => {
  s.owner.token = await s.signIn(s.owner);
  const invited = await s.as(s.owner, 'POST', 'W/invitations', { email: 'gil@acme.example', role: 'member' });
  await authenticator();
  await page.goto(invited.body.link);
  await arrived('#name');
  expect(await violations()).toEqual([]);
  await press('Join with a passkey');
  await arrived('[data-passkey-trouble]:not([hidden])');
  await page.type('#name', 'Gil');
  await press('Join with a passkey');
  await until('/');
  expect(await page.$eval('main', (m) => m.textContent)).toContain('Gil');
});

test('an invited person is offered a passkey first, and a password on request; what is wrong with it is shown', async () => {
  s.owner.token = await s.signIn(s.owner);
  const invited = await s.as(s.owner, 'POST', 'W/invitations', { email: 'ida@acme.example', role: 'member' });
  await authenticator();
  await page.goto(invited.body.link);
  await arrived('#name');
  expect(await page.$eval('main .btn--primary', (b) => b.textContent)).toBe('Join with a passkey');
  expect(await page.$eval('#password', (e) => e.checkVisibility())).toBe(false);
  await page.type('#name', 'Ida');
  await page.locator('summary').click();
  await page.type('#password', 'short');
  await press('Join Acme Robotics');
  await arrived('#password-error');
  // A browser gives the focus that a page asks for when it first draws it.
  await page.waitForFunction(() => document.activeElement?.id === 'password');
  expect(await page.$eval('#password', (e) => e.checkVisibility())).toBe(true);
  expect(await violations()).toEqual([]);
  await page.type('#password', 'a good long passphrase');
  await press('Join Acme Robotics');
  await until('/');
  expect(await page.$eval('main', (m) => m.textContent)).toContain('Ida');
});

test('who was removed and has nothing but a passkey comes back with it', async () => {
  s.owner.token = await s.signIn(s.owner);
  const invite = async () =>
    (await s.as(s.owner, 'POST', 'W/invitations', { email: 'kim@acme.example', role: 'member' })).body.link;
  await authenticator();
  await page.goto(await invite());
  await arrived('#name');
  await page.type('#name', 'Kim');
  await press('Join with a passkey');
  await until('/');
  const { items } = (await s.as(s.owner, 'GET', 'W/members?limit=100')).body;
  const { id } = items.find((m: { email: string }) => m.email === 'kim@acme.example');
  expect((await s.as(s.owner, 'DELETE', `W/members/${id}`)).status).toBe(200);
  await page.goto(await invite());
  await arrived('#password');
  expect(await violations()).toEqual([]);
  await press('Join with your passkey');
  await page.waitForFunction(() => document.querySelector('form[action="/signout"]'));
  expect(await heading()).toBe('Join Acme Robotics');
  await press('Join Acme Robotics');
  await until('/');
  expect(await page.$eval('main', (m) => m.textContent)).toContain('Acme Robotics');
});

test('a reset link sets a new password; its code leaves the address at once', async () => {
  s.owner.token = await s.signIn(s.owner);
  const fay = await s.member('Fay Forgot');
  const { link } = (await s.as(s.owner, 'POST', `W/members/${fay.membershipId}/reset`)).body;
  await page.goto(link);
  await page.waitForFunction(() => location.hash === '' && document.querySelector<HTMLInputElement>('#token')?.value);
  expect(await violations()).toEqual([]);
  await page.type('#newPassword', 'a whole new passphrase');
  await press('Set password');
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === 'Your password is set');
  await signIn({ ...fay, password: 'a whole new passphrase' });
  await page.goto(`${origin}/forgot`);
  expect(await violations()).toEqual([]);
});
