import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type HostileProvider, hostileProvider } from '../support/hostile-provider.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { type WebBrowser, webBrowser } from '../support/web-browser.ts';

let s: Scenario;
let idp: HostileProvider;
let n = 0;

beforeAll(async () => {
  s = await scenario();
  idp = await hostileProvider();
  const client = { issuer: idp.issuer, clientId: 'heex-keys', clientSecret: 'client secret for tests 0123456789' };
  await s.as(s.owner, 'PUT', 'W/sso', { ...client, name: 'Acme SSO', domains: ['joins.example'] });
});
beforeEach(() => {
  n++;
});
afterAll(async () => {
  await s.end();
  await idp.close();
});

/** Whoever comes to the provider from now on is this person, who signed in there so many minutes ago. */
function signsIn(sub: string, minutesAgo = 0): void {
  const auth_time = Math.floor(Date.now() / 1000) - minutesAgo * 60;
  idp.spoil((token) => Object.assign(token.claims, { sub, email: `${sub}@joins.example`, auth_time }));
}
const begin = (who: WebBrowser, fields: Record<string, string> = {}) =>
  who.submit(`${s.url}/sso/start`, { workspaceId: s.workspaceId, purpose: 'sign_in', next: '/', ...fields });
const confirm = (who: WebBrowser) => begin(who, { purpose: 'confirm', next: '/confirm/done' });
/** A browser in which somebody came in by single sign-on, which also links their account. */
async function cameIn(sub: string, minutesAgo = 0): Promise<WebBrowser> {
  const browser = webBrowser();
  signsIn(sub, minutesAgo);
  await begin(browser);
  expect(JSON.parse((await browser.script('GET', `${s.url}/v1/me`)).text).user.email).toBe(`${sub}@joins.example`);
  return browser;
}
/** Whether a dangerous action is let through. */
async function recent(who: WebBrowser): Promise<boolean> {
  const { text } = await who.script('DELETE', `${s.url}/v1/identities/idt_nobody`);
  expect(['not_found', 'step_up_required']).toContain(JSON.parse(text).code);
  return JSON.parse(text).code === 'not_found';
}

test('how recent a sign-in is, is what the provider says, not when the person came', async () => {
  expect(await recent(await cameIn(`fresh-${n}`))).toBe(true);
  expect(await recent(await cameIn(`early-${n}`, 14))).toBe(true);
  expect(await recent(await cameIn(`late-${n}`, 16))).toBe(false);
});

test('a session is confirmed only by a new sign-in at the provider, to the account that the person has linked', async () => {
  const [lea, max] = [`lea-${n}`, `max-${n}`];
  await cameIn(max);
  const browser = await cameIn(lea, 60);
  // Linked to somebody else, linked to nobody, and one's own where the provider did not ask again.
  for (const [sub, minutesAgo, status] of [
    [max, 0, 403],
    [`nobody-${n}`, 0, 403],
    [lea, 16, 401],
  ] as const) {
    signsIn(sub, minutesAgo);
    expect([sub, minutesAgo, (await confirm(browser)).status]).toEqual([sub, minutesAgo, status]);
    expect(await recent(browser)).toBe(false);
  }
  signsIn(lea);
  expect((await confirm(browser)).url).toBe(`${s.url}/confirm/done`);
  expect(await recent(browser)).toBe(true);
  const asked = new URL(browser.visited.findLast((url) => url.startsWith(`${idp.issuer}/auth`)) ?? '').searchParams;
  expect([asked.get('prompt'), asked.get('max_age')]).toEqual(['login', '300']);
});

test('what one person began in a browser, nobody else finishes there', async () => {
  const [ann, eve] = [await s.member(`Ann ${n}`), await s.member(`Eve ${n}`)];
  const browser = webBrowser();
  const signIn = ({ email, password }: typeof ann) => browser.submit(`${s.url}/signin`, { email, password, next: '/' });
  await signIn(ann);
  const form = new URLSearchParams({ workspaceId: s.workspaceId, purpose: 'link', next: '/security' }).toString();
  const cookie = [...browser.cookies(s.url)].map(([name, value]) => `${name}=${value}`).join('; ');
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin', cookie };
  const start = await fetch(`${s.url}/sso/start`, { method: 'POST', headers, body: form });
  const carried = /heex_sso=([^;]+)/.exec(start.headers.getSetCookie().join())?.[1] ?? '';
  signsIn(`ann-${n}`);
  const atProvider = await fetch(start.headers.get('refresh')?.slice('0; url='.length) ?? '', { redirect: 'manual' });
  const callback = atProvider.headers.get('location') ?? '';
  const linked = async () => JSON.parse((await browser.script('GET', `${s.url}/v1/identities`)).text).items.length;
  await signIn(eve);
  browser.cookies(s.url).set('heex_sso', carried);
  expect([(await browser.get(callback)).status, await linked()]).toEqual([401, 0]);
  browser.cookies(s.url).clear();
  browser.cookies(s.url).set('heex_sso', carried);
  expect((await browser.get(callback)).status).toBe(401);
  await signIn(ann);
  browser.cookies(s.url).set('heex_sso', carried);
  expect([(await browser.get(callback)).status, await linked()]).toEqual([200, 1]);
});

test('whoever is linked does not come in by an invitation to somebody else', async () => {
  await cameIn(`ida-${n}`);
  const { link } = (await s.as(s.owner, 'POST', 'W/invitations', { email: `boss-${n}@acme.example`, role: 'admin' }))
    .body;
  const browser = webBrowser();
  signsIn(`ida-${n}`);
  const page = await begin(browser, { purpose: 'accept', token: new URL(link).hash.slice(1) });
  expect([page.status, browser.cookies(s.url).has('heex_session')]).toEqual([404, false]);
  const again = await cameIn(`ida-${n}`);
  expect(JSON.parse((await again.script('GET', `${s.url}/v1/me`)).text).memberships).toMatchObject([
    { role: 'member' },
  ]);
});
