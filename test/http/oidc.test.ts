import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import type { TestProvider } from '../support/identity-provider.ts';
import type { Scenario } from '../support/scenario.ts';
import { scimCaller, scimToken, USER } from '../support/scim.ts';
import { signOn, withProvider } from '../support/single-sign-on.ts';
import { type WebBrowser, type WebPage, webBrowser } from '../support/web-browser.ts';

let s: Scenario;
let idp: TestProvider;
let browser: WebBrowser;
let n = 0;
const { asAtFirst, begin, byPassword, signedIn, me, identities, linked, somebodyComes } = signOn(() => ({
  s,
  idp,
  browser,
}));

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

const heading = (page: WebPage) => /<h1>([^<]*)/.exec(page.text)?.[1];

const sql = (text: string, ...args: unknown[]) => {
  const db = new Database(s.companion.deps.store.files.database);
  try {
    return db.prepare(text).run(...args);
  } finally {
    db.close();
  }
};

async function provision(email: string): Promise<string> {
  const { secret } = (await s.as(s.owner, 'POST', 'W/scim/tokens', { name: `SCIM ${n}` })).body;
  const body = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: email };
  const headers = { 'content-type': 'application/scim+json' };
  return (await call(s.url, 'POST', '/scim/v2/Users', { token: secret, body, headers })).body.id;
}

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

test('whom the provider has deleted does not join anew with another address of a listed domain', async () => {
  somebodyComes('sent-off');
  await begin();
  const { user } = await me();
  const token = await scimToken(s);
  const scim = scimCaller(() => ({ url: s.url, token }));
  expect((await scim('DELETE', `/Users/${user.id}`)).status).toBe(204);
  idp.signsIn({ sub: 'sent-off', email: 'alias@joins.example', email_verified: true });
  const again = webBrowser();
  expect((await begin({}, again)).status).toBe(403);
  expect(await me(again)).toBeUndefined();
  const { items } = (await s.as(s.owner, 'GET', 'W/members?limit=100')).body;
  expect(items.map((m: { email: string }) => m.email)).not.toContain('alias@joins.example');
  // Made again by the provider, they come in as they would the first time.
  expect((await scim('POST', '/Users', { schemas: [USER], userName: user.email })).status).toBe(201);
  idp.signsIn({ sub: 'sent-off', email: user.email, email_verified: true });
  expect((await begin({}, again)).status).toBe(200);
  expect((await me(again)).user.id).toBe(user.id);
});

test('a closed account can’t sign in by single sign-on', async () => {
  const kim = await linked(`Kim ${n}`, 'kim-sub');
  sql('update user set disabled_at = 1 where id = ?', kim.userId);
  const page = await begin();
  expect(page.status).toBe(403);
  expect(await me()).toBeUndefined();
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
  somebodyComes(`p-${n}`);
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
