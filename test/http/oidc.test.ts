import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { oidcProvider, type TestProvider } from '../support/identity-provider.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';
import { type WebBrowser, type WebPage, webBrowser } from '../support/web-browser.ts';

let s: Scenario;
let idp: TestProvider;
let browser: WebBrowser;
let n = 0;

beforeAll(async () => {
  s = await scenario();
  idp = await oidcProvider(() => `${s.url}/sso/callback`);
});
beforeEach(async () => {
  n++;
  browser = webBrowser();
  s.owner.token = await s.signIn(s.owner);
  idp.deny(false);
  await save();
});
afterAll(async () => {
  await s.end();
  await idp.close();
});

const settings = (overrides: object = {}) => ({
  issuer: idp.issuer,
  clientId: idp.clientId,
  clientSecret: idp.clientSecret,
  name: 'Acme SSO',
  domains: ['joins.example'],
  ...overrides,
});
const save = (overrides: object = {}) => s.as(s.owner, 'PUT', 'W/sso', settings(overrides));
const begin = (fields: Record<string, string> = {}, who = browser) =>
  who.submit(`${s.url}/sso/start`, { workspaceId: s.workspaceId, purpose: 'sign_in', next: '/', ...fields });
const byPassword = (person: Person, who = browser) =>
  who.submit(`${s.url}/signin`, { email: person.email, password: person.password, next: '/' });
const me = async (who = browser) => {
  const page = await who.script('GET', `${s.url}/v1/me`);
  return page.status === 200 ? JSON.parse(page.text) : undefined;
};
const identities = async (who = browser) => JSON.parse((await who.script('GET', `${s.url}/v1/identities`)).text).items;
const heading = (page: WebPage) => /<h1>([^<]*)/.exec(page.text)?.[1];
const sql = (text: string, ...args: unknown[]) => {
  const db = new Database(s.companion.deps.store.files.database);
  try {
    return db.prepare(text).run(...args);
  } finally {
    db.close();
  }
};
/** Somebody with a password who linked the account `sub` of the provider to theirs. */
async function linked(name: string, sub: string): Promise<Person> {
  const person = await s.member(name);
  const own = webBrowser();
  await byPassword(person, own);
  idp.signsIn({ sub, email: person.email, email_verified: true });
  await begin({ purpose: 'link', next: '/security' }, own);
  expect(await identities(own)).toHaveLength(1);
  return person;
}

test('only an owner sees and sets the provider, and nobody ever sees the client secret', async () => {
  const admin = await s.member(`Adm ${n}`, 'admin');
  for (const [method, body] of [['GET'], ['PUT', settings()], ['DELETE']] as const)
    expect((await s.as(admin, method, 'W/sso', body)).body.code).toBe('forbidden');
  const shown = await s.as(s.owner, 'GET', 'W/sso');
  expect(shown.body).toMatchObject({ sso: { issuer: idp.issuer, clientId: idp.clientId, name: 'Acme SSO' } });
  expect(shown.body.redirectUri).toBe(`${s.url}/sso/callback`);
  const audit = JSON.stringify((await s.as(s.owner, 'GET', 'W/audit?limit=100')).body.items);
  expect(audit).toContain('sso.saved');
  const db = new Database(s.companion.deps.store.files.database, { readonly: true });
  const row = JSON.stringify(db.prepare('select * from sso').all());
  db.close();
  for (const text of [JSON.stringify(shown.body), audit, row, s.companion.lines.join('\n')])
    expect(text).not.toContain(idp.clientSecret);
});

test('settings that can’t work are refused with the field and the reason', async () => {
  const wrong = async (overrides: object) => {
    const answer = await save(overrides);
    expect(answer.status).toBe(400);
    return answer.body.errors[0];
  };
  expect(await wrong({ issuer: 'http://login.acme.example' })).toEqual({
    path: 'issuer',
    message: 'must be an https address',
  });
  expect(await wrong({ issuer: `${idp.issuer}/.well-known/openid-configuration` })).toMatchObject({ path: 'issuer' });
  expect((await wrong({ issuer: `${idp.issuer}/other` })).message).toMatch(/no OpenID Connect provider/);
  const gone = await oidcProvider(() => `${s.url}/sso/callback`);
  await gone.close();
  expect((await wrong({ issuer: gone.issuer })).message).toBe("can't be reached (ECONNREFUSED)");
  expect((await wrong({ issuer: idp.issuer.replace('127.0.0.1', 'localhost') })).message).toMatch(
    /calls itself|another issuer/,
  );
  expect(await wrong({ issuer: 'nonsense' })).toMatchObject({ path: 'issuer' });
  expect(await wrong({ domains: ['not a domain'] })).toMatchObject({ path: 'domains.0' });
  expect((await s.as(s.owner, 'GET', 'W/sso')).body.sso.issuer).toBe(idp.issuer);
});

test('a stored secret is kept for the same client and never sent to another issuer', async () => {
  expect((await save({ clientSecret: undefined, name: 'Renamed' })).body.sso.name).toBe('Renamed');
  expect((await save({ clientSecret: undefined, clientId: 'another' })).body.errors[0].path).toBe('clientSecret');
  const other = await oidcProvider(() => `${s.url}/sso/callback`);
  expect((await save({ clientSecret: undefined, issuer: other.issuer })).body.errors[0].path).toBe('clientSecret');
  await other.close();
});

test('somebody of a listed domain joins as a member at the first sign-in, and is the same person at the next', async () => {
  idp.signsIn({ sub: 'new-1', email: 'New@Joins.example', email_verified: true, name: 'Nele New' });
  expect((await begin()).status).toBe(200);
  const first = await me();
  expect(first).toMatchObject({
    user: { name: 'Nele New', email: 'new@joins.example' },
    memberships: [{ workspaceId: s.workspaceId, role: 'member' }],
  });
  const again = webBrowser();
  idp.signsIn({ sub: 'new-1', email: 'changed@elsewhere.example', email_verified: false });
  await begin({}, again);
  expect((await me(again)).user).toEqual(first.user);
  const { items } = (await s.as(s.owner, 'GET', 'W/audit?limit=100')).body;
  const actions = items.filter((i: { actor: { name: string } }) => i.actor.name === 'new@joins.example');
  expect(actions.map((i: { action: string }) => i.action).sort()).toEqual(
    ['identity.linked', 'member.joined', 'session.created', 'session.created'].sort(),
  );
});

test.each([
  ['an address that is not verified', { email: 'a@joins.example', email_verified: false }],
  ['an address that nothing is said about', { email: 'a@joins.example' }],
  ['no address', {}],
  ['a domain that is not listed', { email: 'a@elsewhere.example', email_verified: true }],
  ['a domain that only ends like a listed one', { email: 'a@evil-joins.example', email_verified: true }],
  ['a subdomain of a listed one', { email: 'a@sub.joins.example', email_verified: true }],
  ['a listed domain before another @', { email: '"a@joins.example"@evil.example', email_verified: true }],
])('nobody joins with %s', async (_, claims) => {
  idp.signsIn({ sub: `stranger-${n}`, ...claims });
  expect((await begin()).status).toBe(403);
  expect(await me()).toBeUndefined();
});

test('an equal e-mail address takes nobody’s account over: the person signs in the other way and links', async () => {
  const ada = await s.member(`Ada ${n}`);
  idp.signsIn({ sub: 'ada-sub', email: ada.email, email_verified: true });
  const refused = await begin();
  expect([refused.status, heading(refused)]).toEqual([409, 'Link it first']);
  expect(await me()).toBeUndefined();
  await byPassword(ada);
  await begin({ purpose: 'link', next: '/security' });
  const fresh = webBrowser();
  await begin({}, fresh);
  expect((await me(fresh)).user.email).toBe(ada.email);
});

test('linking needs a session, a recent sign-in, and an account that nobody else has linked', async () => {
  expect(await identities(await signedIn(await s.member(`Cleo ${n}`)))).toEqual([]);
  await linked(`Ben ${n}`, 'ben-sub');
  const dora = await s.member(`Dora ${n}`);
  expect((await begin({ purpose: 'link' })).status).toBe(401);
  await byPassword(dora);
  expect((await begin({ purpose: 'link' })).status).toBe(409);
  s.companion.pass(16 * 60_000);
  idp.signsIn({ sub: 'dora-sub', email: dora.email, email_verified: true });
  expect((await begin({ purpose: 'link', next: '/security' })).url).toContain('/confirm?');
  expect(await identities()).toEqual([]);
});

async function signedIn(person: Person): Promise<WebBrowser> {
  const own = webBrowser();
  await byPassword(person, own);
  return own;
}

test('another site can’t begin a sign-in or a link', async () => {
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }]) {
    const fields = { workspaceId: s.workspaceId, purpose: 'link', next: '/' };
    expect((await browser.submit(`${s.url}/sso/start`, fields, headers)).status).toBe(403);
  }
  expect(browser.visited).toHaveLength(2);
});

test('an invited person joins by single sign-on with the invited address only', async () => {
  const invite = async (email: string) => {
    const { link } = (await s.as(s.owner, 'POST', 'W/invitations', { email, role: 'admin' })).body;
    return new URL(link).hash.slice(1);
  };
  const token = await invite('gus@elsewhere.example');
  idp.signsIn({ sub: 'other-gus', email: 'somebody@joins.example', email_verified: true });
  expect((await begin({ purpose: 'accept', token })).status).toBe(404);
  idp.signsIn({ sub: 'gus', email: 'gus@elsewhere.example', email_verified: false });
  expect((await begin({ purpose: 'accept', token }, webBrowser())).status).toBe(403);
  idp.signsIn({ sub: 'gus', email: 'gus@elsewhere.example', email_verified: true, name: 'Gus' });
  const gus = webBrowser();
  await begin({ purpose: 'accept', token }, gus);
  expect(await me(gus)).toMatchObject({ user: { name: 'Gus' }, memberships: [{ role: 'admin' }] });
  const late = webBrowser();
  idp.signsIn({ sub: 'gus-2', email: 'gus@elsewhere.example', email_verified: true });
  expect((await begin({ purpose: 'accept', token }, late)).status).toBe(404);
  expect([...gus.visited, ...browser.visited].join('\n')).not.toContain(token);
});

test('an invitation does not open an existing account either', async () => {
  const hugo = await s.member(`Hugo ${n}`);
  await s.as(s.owner, 'DELETE', `W/members/${hugo.membershipId}`);
  const { link } = (await s.as(s.owner, 'POST', 'W/invitations', { email: hugo.email, role: 'member' })).body;
  idp.signsIn({ sub: 'hugo-sub', email: hugo.email, email_verified: true });
  const page = await begin({ purpose: 'accept', token: new URL(link).hash.slice(1) });
  expect(page.status).toBe(409);
  expect(await me()).toBeUndefined();
});

async function provision(email: string): Promise<string> {
  const { secret } = (await s.as(s.owner, 'POST', 'W/scim/tokens', { name: `SCIM ${n}` })).body;
  const body = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: email };
  const headers = { 'content-type': 'application/scim+json' };
  return (await call(s.url, 'POST', '/scim/v2/Users', { token: secret, body, headers })).body.id;
}

test('whom the provider itself has made, and who has no way to sign in yet, is linked at the first sign-in', async () => {
  const id = await provision('jo@elsewhere.example');
  idp.signsIn({ sub: 'jo-sub', email: 'jo@elsewhere.example', email_verified: false });
  expect((await begin()).status).toBe(403);
  idp.signsIn({ sub: 'jo-sub', email: 'jo@elsewhere.example', email_verified: true });
  const jo = webBrowser();
  await begin({}, jo);
  expect(await me(jo)).toMatchObject({ user: { id }, memberships: [{ role: 'member' }] });
  const { items } = (await s.as(s.owner, 'GET', 'W/members?limit=100')).body;
  expect(items.find((m: { userId: string }) => m.userId === id)).toMatchObject({ signsInWith: ['sso'] });
  const other = webBrowser();
  idp.signsIn({ sub: 'other-jo', email: 'jo@elsewhere.example', email_verified: true });
  expect((await begin({}, other)).status).toBe(409);
  sql('update user set disabled_at = 1 where id = ?', id);
  idp.signsIn({ sub: 'jo-sub', email: 'jo@elsewhere.example', email_verified: true });
  expect((await begin({}, webBrowser())).status).toBe(403);
});

test('whom the provider has made but who can sign in already links like everybody else', async () => {
  const id = await provision('pia@elsewhere.example');
  const { items } = (await s.as(s.owner, 'GET', 'W/members?limit=100')).body;
  const member = items.find((m: { userId: string }) => m.userId === id);
  expect(member).toMatchObject({ signsInWith: [], lastActiveAt: null });
  const { link } = (await s.as(s.owner, 'POST', `W/members/${member.id}/reset`)).body;
  const body = { token: new URL(link).hash.slice(1), newPassword: 'a long passphrase' };
  expect((await call(s.url, 'POST', '/v1/password/reset', { body })).status).toBe(204);
  idp.signsIn({ sub: 'pia-sub', email: 'pia@elsewhere.example', email_verified: true });
  expect((await begin()).status).toBe(409);
});

test('a removed person does not come back through the domain, only by invitation', async () => {
  idp.signsIn({ sub: 'ida-sub', email: 'ida@joins.example', email_verified: true });
  await begin();
  const { memberships } = await me();
  expect((await s.as(s.owner, 'DELETE', `W/members/${memberships[0].id}`)).status).toBe(200);
  expect(await me()).toBeUndefined();
  await begin({}, browser);
  expect((await me()).memberships).toEqual([]);
  const { link } = (await s.as(s.owner, 'POST', 'W/invitations', { email: 'ida@joins.example', role: 'member' })).body;
  await begin({ purpose: 'accept', token: new URL(link).hash.slice(1) });
  expect((await me()).memberships).toHaveLength(1);
});

test('a closed account can’t sign in by single sign-on', async () => {
  const kim = await linked(`Kim ${n}`, 'kim-sub');
  sql('update user set disabled_at = 1 where id = ?', kim.userId);
  const page = await begin();
  expect(page.status).toBe(403);
  expect(await me()).toBeUndefined();
});

test('what the provider refuses is said, without its own words', async () => {
  idp.deny(true);
  const page = await begin();
  expect(page.status).toBe(401);
  expect(page.text).toContain('access_denied');
  expect(page.text).not.toContain('not today');
});

/** Goes as far as the provider would send the browser back, and says where to. */
async function stopBeforeCallback(who = browser, fields: Record<string, string> = {}): Promise<URL> {
  const start = await fetch(`${s.url}/sso/start`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams({ workspaceId: s.workspaceId, purpose: 'sign_in', next: '/', ...fields }).toString(),
  });
  for (const line of start.headers.getSetCookie()) {
    const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
    who.cookies(s.url).set(name, value);
  }
  let url = /url=(.*)$/.exec(start.headers.get('refresh') ?? '')?.[1] ?? '';
  const jar = new Map<string, string>();
  while (!url.startsWith(s.url)) {
    const cookie = [...jar].map(([k, v]) => `${k}=${v}`).join('; ');
    const hop = await fetch(url, { redirect: 'manual', headers: cookie ? { cookie } : {} });
    for (const line of hop.headers.getSetCookie()) {
      const pair = line.split(';')[0] ?? '';
      jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    url = new URL(hop.headers.get('location') ?? '', url).href;
  }
  return new URL(url);
}
const person = () => idp.signsIn({ sub: `p-${n}`, email: `p${n}@joins.example`, email_verified: true });

test('an answer of the provider works once', async () => {
  person();
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
  person();
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
  person();
  const callback = await stopBeforeCallback();
  callback.searchParams.set('iss', 'https://evil.example');
  expect((await browser.get(callback.href)).status).toBe(401);
});

test('an attempt dies after ten minutes, with other settings, and with a cookie that was tampered with', async () => {
  person();
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
  person();
  const page = await begin({ next });
  expect(new URL(page.url).origin).toBe(s.url);
});

test('without single sign-on there is no button and no way to begin', async () => {
  expect((await browser.get(`${s.url}/signin`)).text).toContain('Continue with Acme SSO');
  await s.as(s.owner, 'DELETE', 'W/sso');
  expect((await browser.get(`${s.url}/signin`)).text).not.toContain('SSO');
  expect((await begin()).status).toBe(404);
  expect((await begin({ workspaceId: 'ws_nobody' })).status).toBe(404);
});

test('a provider that is down is said to be, and is logged by its code', async () => {
  const other = await oidcProvider(() => `${s.url}/sso/callback`);
  await save({ issuer: other.issuer, clientSecret: other.clientSecret });
  await other.close();
  s.companion.lines.length = 0;
  const page = await begin();
  expect(page.status).toBe(503);
  expect(s.companion.lines.join('\n')).toContain('"step":"start","fault":"ECONNREFUSED"');
});

test('an old session is confirmed at the provider, where the person signs in anew; for the extension, too', async () => {
  const lea = await linked(`Lea ${n}`, 'lea-sub');
  const extension = await s.signIn(lea);
  await begin();
  s.companion.pass(16 * 60_000);
  const asked = await call(s.url, 'POST', '/v1/passkeys/options', { token: extension });
  expect(asked.body.code).toBe('step_up_required');
  const session = new URL(asked.body.confirmAt).searchParams.get('session') ?? '';
  idp.signsIn({ sub: 'somebody-else', email: 'else@joins.example', email_verified: true });
  browser.cookies(idp.issuer).clear();
  expect((await begin({ purpose: 'confirm', session, next: '/confirm/done' })).status).toBe(403);
  browser.cookies(idp.issuer).clear();
  expect((await call(s.url, 'POST', '/v1/passkeys/options', { token: extension })).body.code).toBe('step_up_required');
  idp.signsIn({ sub: 'lea-sub', email: lea.email, email_verified: true });
  const done = await begin({ purpose: 'confirm', session, next: '/confirm/done' });
  expect(heading(done)).toBe('Confirmed');
  expect(browser.visited.some((url) => url.includes('prompt=login'))).toBe(true);
  expect((await call(s.url, 'POST', '/v1/passkeys/options', { token: extension })).body.code).not.toBe(
    'step_up_required',
  );
});

test('the last way in can’t be unlinked; with a password it can, and then it signs nobody in', async () => {
  person();
  await begin();
  // The provider's clock stands still: by the companion's, which was moved, that sign-in is an old one.
  await begin({ purpose: 'confirm', next: '/confirm/done' });
  const [identity] = await identities();
  const unlink = () => browser.script('DELETE', `${s.url}/v1/identities/${identity.id}`);
  expect((await unlink()).status).toBe(409);
  expect((await browser.script('POST', `${s.url}/v1/me/password`, { newPassword: 'a long passphrase' })).status).toBe(
    200,
  );
  const stranger = await signedIn(await s.member(`Max ${n}`));
  expect((await stranger.script('DELETE', `${s.url}/v1/identities/${identity.id}`)).status).toBe(404);
  expect((await unlink()).status).toBe(204);
  const fresh = webBrowser();
  expect((await begin({}, fresh)).status).toBe(409);
  expect(await me(fresh)).toBeUndefined();
});

test('no code, state, nonce or verifier is in the log or in the database', async () => {
  person();
  const callback = await stopBeforeCallback();
  await browser.get(callback.href);
  const secrets = [callback.searchParams.get('code'), callback.searchParams.get('state')] as string[];
  const db = new Database(s.companion.deps.store.files.database, { readonly: true });
  const dump = JSON.stringify([db.prepare('select * from spent').all(), db.prepare('select * from identity').all()]);
  db.close();
  for (const secret of secrets) expect(dump + s.companion.lines.join('\n')).not.toContain(secret);
});
