import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { authenticator } from '../support/authenticator.ts';
import { SETUP_TOKEN, type TestCompanion, testCompanion } from '../support/companion.ts';
import { type WebBrowser, webBrowser } from '../support/web-browser.ts';

const ORIGIN = 'http://keys.acme.example';
const LENA = { token: SETUP_TOKEN, workspace: 'Acme Robotics', name: 'Lena', email: 'lena@acme.example' };
let companion: TestCompanion;
let lena: WebBrowser;
const key = () => authenticator(ORIGIN);
beforeEach(async () => {
  companion = await testCompanion({ HEEX_PUBLIC_URL: ORIGIN });
  lena = webBrowser();
});
afterEach(() => companion.end());

async function ask(who: WebBrowser, method: string, path: string, body?: object) {
  const page = await who.script(method, `${companion.url}${path}`, body);
  return { status: page.status, body: page.text ? JSON.parse(page.text) : undefined };
}
const begin = (who = lena, person: object = LENA) => ask(who, 'POST', '/v1/passkeys/setup/options', person);
const finish = (credential: object, who = lena, person: object = LENA) =>
  ask(who, 'POST', '/v1/passkeys/setup', { ...person, credential });
const membership = async (who = lena) => (await ask(who, 'GET', '/v1/me')).body.memberships?.[0];

test('the first person becomes the owner with a passkey and no password, and signs in with it', async () => {
  const own = key();
  const asked = (await begin()).body.publicKey;
  expect(asked.user).toMatchObject({ name: LENA.email, displayName: LENA.name });
  const made = await finish(own.create(asked));
  expect(made).toMatchObject({ status: 201, body: { user: { name: LENA.name, email: LENA.email } } });
  const { workspaceId, workspaceName, role } = await membership();
  expect([workspaceName, role]).toEqual([LENA.workspace, 'owner']);

  const { items } = (await ask(lena, 'GET', `/v1/workspaces/${workspaceId}/audit`)).body;
  expect(items.map((item: { action: string }) => item.action)).toEqual(['passkey.added', 'workspace.created']);
  const members = (await ask(lena, 'GET', `/v1/workspaces/${workspaceId}/members`)).body.items;
  expect(members).toMatchObject([{ name: LENA.name, signsInWith: ['passkey'] }]);
  const [{ id }] = (await ask(lena, 'GET', '/v1/passkeys')).body.items;
  expect((await ask(lena, 'DELETE', `/v1/passkeys/${id}`)).status).toBe(409);

  const fresh = webBrowser();
  const { publicKey } = (await ask(fresh, 'POST', '/v1/passkeys/challenge')).body;
  expect((await ask(fresh, 'POST', '/v1/passkeys/sign-in', { credential: own.get(publicKey) })).status).toBe(201);
  expect(await membership(fresh)).toMatchObject({ role: 'owner' });
});

test('a wrong setup token gets no challenge and makes nothing, however good the passkey', async () => {
  const wrong = { ...LENA, token: 'another' };
  expect((await begin(lena, wrong)).status).toBe(401);
  const credential = key().create((await begin()).body.publicKey);
  expect((await finish(credential, lena, wrong)).status).toBe(401);
  expect((await ask(lena, 'GET', '/v1/me')).status).toBe(401);
  // Nothing was spent by it.
  expect((await finish(key().create((await begin()).body.publicKey))).status).toBe(201);
});

test('what is wrong with a field is said before a passkey is made', async () => {
  const { status, body } = await begin(lena, { ...LENA, email: 'lena@acme', workspace: ' ' });
  expect([status, body.errors.map((error: { path: string }) => error.path).sort()]).toEqual([
    400,
    ['email', 'workspace'],
  ]);
});

test('a passkey that was not asked for here, by this browser, for this, or that nobody was verified for makes nothing', async () => {
  const credential = key().create((await begin()).body.publicKey);
  expect((await finish(credential, webBrowser())).status).toBe(409);
  const unverified = key().create((await begin()).body.publicKey, { verified: false });
  expect((await finish(unverified)).status).toBe(409);
  const elsewhere = authenticator('http://evil.example').create((await begin()).body.publicKey);
  expect((await finish(elsewhere)).status).toBe(409);
  // Of a challenge for another kind of thing.
  const { publicKey } = (await ask(lena, 'POST', '/v1/passkeys/challenge')).body;
  const made = (await begin(webBrowser())).body.publicKey;
  expect((await finish(key().create({ ...made, challenge: publicKey.challenge }))).status).toBe(409);
  expect((await ask(lena, 'GET', '/v1/me')).status).toBe(401);
});

test('of two who begin, one becomes the owner', async () => {
  const other = webBrowser();
  const [first, second] = [(await begin()).body.publicKey, (await begin(other)).body.publicKey];
  const results = await Promise.all([
    finish(key().create(first)),
    finish(key().create(second), other, { ...LENA, name: 'Ben', email: 'ben@acme.example' }),
  ]);
  expect(results.map(({ status }) => status).sort()).toEqual([201, 409]);
  expect((await begin(webBrowser())).status).toBe(409);
});

test('another site can’t have a browser set up by its own passkey', async () => {
  const asked = await fetch(`${companion.url}/v1/passkeys/setup/options`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(LENA),
  });
  const { publicKey } = (await asked.json()) as { publicKey: Parameters<ReturnType<typeof key>['create']>[0] };
  const cookie = asked.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  expect(asked.headers.getSetCookie().join()).toMatch(/SameSite=Strict/);
  const body = JSON.stringify({ ...LENA, credential: key().create(publicKey) });
  const from = (site: string) =>
    fetch(`${companion.url}/v1/passkeys/setup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'sec-fetch-site': site, cookie },
      body,
    });
  expect([(await from('cross-site')).status, (await from('same-site')).status]).toEqual([403, 403]);
  expect((await from('same-origin')).status).toBe(201);
});

test('whoever guesses at setup tokens does not shut out whoever has one', async () => {
  const statuses = new Set<number>();
  for (let n = 0; n < 120; n++) statuses.add((await begin(lena, { ...LENA, token: 'another' })).status);
  expect([...statuses]).toEqual([401, 429]);
  expect((await begin()).status).toBe(200);
});

test('who is left of a workspace that plain SQL deleted stands in nobody’s way: the field is named', async () => {
  expect((await finish(key().create((await begin()).body.publicKey))).status).toBe(201);
  await companion.restart(() => {
    const db = new Database(join(companion.folder, 'heex.sqlite'));
    db.exec('delete from workspace');
    db.close();
  });
  const ben = webBrowser();
  const credential = key().create((await begin(ben)).body.publicKey);
  expect((await finish(credential, ben)).body).toMatchObject({ status: 400, errors: [{ path: 'email' }] });
  const body = { ...LENA, password: 'correct horse battery' };
  expect((await ask(ben, 'POST', '/v1/setup', body)).body).toMatchObject({ errors: [{ path: 'email' }] });
  const page = await ben.submit(`${companion.url}/setup`, body);
  expect([page.status, page.text]).toEqual([400, expect.stringContaining('Belongs to an account')]);
  const other = { ...LENA, email: 'ben@acme.example' };
  expect((await ask(ben, 'POST', '/v1/setup', { ...other, password: body.password })).status).toBe(201);
});
