import * as oauth from 'oauth4webapi';
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

/** Asks with a certified client library, which checks the answer against RFC 7662. */
async function introspect(token: string, options: oauth.IntrospectionRequestOptions = {}, secret = verifier.secret) {
  const server = { issuer: companion.url, introspection_endpoint: `${companion.url}/v1/introspect` };
  const client = { client_id: verifier.id };
  const response = await oauth.introspectionRequest(server, client, oauth.ClientSecretBasic(secret), token, {
    [oauth.allowInsecureRequests]: true,
    ...options,
  });
  return oauth.processIntrospectionResponse(server, client, response);
}

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

test('the verifier is asked for before the form is looked at; bearer works, too', async () => {
  const { secret } = await bench.key();
  const post = (body: string, headers: Record<string, string>) =>
    call(companion.url, 'POST', '/v1/introspect', {
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
  const bearer = { authorization: `Bearer ${verifier.secret}` };
  await expect(introspect(secret, {}, 'wrong')).rejects.toThrow();
  expect((await post(`token=${secret}`, {})).status).toBe(401);
  expect((await post('nonsense', { authorization: `Basic ${btoa('a:b')}` })).status).toBe(401);
  expect((await post(`token=${secret}`, bearer)).body.active).toBe(true);
  expect((await post('', bearer)).body.errors[0].path).toBe('token');
  expect((await post(`token=${secret}&token=x`, bearer)).status).toBe(400);
  const json = await post(JSON.stringify({ token: secret }), { ...bearer, 'content-type': 'application/json' });
  expect(json.status).toBe(415);
  expect(json.body.detail).toContain('application/x-www-form-urlencoded');
});
