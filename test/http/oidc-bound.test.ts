import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type HostileProvider, hostileProvider } from '../support/hostile-provider.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';
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

/** Goes as far as the provider would send the browser back. @returns what comes back from there, in that browser or another */
async function stopBeforeCallback(who: WebBrowser, fields: Record<string, string>) {
  const cookie = [...who.cookies(s.url)].map(([name, value]) => `${name}=${value}`).join('; ');
  const start = await fetch(`${s.url}/sso/start`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin', cookie },
    body: new URLSearchParams({ workspaceId: s.workspaceId, next: '/security', ...fields }).toString(),
  });
  const carried = /heex_sso=([^;]+)/.exec(start.headers.getSetCookie().join())?.[1] ?? '';
  const atProvider = await fetch(start.headers.get('refresh')?.slice('0; url='.length) ?? '', { redirect: 'manual' });
  const callback = atProvider.headers.get('location') ?? '';
  return (browser = who) => {
    browser.cookies(s.url).set('heex_sso', carried);
    return browser.get(callback);
  };
}
const signIn = (who: WebBrowser, { email, password }: Person) =>
  who.submit(`${s.url}/signin`, { email, password, next: '/' });
const linked = async (who: WebBrowser) =>
  JSON.parse((await who.script('GET', `${s.url}/v1/identities`)).text).items.length;

test('what one person began in a browser, nobody else finishes there', async () => {
  const [ann, eve] = [await s.member(`Ann ${n}`), await s.member(`Eve ${n}`)];
  const browser = webBrowser();
  await signIn(browser, ann);
  signsIn(`ann-${n}`);
  const comeBack = await stopBeforeCallback(browser, { purpose: 'link' });
  await signIn(browser, eve);
  expect([(await comeBack()).status, await linked(browser)]).toEqual([401, 0]);
  browser.cookies(s.url).clear();
  expect((await comeBack()).status).toBe(401);
  await signIn(browser, ann);
  expect([(await comeBack()).status, await linked(browser)]).toEqual([200, 1]);
});

test('an answer links once and confirms once', async () => {
  const browser = webBrowser();
  await signIn(browser, await s.member(`Una ${n}`));
  signsIn(`once-${n}`);
  for (const purpose of ['link', 'confirm']) {
    const comeBack = await stopBeforeCallback(browser, { purpose });
    expect([purpose, (await comeBack()).status, (await comeBack()).status]).toEqual([purpose, 200, 401]);
  }
});

test('a suspended member links nothing: they do not get as far as the provider, nor in when they come back', async () => {
  const gus = await s.member(`Gus ${n}`);
  const browser = webBrowser();
  await signIn(browser, gus);
  signsIn(`gus-${n}`);
  const comeBack = await stopBeforeCallback(browser, { purpose: 'link' });
  expect((await s.as(s.owner, 'POST', `W/members/${gus.membershipId}/suspend`)).status).toBe(200);
  expect([(await comeBack()).status, await linked(browser)]).toEqual([403, 0]);
  const before = browser.visited.length;
  expect((await begin(browser, { purpose: 'link' })).status).toBe(403);
  expect(browser.visited.slice(before)).toEqual([`${s.url}/sso/start`]);
});

test('the same subject at another provider is somebody else, and an answer of the one before is not taken to it', async () => {
  const other = await hostileProvider();
  const sub = `kim-${n}`;
  const kim = await cameIn(sub);
  const comeBack = await stopBeforeCallback(webBrowser(), { purpose: 'sign_in' });
  const use = async (issuer: string) => {
    const client = { issuer, clientId: 'heex-keys', clientSecret: 'client secret for tests 0123456789' };
    const domains = ['joins.example'];
    expect((await s.as(s.owner, 'PUT', 'W/sso', { ...client, name: 'Acme SSO', domains })).status).toBe(200);
  };
  await use(other.issuer);
  const claims = { sub, email: `other-${sub}@joins.example`, auth_time: Math.floor(Date.now() / 1000) };
  other.spoil((token) => Object.assign(token.claims, claims));
  const late = webBrowser();
  expect([(await comeBack(late)).status, late.cookies(s.url).has('heex_session')]).toEqual([401, false]);
  const stranger = webBrowser();
  await begin(stranger);
  const who = async (browser: WebBrowser) =>
    JSON.parse((await browser.script('GET', `${s.url}/v1/me`)).text).user.email;
  expect([await who(stranger), await who(kim)]).toEqual([claims.email, `${sub}@joins.example`]);
  await use(idp.issuer);
  await other.close();
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
