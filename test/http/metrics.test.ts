import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { type TestCompanion, testCompanion } from '../support/companion.ts';
import { type KeyBench, keyBench } from '../support/keys.ts';

const TOKEN = 'a-token-for-the-metrics';
let companion: TestCompanion;
let guarded: TestCompanion;
let bench: KeyBench;
beforeAll(async () => {
  companion = await testCompanion();
  bench = await keyBench(companion);
  guarded = await testCompanion({ HEEX_METRICS_TOKEN: TOKEN });
});
afterAll(() => Promise.all([companion.end(), guarded.end()]));

test('every outcome is counted, and nothing names a key', async () => {
  const verifier = (await bench.verifier()).secret;
  const { id, secret } = await bench.key({ name: 'Nightly' });
  for (const key of [secret, secret, 'nonsense']) await bench.verify(verifier, { key });
  const { status, headers, body } = await call(companion.url, 'GET', '/metrics');
  expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  expect(body).toContain('heex_checks_total{code="valid"} 2\n');
  expect(body).toContain('heex_checks_total{code="malformed"} 1\n');
  expect(body).toContain('heex_keys_remembered 1\n');
  expect(body).toContain('heex_key_lookups_total 1\n');
  for (const line of body.trim().split('\n'))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="\w+"\})? [\d.e+-]+)$/);
  for (const name of [id, 'Nightly', secret.slice(0, 18)]) expect(body).not.toContain(name);
});

test('a bad key that is shown by a holder counts as one that a service asks about', async () => {
  const count = async (code: string) => {
    const { body } = await call(companion.url, 'GET', '/metrics');
    return Number(new RegExp(`^heex_checks_total\\{code="${code}"\\} (\\d+)$`, 'm').exec(body)?.[1]);
  };
  const { id, secret } = await bench.key();
  await bench.edit(id, { revoked_at: 1, revoked_reason: 'leaked' });
  const before = [await count('malformed'), await count('revoked')];
  for (const key of ['nonsense', secret])
    for (const [method, path] of [
      ['GET', '/v1/whoami'],
      ['POST', '/v1/revoke'],
    ] as const)
      expect((await call(companion.url, method, path, { headers: { 'x-api-key': key } })).status).toBe(401);
  expect([await count('malformed'), await count('revoked')]).toEqual(before.map((n) => n + 2));
});

test('without a token they are for this machine alone, and not for what a proxy on it passes on', async () => {
  for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'])
    expect((await call(companion.url, 'GET', '/metrics', { headers: { [name]: '127.0.0.1' } })).status).toBe(401);
});

test('with a token they are for who has it', async () => {
  expect((await call(guarded.url, 'GET', '/metrics')).status).toBe(401);
  expect((await call(guarded.url, 'GET', '/metrics', { token: `${TOKEN}x` })).status).toBe(401);
  expect((await call(guarded.url, 'GET', '/metrics', { token: TOKEN })).status).toBe(200);
});
