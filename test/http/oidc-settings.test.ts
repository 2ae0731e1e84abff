import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { oidcProvider, type TestProvider } from '../support/identity-provider.ts';
import type { Scenario } from '../support/scenario.ts';
import { signOn, withProvider } from '../support/single-sign-on.ts';
import { type WebBrowser, webBrowser } from '../support/web-browser.ts';

let s: Scenario;
let idp: TestProvider;
let browser: WebBrowser;
let n = 0;
const { settings, save, asAtFirst, begin } = signOn(() => ({ s, idp, browser }));

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

test('an owner who has no other way in neither turns single sign-on off nor puts another provider in its place', async () => {
  const own = webBrowser();
  idp.signsIn({ sub: `own-${n}`, email: `own-${n}@joins.example`, email_verified: true });
  await begin({}, own);
  const { userId } = (await s.as(s.owner, 'GET', 'W/members')).body.items.find(
    ({ email }: { email: string }) => email === `own-${n}@joins.example`,
  );
  const db = new Database(s.companion.deps.store.files.database);
  db.prepare("update membership set role = 'owner' where user_id = ?").run(userId);
  const W = `${s.url}/v1/workspaces/${s.workspaceId}`;
  const off = async () => JSON.parse((await own.script('DELETE', `${W}/sso`)).text || '{}');
  await begin({ purpose: 'confirm', next: '/confirm/done' }, own);
  expect((await off()).detail).toContain('only way');
  const other = await oidcProvider(() => `${s.url}/sso/callback`);
  const { issuer, clientId, clientSecret } = other;
  const changed = await own.script('PUT', `${W}/sso`, settings({ issuer, clientId, clientSecret }));
  await other.close();
  expect(changed.status).toBe(409);
  expect((await s.as(s.owner, 'GET', 'W/sso')).body.sso.issuer).toBe(idp.issuer);
  // A link to a provider that is not set up here is no way in either.
  db.prepare("insert into passkey values ('pky_own', ?, 'c', 'k', 0, '[]', 'own', 0, 1, null)").run(userId);
  db.close();
  expect(await off()).toEqual({});
  expect((await own.script('DELETE', `${s.url}/v1/passkeys/pky_own`)).status).toBe(409);
});
