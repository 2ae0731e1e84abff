import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '../support/agents.ts';
import { type Authenticator, authenticator, type Manner } from '../support/authenticator.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';
import { type WebBrowser, webBrowser } from '../support/web-browser.ts';

const ORIGIN = 'http://keys.acme.example';
let s: Scenario;
let ada: Person;
let browser: WebBrowser;
let n = 0;

beforeAll(async () => {
  s = await scenario({ HEEX_PUBLIC_URL: ORIGIN });
});
beforeEach(async () => {
  s.owner.token = await s.signIn(s.owner);
  ada = await s.member(`Ada ${++n}`);
  browser = await signedIn(ada);
});
afterAll(() => s.end());

async function signedIn(person: Person): Promise<WebBrowser> {
  const own = webBrowser();
  await own.submit(`${s.url}/signin`, { email: person.email, password: person.password, next: '/' });
  return own;
}
async function post(who: WebBrowser, path: string, body?: object) {
  const page = await who.script('POST', `${s.url}${path}`, body);
  return { status: page.status, body: page.text ? JSON.parse(page.text) : undefined, headers: page.headers };
}
const options = async (who = browser) => (await post(who, '/v1/passkeys/options')).body.publicKey;
const challenge = async (who: WebBrowser) => (await post(who, '/v1/passkeys/challenge')).body.publicKey;
const add = (who: WebBrowser, credential: object) => post(who, '/v1/passkeys', { name: 'MacBook', credential });
const enter = (who: WebBrowser, credential: object) => post(who, '/v1/passkeys/sign-in', { credential });
const list = async (who = browser) => JSON.parse((await who.script('GET', `${s.url}/v1/passkeys`)).text).items;
const me = async (who: WebBrowser) => {
  const page = await who.script('GET', `${s.url}/v1/me`);
  return page.status === 200 ? JSON.parse(page.text).user.email : undefined;
};
/** A passkey of the person who is signed in there. */
async function passkey(who = browser): Promise<Authenticator> {
  const made = authenticator(ORIGIN);
  expect((await add(who, made.create(await options(who)))).status).toBe(201);
  return made;
}
const disable = (userId: string) => {
  const db = new Database(s.companion.deps.store.files.database);
  db.prepare('update user set disabled_at = 1 where id = ?').run(userId);
  db.close();
};

test('a passkey signs in by itself, in any browser, as whoever added it', async () => {
  const key = await passkey();
  const fresh = webBrowser();
  const entered = await enter(fresh, key.get(await challenge(fresh)));
  expect(entered).toMatchObject({ status: 201, body: { user: { email: ada.email } } });
  expect(await me(fresh)).toBe(ada.email);
  expect(entered.headers.getSetCookie().join()).toMatch(/heex_session=[^;]+; .*HttpOnly; SameSite=Lax/);
  expect(await list()).toEqual([
    expect.objectContaining({ name: 'MacBook', synced: false, lastUsedAt: expect.any(String) }),
  ]);
  const { items } = (await s.as(s.owner, 'GET', 'W/audit?limit=100')).body;
  const seen = items.filter((i: { actor: { name: string } }) => i.actor.name === ada.email);
  expect(seen.map((i: { action: string }) => i.action)).toEqual(expect.arrayContaining(['passkey.added']));
  expect(seen).toContainEqual(
    expect.objectContaining({ action: 'session.created', after: { method: 'passkey', client: 'web' } }),
  );
});

test('the browser is asked for a discoverable key with the person verified, and not for one that is there', async () => {
  const key = await passkey();
  const asked = await options();
  expect(asked).toMatchObject({
    rp: { id: 'keys.acme.example' },
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: [{ id: key.id }],
  });
  expect(await challenge(webBrowser())).toMatchObject({ rpId: 'keys.acme.example', userVerification: 'required' });
});

const SPOILT: [string, Manner][] = [
  ['made on another site', { origin: 'https://keys.acme.example.evil.example' }],
  ['made on another port', { origin: `${ORIGIN}:8080` }],
  ['made for another relying party', { rpId: 'evil.example' }],
  ['without the person verified', { verified: false }],
  ['of the other kind', { type: 'webauthn.other' }],
];
test.each(SPOILT)('a passkey %s is not added', async (_, manner) => {
  const made = authenticator(ORIGIN);
  expect((await add(browser, made.create(await options(), manner))).status).toBe(409);
  expect(await list()).toEqual([]);
});
test.each([
  ...SPOILT,
  ['with another signature', { signature: 'MEUCIQ' }],
  ['that says it is somebody else’s', { userHandle: Buffer.from('usr_somebody').toString('base64url') }],
] as [string, Manner][])('an answer %s signs nobody in', async (_, manner) => {
  const key = await passkey();
  const fresh = webBrowser();
  expect((await enter(fresh, key.get(await challenge(fresh), manner))).status).toBe(401);
  expect(await me(fresh)).toBeUndefined();
});

test('a key whose counter went back is refused: it was copied', async () => {
  const key = await passkey();
  const fresh = webBrowser();
  expect((await enter(fresh, key.get(await challenge(fresh), { counter: 10 }))).status).toBe(201);
  for (const counter of [9, 10])
    expect((await enter(fresh, key.get(await challenge(fresh), { counter }))).status).toBe(401);
  expect((await enter(fresh, key.get(await challenge(fresh), { counter: 11 }))).status).toBe(201);
});

test('a challenge works once, in its own browser, for its own purpose, for five minutes', async () => {
  const key = await passkey();
  const [fresh, thief] = [webBrowser(), webBrowser()];
  const asked = await challenge(fresh);
  const carried = fresh.cookies(s.url).get('heex_passkey') ?? '';
  const answer = key.get(asked);
  expect((await enter(thief, answer)).status).toBe(401);
  expect((await enter(fresh, answer)).status).toBe(201);
  thief.cookies(s.url).set('heex_passkey', carried);
  expect((await enter(thief, answer)).status).toBe(401);
  expect((await enter(thief, key.get(asked))).status).toBe(401);
  const forCreation = await options();
  expect((await enter(browser, key.get({ ...forCreation, rpId: forCreation.rp.id }))).status).toBe(401);
  const late = await challenge(fresh);
  s.companion.pass(5 * 60_000 + 1);
  expect((await enter(fresh, key.get(late))).status).toBe(401);
});

test('an answer to another challenge than this browser’s last is refused', async () => {
  const [first, second] = [await options(), await options()];
  expect((await add(browser, authenticator(ORIGIN).create(first))).status).toBe(409);
  expect(first.challenge).not.toBe(second.challenge);
  const key = await passkey();
  const fresh = webBrowser();
  const earlier = key.get(await challenge(fresh));
  await challenge(fresh);
  expect((await enter(fresh, earlier)).status).toBe(401);
  expect(await me(fresh)).toBeUndefined();
});

test('a passkey is added once, by the person and in the browser that began', async () => {
  const made = authenticator(ORIGIN);
  const created = made.create(await options());
  const carried = browser.cookies(s.url).get('heex_passkey') ?? '';
  const ben = await signedIn(await s.member(`Ben ${n}`));
  ben.cookies(s.url).set('heex_passkey', carried);
  expect((await add(ben, created)).status).toBe(409);
  expect((await add(browser, created)).status).toBe(201);
  browser.cookies(s.url).set('heex_passkey', carried);
  expect((await add(browser, created)).status).toBe(401);
  expect((await add(ben, made.create(await options(ben)))).status).toBe(409);
  expect([(await list()).length, (await list(ben)).length]).toEqual([1, 0]);
});

test('a removed passkey signs nobody in, and nobody removes somebody else’s', async () => {
  const key = await passkey();
  const [{ id }] = await list();
  const ben = await signedIn(await s.member(`Ben ${n}`));
  expect((await ben.script('DELETE', `${s.url}/v1/passkeys/${id}`)).status).toBe(404);
  expect((await browser.script('DELETE', `${s.url}/v1/passkeys/${id}`)).status).toBe(204);
  const fresh = webBrowser();
  expect((await enter(fresh, key.get(await challenge(fresh)))).status).toBe(401);
});

test('a closed account can’t sign in by passkey', async () => {
  const key = await passkey();
  disable(ada.userId);
  const fresh = webBrowser();
  expect((await enter(fresh, key.get(await challenge(fresh)))).status).toBe(401);
  expect(await me(browser)).toBeUndefined();
});

test('after a password reset the sessions are gone and the passkey still works', async () => {
  const key = await passkey();
  const { link } = (await s.as(s.owner, 'POST', `W/members/${ada.membershipId}/reset`)).body;
  const body = { token: new URL(link).hash.slice(1), newPassword: 'a whole new passphrase' };
  expect((await post(webBrowser(), '/v1/password/reset', body)).status).toBe(204);
  expect(await me(browser)).toBeUndefined();
  const fresh = webBrowser();
  expect((await enter(fresh, key.get(await challenge(fresh)))).status).toBe(201);
});

test('a passkey renews the sign-in of the session that is named, one’s own only', async () => {
  const key = await passkey();
  const extension = await s.signIn(ada);
  const ben = await signedIn(await s.member(`Ben ${n}`));
  const bens = await passkey(ben);
  s.companion.pass(16 * 60_000);
  const { confirmAt } = (await s.as({ ...ada, token: extension }, 'POST', '/v1/passkeys/options')).body;
  const path = `/v1/sessions/${new URL(confirmAt).searchParams.get('session')}/confirm`;
  expect((await post(browser, path, { passkey: bens.get(await challenge(browser)) })).status).toBe(401);
  expect((await post(ben, path, { passkey: bens.get(await challenge(ben)) })).status).toBe(404);
  expect((await post(browser, path, { passkey: key.get(await challenge(browser)) })).status).toBe(200);
  expect((await s.as({ ...ada, token: extension }, 'POST', '/v1/passkeys/options')).status).toBe(200);
});

async function invite(email: string): Promise<string> {
  const { link } = (await s.as(s.owner, 'POST', 'W/invitations', { email, role: 'admin' })).body;
  return new URL(link).hash.slice(1);
}

test('an invited person joins with a passkey and no password, once', async () => {
  const person = { token: await invite(`gil${n}@acme.example`), name: 'Gil' };
  const [gil, key] = [webBrowser(), authenticator(ORIGIN)];
  const begin = async (who: WebBrowser) => (await post(who, '/v1/passkeys/join/options', person)).body.publicKey;
  const asked = await begin(gil);
  expect(asked.user.name).toBe(`gil${n}@acme.example`);
  const credential = key.create(asked);
  expect((await post(webBrowser(), '/v1/passkeys/join', { ...person, credential })).status).toBe(409);
  const spoilt = authenticator(ORIGIN).create(await begin(gil), { verified: false });
  expect((await post(gil, '/v1/passkeys/join', { ...person, credential: spoilt })).status).toBe(409);
  const right = key.create(await begin(gil));
  expect((await post(gil, '/v1/passkeys/join', { ...person, credential: right })).status).toBe(201);
  expect(await me(gil)).toBe(`gil${n}@acme.example`);
  const { items } = (await s.as(s.owner, 'GET', 'W/audit?limit=2')).body;
  expect(items.map((i: { action: string }) => i.action).sort()).toEqual(['member.joined', 'passkey.added']);
  const members = (await s.as(s.owner, 'GET', 'W/members?limit=100')).body.items;
  expect(members.at(-1)).toMatchObject({ name: 'Gil', signsInWith: ['passkey'] });
  const fresh = webBrowser();
  expect((await enter(fresh, key.get(await challenge(fresh)))).status).toBe(201);
  const [{ id }] = await list(gil);
  expect((await gil.script('DELETE', `${s.url}/v1/passkeys/${id}`)).status).toBe(409);
  expect((await post(webBrowser(), '/v1/passkeys/join/options', person)).status).toBe(404);
});

test('an invitation that was replaced while the passkey was made lets nobody join', async () => {
  const person = { token: await invite(`una${n}@acme.example`), name: 'Una' };
  const una = webBrowser();
  const asked = (await post(una, '/v1/passkeys/join/options', person)).body.publicKey;
  await invite(`una${n}@acme.example`);
  const credential = authenticator(ORIGIN).create(asked);
  expect((await post(una, '/v1/passkeys/join', { ...person, credential })).status).toBe(404);
  expect(await me(una)).toBeUndefined();
});

test('whoever has an account can’t be joined as somebody new', async () => {
  const hal = await s.member(`Hal ${n}`);
  await s.as(s.owner, 'DELETE', `W/members/${hal.membershipId}`);
  const person = { token: await invite(hal.email), name: 'Not Hal' };
  expect((await post(webBrowser(), '/v1/passkeys/join/options', person)).status).toBe(409);
});

test('another site can’t sign a browser in', async () => {
  const key = await passkey();
  const fresh = webBrowser();
  const credential = key.get(await challenge(fresh));
  const cookie = [...fresh.cookies(s.url)].map(([k, v]) => `${k}=${v}`).join('; ');
  const response = await fetch(`${s.url}/v1/passkeys/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'sec-fetch-site': 'cross-site', cookie },
    body: JSON.stringify({ credential }),
  });
  expect(response.status).toBe(403);
});

test('asking for challenges writes nothing', async () => {
  const { store, background } = s.companion.deps;
  // Jobs that are due write when they are looked for, some seconds after the start; from here on none is due.
  await s.companion.runJobs();
  await until(
    async () => !(await store.read.selectFrom('job').where('ended_at', 'is', null).select('name').execute())[0],
  );
  // The use of sessions is noted beside the answers of the tests before.
  await background.idle();
  const db = new Database(store.files.database, { readonly: true });
  const before = db.pragma('data_version', { simple: true });
  for (let i = 0; i < 20; i++) await challenge(webBrowser());
  expect(db.pragma('data_version', { simple: true })).toBe(before);
  db.close();
});
