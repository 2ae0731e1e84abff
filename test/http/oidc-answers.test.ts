import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { TestProvider } from '../support/identity-provider.ts';
import type { Scenario } from '../support/scenario.ts';
import { signOn, withProvider } from '../support/single-sign-on.ts';
import { type WebBrowser, webBrowser } from '../support/web-browser.ts';

let s: Scenario;
let idp: TestProvider;
let browser: WebBrowser;
let n = 0;
const { save, asAtFirst, begin, me, somebodyComes, stopBeforeCallback } = signOn(() => ({ s, idp, browser }));

beforeAll(async () => {
  ({ s, idp } = await withProvider());
});
beforeEach(async () => {
  n++;
  browser = webBrowser();
  await asAtFirst();
});
afterAll(async () => {
  await s.end();
  await idp.close();
});

test('what the provider refuses is said, without its own words', async () => {
  idp.deny(true);
  const page = await begin();
  expect(page.status).toBe(401);
  expect(page.text).toContain('access_denied');
  expect(page.text).not.toContain('not today');
});

test('an answer of the provider works once', async () => {
  somebodyComes(`p-${n}`);
  const callback = await stopBeforeCallback();
  const carried = browser.cookies(s.url).get('heex_sso') ?? '';
  await browser.get(callback.href);
  expect(await me()).toBeDefined();
  const thief = webBrowser();
  thief.cookies(s.url).set('heex_sso', carried);
  expect((await thief.get(callback.href)).status).toBe(401);
  expect(await me(thief)).toBeUndefined();
});

test('an answer is taken only from the browser that began, and only with its own state', async () => {
  somebodyComes(`p-${n}`);
  const callback = await stopBeforeCallback();
  const victim = webBrowser();
  expect((await victim.get(callback.href)).status).toBe(400);
  await stopBeforeCallback(victim);
  expect((await victim.get(callback.href)).status).toBe(401);
  const wrongState = new URL(callback);
  wrongState.searchParams.set('state', 'x'.repeat(43));
  expect((await browser.get(wrongState.href)).status).toBe(401);
  expect([await me(), await me(victim)]).toEqual([undefined, undefined]);
});

test('an answer that names another issuer is refused (RFC 9207)', async () => {
  somebodyComes(`p-${n}`);
  const callback = await stopBeforeCallback();
  callback.searchParams.set('iss', 'https://evil.example');
  expect((await browser.get(callback.href)).status).toBe(401);
});

test('an attempt dies after ten minutes, with other settings, and with a cookie that was tampered with', async () => {
  somebodyComes(`p-${n}`);
  const late = await stopBeforeCallback();
  s.companion.pass(10 * 60_000 + 1);
  expect((await browser.get(late.href)).status).toBe(400);
  const changed = await stopBeforeCallback();
  s.owner.token = await s.signIn(s.owner);
  await s.as(s.owner, 'DELETE', 'W/sso');
  expect((await browser.get(changed.href)).status).toBe(401);
  await save();
  const tampered = await stopBeforeCallback();
  const cookie = browser.cookies(s.url).get('heex_sso') ?? '';
  browser.cookies(s.url).set('heex_sso', `${cookie.slice(0, 40)}${cookie[40] === 'A' ? 'B' : 'A'}${cookie.slice(41)}`);
  expect((await browser.get(tampered.href)).status).toBe(400);
});

test.each([
  'https://evil.example',
  '//evil.example',
  '/\\evil.example',
  'javascript:alert(1)',
  '/%5cevil.example/..//evil.example',
])('after signing in nobody is sent to %s', async (next) => {
  somebodyComes(`p-${n}`);
  const page = await begin({ next });
  expect(new URL(page.url).origin).toBe(s.url);
});

test('no code, state, nonce or verifier is in the log or in the database', async () => {
  somebodyComes(`p-${n}`);
  const callback = await stopBeforeCallback();
  await browser.get(callback.href);
  const secrets = [callback.searchParams.get('code'), callback.searchParams.get('state')] as string[];
  const db = new Database(s.companion.deps.store.files.database, { readonly: true });
  const dump = JSON.stringify([db.prepare('select * from spent').all(), db.prepare('select * from identity').all()]);
  db.close();
  for (const secret of secrets) expect(dump + s.companion.lines.join('\n')).not.toContain(secret);
});
