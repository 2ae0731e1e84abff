import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { type TestCompanion, testCompanion } from '../support/companion.ts';
import { type KeyBench, keyBench } from '../support/keys.ts';

let companion: TestCompanion;
let bench: KeyBench;
let verifier: { id: string; secret: string };
beforeAll(async () => {
  companion = await testCompanion();
  bench = await keyBench(companion);
  verifier = await bench.verifier();
});
afterAll(() => companion.end());

const metadata = () => ({ issuer: companion.url, introspection_endpoint: `${companion.url}/v1/introspect` });

/** Asks with a certified client library, which checks the answer against RFC 7662. */
async function introspect(
  token: string,
  options: oauth.IntrospectionRequestOptions = {},
  authentication = oauth.ClientSecretBasic(verifier.secret),
) {
  const of = { client_id: verifier.id };
  const response = await oauth.introspectionRequest(metadata(), of, authentication, token, {
    [oauth.allowInsecureRequests]: true,
    ...options,
  });
  return oauth.processIntrospectionResponse(metadata(), of, response);
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const post = (body: string, headers: Record<string, string> = {}, query = '') =>
  call(companion.url, 'POST', `/v1/introspect${query}`, { body, headers: { ...FORM, ...headers } });
const basic = (secret: string) => ({ authorization: `Basic ${btoa(`any:${secret}`)}` });
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

test('an OAuth client learns what a good key may do', async () => {
  const groupId = await bench.group(['a:b', 'c:d']);
  const expiresAt = Math.ceil((companion.deps.now() + 3_600_000) / 1000) * 1000;
  const { id, secret } = await bench.key({ name: 'Nightly', groupId, expiresAt });
  expect(await introspect(secret)).toEqual({
    active: true,
    scope: 'a:b c:d',
    client_id: id,
    username: 'ada@acme.example',
    token_type: 'api_key',
    exp: expiresAt / 1000,
    sub: bench.ownerId,
    iss: companion.url,
    jti: id,
    name: 'Nightly',
    environment: 'production',
    workspace: bench.workspaceId,
    customers: [],
  });
});

test('an old secret expires with the overlap of its rotation, the new one with the key', async () => {
  const inSeconds = (s: number) => Math.ceil(companion.deps.now() / 1000 + s) * 1000;
  const [soon, later] = [inSeconds(3_600), inSeconds(7_200)];
  for (const [expiresAt, endsAt, exp] of [
    [undefined, soon, soon],
    [later, soon, soon],
    [soon, later, soon],
  ] as const) {
    const { id, secret } = await bench.key(expiresAt === undefined ? {} : { expiresAt });
    const next = await bench.rotate(id, endsAt);
    expect((await introspect(secret)).exp).toBe(exp / 1000);
    expect((await introspect(next)).exp).toBe(expiresAt === undefined ? undefined : expiresAt / 1000);
  }
});

test('of a key that is no good it learns nothing but that', async () => {
  const { id, secret } = await bench.key();
  await bench.edit(id, { revoked_at: 1, revoked_reason: 'by_owner' });
  const elsewhere = await bench.key({ ipAllowlist: ['10.0.0.0/8'] });
  for (const token of [
    secret,
    'nonsense',
    'x'.repeat(100_000),
    elsewhere.secret,
    (await bench.key({ environment: 'staging' })).secret,
  ])
    expect(await introspect(token)).toEqual({ active: false });
  const additionalParameters = { ip: '10.1.2.3', token_type_hint: 'access_token', whatever: '1' };
  expect(await introspect(elsewhere.secret, { additionalParameters })).toMatchObject({ active: true });
});

test.each([
  ['in a header', oauth.ClientSecretBasic, client.ClientSecretBasic],
  ['in the form', oauth.ClientSecretPost, client.ClientSecretPost],
] as const)(
  'client libraries show the secret %s, and read the error where it is none',
  async (_, oauthWay, clientWay) => {
    const { secret } = await bench.key();
    const additionalParameters = { token_type_hint: 'refresh_token' };
    expect(await introspect(secret, { additionalParameters }, oauthWay(verifier.secret))).toMatchObject({
      active: true,
    });
    const wrong = await introspect(secret, {}, oauthWay(`${verifier.secret.slice(0, -1)}~`)).catch((e) => e);
    expect(wrong).toBeInstanceOf(oauth.WWWAuthenticateChallengeError);
    const config = (of: string) => {
      const made = new client.Configuration(metadata(), verifier.id, undefined, clientWay(of));
      client.allowInsecureRequests(made);
      return made;
    };
    expect(await client.tokenIntrospection(config(verifier.secret), secret)).toMatchObject({ active: true });
    const refused = await client.tokenIntrospection(config('no secret'), secret).catch((e) => e);
    expect(refused).toBeInstanceOf(client.WWWAuthenticateChallengeError);
    expect(await refused.response.json()).toMatchObject({ error: 'invalid_client' });
    // Two tokens at once: an error in the body, without a challenge.
    const twice = config(verifier.secret);
    twice[client.customFetch] = (url, options) =>
      fetch(url, { ...options, body: `${options.body}&token=x` } as RequestInit);
    const bad = await client.tokenIntrospection(twice, secret).catch((e) => e);
    expect(bad).toBeInstanceOf(client.ResponseBodyError);
    expect([bad.status, bad.error]).toEqual([400, 'invalid_request']);
  },
);

test('whoever shows no good credential is told how to, in OAuth’s form', async () => {
  const { secret } = await bench.key();
  const token = `token=${secret}`;
  const [anyWay, byBasic, byToken] = [
    'Bearer realm="heex-keys", Basic realm="heex-keys"',
    'Basic realm="heex-keys"',
    'Bearer realm="heex-keys", error="invalid_token"',
  ];
  for (const [body, headers, error, challenge] of [
    [token, {}, 'invalid_client', anyWay],
    ['nonsense', basic('wrong'), 'invalid_client', byBasic],
    [`${token}&client_id=a&client_secret=${secret}`, {}, 'invalid_client', anyWay],
    [`${token}&client_id=a&client_secret=`, {}, 'invalid_client', anyWay],
    [token, bearer('wrong'), 'invalid_token', byToken],
    [token, bearer(secret), 'invalid_token', byToken],
    [JSON.stringify({ token: secret }), { 'content-type': 'application/json' }, 'invalid_client', anyWay],
  ] as const) {
    const answer = await post(body, headers as Record<string, string>);
    expect([answer.status, answer.body.error, answer.headers.get('www-authenticate')], body).toEqual([
      401,
      error,
      challenge,
    ]);
    expect(Object.keys(answer.body)).toEqual(['error', 'error_description']);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/);
  }
  expect((await post(token, bearer(verifier.secret))).body.active).toBe(true);
});

test('a request that is not as RFC 7662 wants it is invalid_request', async () => {
  const { secret } = await bench.key();
  const mine = `client_id=a&client_secret=${verifier.secret}`;
  for (const [body, headers, said] of [
    ['', basic(verifier.secret), 'token: is required'],
    ['token=', basic(verifier.secret), 'token: is required'],
    [mine, {}, 'token: is required'],
    [`token=${secret}&token=x`, basic(verifier.secret), 'token: is there more than once'],
    [`token=${secret}&${mine}&${mine}`, {}, 'more than once'],
    [`token=${secret}&${mine}`, basic(verifier.secret), 'beside the Authorization header'],
    [`token=${secret}&${mine}`, bearer(verifier.secret), 'beside the Authorization header'],
    ['{}', { ...basic(verifier.secret), 'content-type': 'application/json' }, 'application/x-www-form-urlencoded'],
    ['token=x', { ...basic(verifier.secret), 'content-type': `${FORM['content-type']}; charset=utf-16` }, 'utf-8'],
  ] as const) {
    const { status, body: answer, headers: got } = await post(body, headers as Record<string, string>);
    expect([status, answer.error, got.get('content-type')], body).toEqual([400, 'invalid_request', 'application/json']);
    expect(answer.error_description, body).toContain(said);
    expect(answer.error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  }
  expect((await post(`token=${secret}&client_id=a`, basic(verifier.secret))).body.active).toBe(true);
  const large = await post(`token=x&pad=${'x'.repeat(300_000)}`, basic(verifier.secret));
  expect([large.status, large.body.error]).toEqual([413, 'invalid_request']);
});

test('a secret that comes in a form or a query stands in no log', async () => {
  const { secret } = await bench.key();
  const mine = `client_id=a&client_secret=${verifier.secret}`;
  expect((await post(`token=${secret}&${mine}`)).body.active).toBe(true);
  // Not a place for it (RFC 6749, 2.3.1).
  expect((await post(`token=${secret}`, {}, `?${mine}`)).status).toBe(401);
  expect((await post(`token=${secret}&${mine}&${mine}`)).status).toBe(400);
  const lines = companion.lines.join('\n');
  expect(lines).toContain('/v1/introspect');
  for (const hidden of [verifier.secret, secret]) expect(lines).not.toContain(hidden);
});
