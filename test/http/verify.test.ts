import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeKey } from '../../shared/key-format.ts';
import { until } from '../support/agents.ts';
import { call } from '../support/client.ts';
import { type TestCompanion, testCompanion } from '../support/companion.ts';
import { type KeyBench, keyBench } from '../support/keys.ts';

let companion: TestCompanion;
let bench: KeyBench;
let verifier: string;
beforeAll(async () => {
  companion = await testCompanion();
  bench = await keyBench(companion);
  verifier = (await bench.verifier()).secret;
});
afterAll(() => companion.end());

test('a good key is valid, with what it is and without its secret', async () => {
  const groupId = await bench.group(['customers:read', 'customers:write']);
  const { id, secret } = await bench.key({ name: 'Nightly', groupId, permissions: ['customers:read', 'gone:read'] });
  const answer = await bench.verify(verifier, { key: secret, permissions: ['customers:read'] });
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    valid: true,
    code: 'valid',
    requestId: answer.headers.get('x-request-id'),
    key: {
      id,
      name: 'Nightly',
      prefix: secret.slice(0, 18),
      owner: { membershipId: bench.ownerId, name: 'Ada', email: 'ada@acme.example' },
      workspace: { id: bench.workspaceId, name: 'Acme' },
      environment: 'production',
      permissions: ['customers:read'],
      customers: [],
      expiresAt: null,
    },
  });
  expect(answer.headers.get('cache-control')).toBe('no-store');
});

describe('every code, decided in the given order', () => {
  const now = Date.now();
  test('malformed: wrong shape or checksum', async () => {
    const { secret } = await bench.key();
    const wrong = secret.slice(0, -1) + (secret.endsWith('0') ? '1' : '0');
    for (const key of ['', 'x', `${secret} `, secret.toUpperCase(), wrong, secret.repeat(2_000)])
      expect(await bench.codeOf(verifier, { key })).toBe('malformed');
  });
  test('unknown', async () => {
    expect(await bench.codeOf(verifier, { key: makeKey('production', randomBytes) })).toBe('unknown');
  });
  test('each state beats those after it', async () => {
    const groupId = await bench.group(['a:b']);
    const membershipId = await bench.member('Bob');
    const { id, secret } = await bench.key({
      membershipId,
      groupId,
      environment: 'staging',
      customers: ['c1'],
      ipAllowlist: ['10.0.0.0/8'],
      rateLimit: { limit: 1, windowSeconds: 60 },
      expiresAt: now - 1,
    });
    const suspend = (at: number | null) =>
      companion.deps.store.transact(async (tx) => {
        await tx.updateTable('membership').set({ suspended_at: at }).where('id', '=', membershipId).execute();
      });
    await suspend(1);
    await bench.edit(id, { disabled_at: 1 });
    const ask = { key: secret, ip: '11.0.0.1', permissions: ['x:y'], customer: 'c2' };
    const seen: string[] = [];
    const look = async (change: Promise<unknown>, body: Record<string, unknown> = ask, who = verifier) => {
      await change;
      seen.push(await bench.codeOf(who, body));
    };
    await look(Promise.resolve());
    await look(bench.edit(id, { disabled_at: null }));
    await look(suspend(null));
    await look(bench.edit(id, { expires_at: null }));
    const staging = (await bench.verifier('staging')).secret;
    await look(Promise.resolve(), ask, staging);
    await look(Promise.resolve(), { ...ask, ip: undefined }, staging);
    await look(Promise.resolve(), { ...ask, ip: '::ffff:10.1.1.1' }, staging);
    await look(Promise.resolve(), { ...ask, ip: '10.1.1.1', permissions: ['a:b'] }, staging);
    await look(Promise.resolve(), { key: secret, ip: '10.1.1.1', customer: 'c1' }, staging);
    await look(Promise.resolve(), { key: secret, ip: '10.1.1.1' }, staging);
    await look(bench.edit(id, { revoked_at: 1, revoked_reason: 'by_owner', disabled_at: 1 }), ask, staging);
    expect(seen).toEqual([
      'disabled',
      'owner_suspended',
      'expired',
      'wrong_environment',
      'ip_not_allowed',
      'ip_not_allowed',
      'insufficient_permissions',
      'customer_not_allowed',
      'valid',
      'rate_limited',
      'revoked',
    ]);
  });
});

test('a key without a group has no permissions, and all that are asked for are needed', async () => {
  const groupId = await bench.group(['a:b', 'c:d']);
  const [none, some] = [await bench.key(), await bench.key({ groupId })];
  expect(await bench.codeOf(verifier, { key: none.secret, permissions: ['a:b'] })).toBe('insufficient_permissions');
  expect(await bench.codeOf(verifier, { key: none.secret, permissions: [] })).toBe('valid');
  expect(await bench.codeOf(verifier, { key: some.secret, permissions: ['a:b', 'c:d'] })).toBe('valid');
  expect(await bench.codeOf(verifier, { key: some.secret, permissions: ['a:b', 'e:f'] })).toBe(
    'insufficient_permissions',
  );
});

test('a limit on customers is in the answer when nobody asks for one', async () => {
  const { secret } = await bench.key({ customers: ['c1', 'c2'] });
  const answer = await bench.verify(verifier, { key: secret });
  expect(answer.body).toMatchObject({ valid: true, key: { customers: ['c1', 'c2'] } });
});

test('while a rotation overlaps both secrets work; the old one then verifies as revoked', async () => {
  const { id, secret } = await bench.key();
  const ends = companion.deps.now() + 60_000;
  const next = await bench.rotate(id, ends);
  expect(await bench.codeOf(verifier, { key: secret })).toBe('valid');
  expect(await bench.codeOf(verifier, { key: next })).toBe('valid');
  companion.pass(60_001);
  expect(await bench.codeOf(verifier, { key: secret })).toBe('revoked');
  expect(await bench.codeOf(verifier, { key: next })).toBe('valid');
});

test('expiry is decided by the clock, also for a key that is remembered', async () => {
  const { secret } = await bench.key({ expiresAt: companion.deps.now() + 60_000 });
  expect(await bench.codeOf(verifier, { key: secret })).toBe('valid');
  companion.pass(60_000);
  expect(await bench.codeOf(verifier, { key: secret })).toBe('expired');
});

test('without a good verifier secret nothing is answered, whatever the body', async () => {
  const { secret } = await bench.key();
  for (const token of [undefined, 'x', secret, bench.token, verifier.replace(/.$/, '!')]) {
    for (const body of [{ key: secret }, '{', { nonsense: 1 }]) {
      const answer = await call(companion.url, 'POST', '/v1/verify', { token, body });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
  }
});

test('a deleted verifier is refused at once', async () => {
  const mine = await bench.verifier();
  const { secret } = await bench.key();
  expect(await bench.codeOf(mine.secret, { key: secret })).toBe('valid');
  await companion.deps.store.transact(async (tx) => {
    await tx.deleteFrom('verifier').where('id', '=', mine.id).execute();
  });
  expect((await bench.verify(mine.secret, { key: secret })).status).toBe(401);
});

test('a bad body names the field', async () => {
  for (const [body, path] of [
    [{}, 'key'],
    [{ key: 1 }, 'key'],
    [{ key: 'x', extra: 1 }, 'extra'],
    [{ key: 'x', permissions: 'a:b' }, 'permissions'],
    [{ key: 'x', permissions: ['nope'] }, 'permissions.0'],
    [{ key: 'x', customer: '' }, 'customer'],
  ] as const) {
    const answer = await bench.verify(verifier, body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].path).toBe(path);
  }
});

test('the holder asks what the key is, and gives it up', async () => {
  const { id, secret } = await bench.key({ environment: 'development' });
  for (const headers of [
    { 'x-api-key': secret },
    { authorization: `Bearer ${secret}` },
    { 'x-api-key': secret, authorization: `bearer ${secret}` },
  ] as Record<string, string>[]) {
    const who = await call(companion.url, 'GET', '/v1/whoami', { headers });
    expect(who.status).toBe(200);
    expect(who.body.key.id).toBe(id);
  }
  const { secret: other } = await bench.key();
  const both = { 'x-api-key': secret, authorization: `Bearer ${other}` };
  expect((await call(companion.url, 'GET', '/v1/whoami', { headers: both })).status).toBe(401);
  expect(
    (await call(companion.url, 'POST', '/v1/revoke', { token: secret, body: { reason: 'member_left' } })).status,
  ).toBe(400);
  const gone = await call(companion.url, 'POST', '/v1/revoke', { token: secret, body: { reason: 'leaked' } });
  expect(gone.body).toEqual({ revoked: true, requestId: gone.headers.get('x-request-id') });
  expect((await call(companion.url, 'GET', '/v1/whoami', { token: secret })).status).toBe(401);
  expect((await call(companion.url, 'POST', '/v1/revoke', { token: secret })).status).toBe(401);
  const row = await companion.deps.store.read
    .selectFrom('api_key')
    .select('revoked_reason')
    .where('id', '=', id)
    .executeTakeFirst();
  expect(row?.revoked_reason).toBe('leaked');
});

test('a holder may give a key up from an address where it may not be used', async () => {
  const { secret } = await bench.key({ ipAllowlist: ['203.0.113.7'] });
  expect((await call(companion.url, 'GET', '/v1/whoami', { token: secret })).status).toBe(403);
  expect((await call(companion.url, 'POST', '/v1/revoke', { token: secret })).status).toBe(200);
});

test('uses are counted and every check is in the request log under the id that was answered', async () => {
  const { id, secret } = await bench.key({ ipAllowlist: ['10.0.0.0/8'] });
  const good = await bench.verify(verifier, { key: secret, ip: '10.0.0.1', userAgent: 'curl/8' });
  const bad = await bench.verify(verifier, { key: secret, ip: '11.0.0.1', userAgent: 'curl/9' });
  await until(() => companion.deps.usage.flush());
  const { read } = companion.deps.store.activity;
  expect(await read.selectFrom('secret_use').selectAll().where('key_id', '=', id).execute()).toMatchObject([
    { uses: 1, last_ip: '10.0.0.1', last_user_agent: 'curl/8' },
  ]);
  expect(await read.selectFrom('usage_day').selectAll().where('key_id', '=', id).execute()).toMatchObject([
    { valid: 1, forbidden: 1, unauthorized: 0, rate_limited: 0 },
  ]);
  expect(await read.selectFrom('request').selectAll().where('key_id', '=', id).orderBy('seq').execute()).toMatchObject([
    { request_id: good.body.requestId, outcome: 'valid', code: 'valid', purpose: 'direct' },
    {
      request_id: bad.body.requestId,
      outcome: 'forbidden',
      code: 'ip_not_allowed',
      ip: '11.0.0.1',
      user_agent: 'curl/9',
    },
  ]);
});

test('a user agent of any length refuses no key, and is kept as far as 512 characters', async () => {
  const { id, secret } = await bench.key();
  const long = `${'x'.repeat(511)}😀${'y'.repeat(5_000)}`;
  const ask = { token: verifier, body: { key: secret, userAgent: long } };
  expect((await call(companion.url, 'POST', '/v1/verify', ask)).body.code).toBe('valid');
  const headers = { 'x-api-key': secret, 'x-heex-verifier': verifier, 'user-agent': 'z'.repeat(5_000) };
  expect((await call(companion.url, 'GET', '/v1/auth', { headers })).status).toBe(200);
  expect((await call(companion.url, 'GET', '/v1/whoami', { headers })).status).toBe(200);
  await until(() => companion.deps.usage.flush());
  const rows = await companion.deps.store.activity.read
    .selectFrom('request')
    .select('user_agent')
    .where('key_id', '=', id)
    .orderBy('seq')
    .execute();
  expect(rows.map((row) => row.user_agent)).toEqual([`${'x'.repeat(511)}\ufffd`, 'z'.repeat(512), 'z'.repeat(512)]);
});

test('up to a hundred keys are asked about at once, answered in order', async () => {
  const [a, b] = [await bench.key(), await bench.key({ environment: 'staging' })];
  const answer = await call(companion.url, 'POST', '/v1/verify/batch', {
    token: verifier,
    body: { items: [{ key: a.secret }, { key: 'x'.repeat(600) }, { key: b.secret }] },
  });
  expect(answer.body.results.map((r: { code: string }) => r.code)).toEqual(['valid', 'malformed', 'wrong_environment']);
  expect(new Set(answer.body.results.map((r: { requestId: string }) => r.requestId)).size).toBe(3);
  for (const items of [[], Array(101).fill({ key: 'x' })]) {
    const refused = await call(companion.url, 'POST', '/v1/verify/batch', { token: verifier, body: { items } });
    expect(refused.status).toBe(400);
  }
});
