import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/agents.ts';
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

interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A request with exactly these header lines, as `fetch` would not send it. */
function ask(
  query = '',
  lines: [string, string][] = [],
  method = 'GET',
  gateway: string | null = verifier,
): Promise<RawAnswer> {
  return new Promise((done, fail) => {
    const all: [string, string][] = [['Host', 'service.example'], ...lines];
    if (gateway !== null) all.push(['X-Heex-Verifier', gateway]);
    const req = request(`${companion.url}/v1/auth${query}`, { method, headers: all.flat() as unknown as string[] });
    req.on('error', fail);
    req.on('response', (res) => {
      let body = '';
      res.on('data', (chunk) => {
        body += chunk;
      });
      res.on('end', () => done({ status: res.statusCode ?? 0, headers: res.headers as Record<string, string>, body }));
    });
    req.end();
  });
}
const withKey = (secret: string, query = '') => ask(query, [['X-API-Key', secret]]);

test('a good key is let through under every method, with who it is', async () => {
  const groupId = await bench.group(['a:b', 'c:d']);
  const { id, secret } = await bench.key({ name: 'Nächtlicher Export 50%', groupId, customers: ['c1', 'c2'] });
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const { status, headers } = await ask('', [['Authorization', `Bearer ${secret}`]], method);
    expect([method, status]).toEqual([method, 200]);
    expect(headers).toMatchObject({
      'x-heex-key-id': id,
      'x-heex-key-name': 'N%C3%A4chtlicher Export 50%25',
      'x-heex-owner': bench.ownerId,
      'x-heex-workspace': bench.workspaceId,
      'x-heex-environment': 'production',
      'x-heex-permissions': 'a:b c:d',
      'x-heex-customers': 'c1 c2',
    });
    expect(headers['x-request-id']).toMatch(/^req_/);
  }
});

test('every identity header is there, also when it is empty', async () => {
  const { headers } = await withKey((await bench.key()).secret);
  expect(headers).toMatchObject({ 'x-heex-permissions': '', 'x-heex-customers': '' });
});

test('a WebSocket behind a gateway is decided about like any other request', async () => {
  const { id, secret } = await bench.key();
  const opening = (key: string) =>
    ask('', [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Version', '13'],
      ['Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAAAA=='],
      ['X-API-Key', key],
    ]);
  expect(await opening(secret)).toMatchObject({ status: 200, headers: { 'x-heex-key-id': id } });
  expect((await opening('nonsense')).status).toBe(401);
});

test('a name can neither end its header nor begin another', async () => {
  const { secret } = await bench.key({ name: 'a\r\nX-Heex-Owner: mem_other\u0000\u2028' });
  const { headers } = await withKey(secret);
  expect(headers['x-heex-key-name']).toBe('a%0D%0AX-Heex-Owner: mem_other%00%E2%80%A8');
  expect(headers['x-heex-owner']).toBe(bench.ownerId);
});

test('whatever is wrong with a key, its holder learns the same', async () => {
  const revoked = await bench.key();
  await bench.edit(revoked.id, { revoked_at: 1, revoked_reason: 'by_owner' });
  const disabled = await bench.key();
  await bench.edit(disabled.id, { disabled_at: 1 });
  const expired = await bench.key({ expiresAt: 1 });
  const staging = await bench.key({ environment: 'staging' });
  const answers = await Promise.all(
    ['nonsense', revoked.secret, disabled.secret, expired.secret, staging.secret].map((key) => withKey(key)),
  );
  answers.push(await ask());
  const seen = answers.map(({ status, headers, body }) => {
    const { 'x-request-id': id, date, ...rest } = headers;
    return JSON.stringify([status, rest, body.replace(id ?? '', '')]);
  });
  expect(new Set(seen).size).toBe(1);
  expect(answers[0]?.status).toBe(401);
});

describe('two credentials, or one that reads in two ways, are refused', () => {
  const cases: [string, (good: string, other: string) => [string, string][]][] = [
    [
      'both headers, different keys',
      (a, b) => [
        ['X-API-Key', a],
        ['Authorization', `Bearer ${b}`],
      ],
    ],
    [
      'both headers, one no key',
      (a) => [
        ['X-API-Key', a],
        ['Authorization', 'Bearer eyJhbGciOi'],
      ],
    ],
    [
      'X-API-Key twice',
      (a, b) => [
        ['X-API-Key', a],
        ['X-API-Key', b],
      ],
    ],
    [
      'X-API-Key twice, the same',
      (a) => [
        ['X-API-Key', a],
        ['x-api-key', a],
      ],
    ],
    [
      'Authorization twice',
      (a, b) => [
        ['Authorization', `Bearer ${a}`],
        ['Authorization', `Bearer ${b}`],
      ],
    ],
    ['a list in X-API-Key', (a, b) => [['X-API-Key', `${a}, ${b}`]]],
    ['a list in Authorization', (a, b) => [['Authorization', `Bearer ${a}, Bearer ${b}`]]],
    [
      'a key behind a comma in Authorization, beside X-API-Key',
      (a, b) => [
        ['X-API-Key', a],
        ['Authorization', `Basic dXNlcjpwYXNz, Bearer ${b}`],
      ],
    ],
    ['another scheme', (a) => [['Authorization', `Token ${a}`]]],
    [
      'an empty X-API-Key beside a good one',
      (a) => [
        ['X-API-Key', ''],
        ['Authorization', `Bearer ${a}`],
      ],
    ],
  ];
  for (const [name, lines] of cases) {
    test(name, async () => {
      const [a, b] = [await bench.key(), await bench.key()];
      expect((await ask('', lines(a.secret, b.secret))).status).toBe(401);
      expect((await ask('?mode=nginx', lines(a.secret, b.secret))).status).toBe(401);
    });
  }
  test('the same key in both is one key, and a scheme that carries no key does not matter', async () => {
    const { secret } = await bench.key();
    for (const other of [`Bearer ${secret}`, 'Basic dXNlcjpwYXNz'])
      expect(
        (
          await ask('', [
            ['X-API-Key', secret],
            ['Authorization', other],
          ])
        ).status,
      ).toBe(200);
  });
});

test('without the gateway’s own credential nothing is answered', async () => {
  const { secret } = await bench.key();
  for (const gateway of [null, '', 'x', secret, `${verifier}, ${verifier}`]) {
    const { status, headers } = await ask('', [['X-API-Key', secret]], 'GET', gateway);
    expect(status).toBe(401);
    expect(headers['x-heex-key-id']).toBeUndefined();
  }
  expect(
    (
      await ask('', [
        ['X-API-Key', secret],
        ['X-Heex-Verifier', 'forged'],
      ])
    ).status,
  ).toBe(401);
});

test('permission, customer and address are 403', async () => {
  const groupId = await bench.group(['a:b', 'c:d']);
  const { secret } = await bench.key({ groupId, customers: ['c1'] });
  expect((await withKey(secret, '?permission=a:b&permission=c:d&customer=c1')).status).toBe(200);
  expect((await withKey(secret, '?permission=a:b&permission=e:f')).status).toBe(403);
  expect((await withKey(secret, '?customer=c2')).status).toBe(403);
  const elsewhere = await bench.key({ ipAllowlist: ['203.0.113.0/24'] });
  const refused = await withKey(elsewhere.secret);
  expect(refused.status).toBe(403);
  await until(() => companion.deps.usage.flush());
  const row = await companion.deps.store.activity.read
    .selectFrom('request')
    .selectAll()
    .where('request_id', '=', refused.headers['x-request-id'] ?? '')
    .executeTakeFirst();
  expect(row).toMatchObject({ code: 'ip_not_allowed', ip: '127.0.0.1', outcome: 'forbidden' });
});

test('over its rate limit a key gets 429 and is told when to come again; a refusal costs nothing', async () => {
  const { secret } = await bench.key({ rateLimit: { limit: 2, windowSeconds: 60 }, customers: ['c1'] });
  await withKey(secret, '?customer=c2');
  const first = await withKey(secret);
  expect(first.headers).toMatchObject({ 'ratelimit-policy': '"default";q=2;w=60' });
  expect(first.headers.ratelimit).toMatch(/^"default";r=1;t=(60|59)$/);
  // Verify and auth share the counter.
  expect((await bench.verify(verifier, { key: secret })).body.rateLimit.remaining).toBe(0);
  const over = await withKey(secret);
  expect(over.status).toBe(429);
  expect(Number(over.headers['retry-after'])).toBeGreaterThan(0);
  expect(over.headers.ratelimit).toMatch(/^"default";r=0;t=\d+$/);
  companion.pass(60_000);
  expect((await withKey(secret)).status).toBe(200);
});

describe('nginx mode answers 200, 401 and 403 alone, the true status beside it', () => {
  const statusOf = ({ status, headers }: RawAnswer) => [status, headers['x-heex-status']];
  test('each outcome', async () => {
    const { secret } = await bench.key({ rateLimit: { limit: 1, windowSeconds: 60 }, customers: ['c1'] });
    expect(statusOf(await withKey('nonsense', '?mode=nginx'))).toEqual([401, '401']);
    expect(statusOf(await withKey(secret, '?mode=nginx&customer=c2'))).toEqual([403, '403']);
    expect(statusOf(await withKey(secret, '?mode=nginx'))).toEqual([200, '200']);
    const over = await withKey(secret, '?mode=nginx');
    expect(statusOf(over)).toEqual([403, '429']);
    expect(Number(over.headers['retry-after'])).toBeGreaterThan(0);
  });
  test('also what the gateway itself did wrong', async () => {
    const { secret } = await bench.key();
    expect(statusOf(await withKey(secret, '?mode=nginx&nonsense=1'))).toEqual([403, '400']);
    expect(statusOf(await ask('?mode=nginx', [['X-API-Key', secret]], 'GET', 'x'))).toEqual([401, '401']);
  });
});

test('a query that is not understood is refused, not ignored', async () => {
  const { secret } = await bench.key();
  for (const query of [
    '?permissions=a:b',
    '?mode=other',
    '?permission=',
    '?permission=a',
    '?customer=a&customer=b',
    '?mode=nginx&mode=nginx',
  ])
    expect([query, (await withKey(secret, query)).status >= 400]).toEqual([query, true]);
});

test('a slash at the end changes nothing about what is asked for', async () => {
  const { secret } = await bench.key();
  expect((await withKey(secret, '/')).status).toBe(200);
  const denied = await withKey(secret, '/?permission=a:b');
  expect(denied.status).toBe(403);
  // Whoever calls the service has no role here.
  expect(denied.body).not.toContain('role');
  expect((await withKey(secret, '/?mode=nginx&permission=a:b')).headers['x-heex-status']).toBe('403');
  expect((await withKey(secret, '/?unknown=1')).status).toBe(400);
});

test('below /v1/auth/envoy/ Envoy appends the path and query of its client, which then mean nothing; elsewhere is nothing', async () => {
  const { secret } = await bench.key();
  const gateway = (key: string) => ({ 'X-API-Key': key, 'X-Heex-Verifier': verifier });
  for (const path of ['/orders/7', '//', '/envoy', '/envoy?permission=a:b', '/envoyorders', '/x?permission=a:b'])
    expect([path, (await fetch(`${companion.url}/v1/auth${path}`, { headers: gateway(secret) })).status]).toEqual([
      path,
      404,
    ]);
  const { status, headers } = await ask('/envoy/orders/7?mode=nginx&customer=c9', [['X-API-Key', secret]], 'DELETE');
  expect(status).toBe(200);
  expect(headers['x-heex-status']).toBeUndefined();
  expect((await ask('orize', [['X-API-Key', secret]])).status).not.toBe(200);
});
