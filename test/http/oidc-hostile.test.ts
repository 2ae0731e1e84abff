import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type HostileProvider, hostileProvider, type Token } from '../support/hostile-provider.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { webBrowser } from '../support/web-browser.ts';

let s: Scenario;
let idp: HostileProvider;
const now = () => Math.floor(Date.now() / 1000);

beforeAll(async () => {
  s = await scenario();
  idp = await hostileProvider();
});
beforeEach(() => {
  idp.spoil(() => {});
  idp.metadata({});
  idp.tokenAnswer(undefined);
});
afterAll(async () => {
  await s.end();
  await idp.close();
});

const save = () =>
  s.as(s.owner, 'PUT', 'W/sso', {
    issuer: idp.issuer,
    clientId: 'heex-keys',
    clientSecret: 'client secret with : and %',
    domains: ['joins.example'],
  });
/** Signs in, and answers how the last page was and whether the browser is signed in. */
async function signIn() {
  const browser = webBrowser();
  const fields = { workspaceId: s.workspaceId, purpose: 'sign_in', next: '/' };
  const page = await browser.submit(`${s.url}/sso/start`, fields);
  return { status: page.status, text: page.text, signedIn: browser.cookies(s.url).has('heex_session') };
}

const LIES: [string, (token: Token) => void][] = [
  ['signed with a key that it does not publish', (t) => Object.assign(t, { key: idp.foreignKey })],
  ['not signed at all', (t) => Object.assign(t, { header: { alg: 'none' } })],
  ['with another nonce', (t) => Object.assign(t.claims, { nonce: 'x'.repeat(43) })],
  ['without a nonce', (t) => Object.assign(t.claims, { nonce: undefined })],
  ['for another client', (t) => Object.assign(t.claims, { aud: 'another' })],
  [
    'for several clients, made for another one',
    (t) => Object.assign(t.claims, { aud: ['heex-keys', 'other'], azp: 'other' }),
  ],
  ['from another issuer', (t) => Object.assign(t.claims, { iss: 'https://evil.example' })],
  ['that is over', (t) => Object.assign(t.claims, { iat: now() - 900, exp: now() - 600 })],
  ['without a subject', (t) => Object.assign(t.claims, { sub: undefined })],
];

test.each(LIES)('an ID token %s signs nobody in', async (_, lie) => {
  await save();
  idp.spoil(lie);
  expect(await signIn()).toMatchObject({ status: 401, signedIn: false });
});

test('a claim that says "true" in words verifies no address', async () => {
  await save();
  idp.spoil((t) => Object.assign(t.claims, { sub: 'wordy', email: 'wordy@joins.example', email_verified: 'true' }));
  expect(await signIn()).toMatchObject({ status: 403, signedIn: false });
});

test.each([
  [true, undefined, 200],
  ['1', undefined, 200],
  [false, undefined, 403],
  ['0', undefined, 403],
  [undefined, undefined, 403],
  [true, false, 403],
  ['1', null, 403],
])(
  'Entra ID vouches for an address by xms_edov: %j, and email_verified: %j',
  async (xms_edov, email_verified, status) => {
    await save();
    const of = `edov-${String(xms_edov)}-${String(email_verified)}`;
    idp.spoil((t) => Object.assign(t.claims, { sub: of, email: `${of}@joins.example`, xms_edov, email_verified }));
    expect(await signIn()).toMatchObject({ status, signedIn: status === 200 });
  },
);

test('a right ID token signs in, so that the lies above are what was refused', async () => {
  await save();
  expect(await signIn()).toMatchObject({ status: 200, signedIn: true });
});

test('a sign-in of an age that the provider does not tell is not a recent one, and confirms nothing', async () => {
  await save();
  const ask = async (claims: object) => {
    idp.spoil((t) => Object.assign(t.claims, claims));
    const browser = webBrowser();
    const fields = { workspaceId: s.workspaceId, purpose: 'sign_in', next: '/' };
    await browser.submit(`${s.url}/sso/start`, fields);
    return { browser, answer: (await browser.script('POST', `${s.url}/v1/passkeys/options`, {})).text };
  };
  expect((await ask({ auth_time: now() })).answer).not.toContain('step_up_required');
  const { browser, answer } = await ask({ auth_time: undefined });
  expect(answer).toContain('step_up_required');
  const fields = { workspaceId: s.workspaceId, purpose: 'confirm', next: '/confirm/done' };
  const page = await browser.submit(`${s.url}/sso/start`, fields);
  expect(page.status).toBe(401);
  expect(page.text).toContain('does not say when you signed in');
});

test.each([
  ['an endpoint that is not https', { token_endpoint: 'http://10.0.0.1/token' }, undefined],
  ['a redirect', {}, { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' }],
  [
    'an answer without end',
    {},
    { status: 200, headers: { 'content-type': 'application/json' }, body: `"${'x'.repeat(600_000)}"` },
  ],
  [
    'an error in its own words',
    {},
    {
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: '{"error":"<script>","error_description":"own words"}',
    },
  ],
])('%s of the provider ends the sign-in, and its words are not passed on', async (_, metadata, answer) => {
  await save();
  idp.metadata(metadata);
  s.companion.pass(11 * 60_000);
  idp.tokenAnswer(answer);
  const page = await signIn();
  expect(page.signedIn).toBe(false);
  expect([401, 503]).toContain(page.status);
  expect(page.text).not.toMatch(/<script>|own words/);
  s.owner.token = await s.signIn(s.owner);
});

test.each([
  ['authorization_endpoint', { authorization_endpoint: 'javascript:alert(1)' }],
  ['token_endpoint', { token_endpoint: undefined }],
  ['jwks_uri', { jwks_uri: 'http://169.254.169.254/latest' }],
  ['code flow', { response_types_supported: ['id_token'] }],
  ['PKCE', { code_challenge_methods_supported: ['plain'] }],
  ['issuer', { issuer: 'https://elsewhere.example' }],
])('a provider is not taken when its metadata has no usable %s', async (word, metadata) => {
  idp.metadata(metadata);
  const answer = await save();
  expect(answer.status).toBe(400);
  expect(answer.body.errors[0]).toMatchObject({ path: 'issuer', message: expect.stringContaining(word) });
});

test('an answer works once, also when the provider would take its code again', async () => {
  await save();
  const form = new URLSearchParams({ workspaceId: s.workspaceId, purpose: 'sign_in', next: '/' });
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };
  const start = await fetch(`${s.url}/sso/start`, { method: 'POST', headers, body: form.toString() });
  const cookie = start.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const atProvider = await fetch(start.headers.get('refresh')?.slice('0; url='.length) ?? '', { redirect: 'manual' });
  const callback = atProvider.headers.get('location') ?? '';
  const come = () => fetch(callback, { redirect: 'manual', headers: { cookie } });
  expect([(await come()).status, (await come()).status]).toEqual([303, 401]);
});
