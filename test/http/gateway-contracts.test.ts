import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestCompanion, testCompanion } from '../support/companion.ts';
import { type KeyBench, keyBench } from '../support/keys.ts';

/**
 * Traefik and Envoy as their own documentation has them: what they make of a client's request when they ask, and what they make
 * of the answer, with the settings of the documented configuration.
 */

type Lines = [name: string, value: string][];
interface Request {
  method: string;
  path: string;
  headers: Lines;
}
interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}
/** What comes of a client's request: it reaches the service with these headers, or is answered. */
type Outcome = { reached: Lines } | { answered: Answer };

const CLIENT = '203.0.113.9';
const ENVOY = '10.0.0.5';
const docs = (file: string) => readFileSync(join(import.meta.dirname, '../../docs/gateways', file), 'utf8');
const traefikFile = docs('traefik.yml');
const envoyFile = docs('envoy.yaml');
const setting = (text: string, pattern: RegExp): string => {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`the documented configuration has no ${pattern}`);
  return found;
};
/** The items of a YAML list, or the names of a mapping, below a line. */
const below = (text: string, name: string): string => {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.trim() === `${name}:`);
  const depth = lines[from]?.search(/\S/) ?? 0;
  const after = lines.slice(from + 1);
  const end = after.findIndex((line) => line.search(/\S/) <= depth);
  return after.slice(0, end < 0 ? undefined : end).join('\n');
};
const exactly = (name: string) =>
  new Set([...below(envoyFile, name).matchAll(/exact: ([\w-]+)/g)].map(([, header]) => header as string));
const without = (headers: Lines, gone: (name: string) => boolean): Lines => headers.filter(([name]) => !gone(name));

let companion: TestCompanion;
let bench: KeyBench;
let verifier: string;
beforeAll(async () => {
  companion = await testCompanion({ HEEX_TRUSTED_PROXIES: `127.0.0.1, ${ENVOY}` });
  bench = await keyBench(companion);
  verifier = (await bench.verifier()).secret;
});
afterAll(() => companion.end());

function send({ method, path, headers }: Request): Promise<Answer> {
  return new Promise((done, fail) => {
    const { hostname, port } = new URL(companion.url);
    // Not as a URL, which would be tidied up.
    const req = request({ hostname, port, path, method, headers: headers.flat() as unknown as string[] });
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

/** ForwardAuth: GET, every header of its client, which it tells of in `X-Forwarded-…`; 2xx lets through, all else is the answer. */
async function throughTraefik(client: Request): Promise<Outcome> {
  const hop =
    /^(connection|keep-alive|te|trailers|transfer-encoding|upgrade|content-length|host|x-forwarded-.*|x-real-ip)$/i;
  const address = new URL(setting(traefikFile, /address: (\S+)/));
  const asked = await send({
    method: 'GET',
    path: address.pathname + address.search,
    headers: [
      ['Host', new URL(companion.url).host],
      ...without(client.headers, (name) => hop.test(name) || name.toLowerCase() === 'x-heex-verifier'),
      ['X-Heex-Verifier', verifier],
      ['X-Forwarded-For', CLIENT],
      ['X-Forwarded-Method', client.method],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', 'api.example.com'],
      ['X-Forwarded-Port', '443'],
      ['X-Forwarded-Server', 'gateway-1'],
      ['X-Forwarded-Uri', client.path],
      ['X-Real-Ip', CLIENT],
      ['Accept-Encoding', 'gzip'],
    ],
  });
  if (asked.status < 200 || asked.status >= 300) return { answered: asked };
  const copied = new Set(
    [...below(traefikFile, 'authResponseHeaders').matchAll(/- ([\w-]+)/g)].map(([, name]) => name?.toLowerCase()),
  );
  const pattern = new RegExp(setting(traefikFile, /authResponseHeadersRegex: '\(\?i\)(.+)'/), 'i');
  const set = Object.entries(asked.headers).filter(([name]) => copied.has(name) || pattern.test(name));
  const cleaned = [...below(traefikFile, 'heex-clean').matchAll(/^ +([\w-]+): ''$/gm)].map(([, n]) => n?.toLowerCase());
  const kept = without(client.headers, (name) => copied.has(name.toLowerCase()) || pattern.test(name));
  return { reached: without([...kept, ...set], (name) => cleaned.includes(name.toLowerCase())) };
}

/** ext_authz over HTTP: its client's method, host and path, named headers alone; 200 lets through, 5xx is an error of its own. */
async function throughEnvoy(client: Request): Promise<Outcome> {
  const claims = setting(envoyFile, /remove_on_match: \{ key_matcher: \{ contains: (\w+), ignore_case: true \} \}/);
  const clean = without(client.headers, (name) => name.toLowerCase().includes(claims));
  const passed = exactly('allowed_headers').add('authorization');
  // What use_remote_address makes of it, and then the asking itself.
  const claimed = clean.find(([name]) => name.toLowerCase() === 'x-forwarded-for');
  const forwarded = [...(claimed ? [claimed[1]] : []), CLIENT].join(',');
  const rest = without(clean, (name) => !passed.has(name.toLowerCase()) || /^x-forwarded-for$/i.test(name));
  const asked = await send({
    method: client.method,
    path: setting(envoyFile, /path_prefix: (\S+)/) + client.path,
    headers: [
      ['Host', 'api.example.com'],
      ['Content-Length', '0'],
      ...rest,
      ['X-Forwarded-For', `${forwarded},${ENVOY}`],
      ['X-Heex-Verifier', verifier],
      ['X-Envoy-Internal', 'true'],
      ['X-Envoy-Expected-Rq-Timeout-Ms', '2000'],
    ],
  });
  if (asked.status >= 500) return { answered: { status: 503, headers: {}, body: '' } };
  if (asked.status !== 200) {
    const shown = exactly('allowed_client_headers');
    const headers = Object.fromEntries(Object.entries(asked.headers).filter(([name]) => shown.has(name)));
    return { answered: { ...asked, headers } };
  }
  const copied = exactly('allowed_upstream_headers');
  const set = Object.entries(asked.headers).filter(([name]) => copied.has(name));
  return { reached: [...without(clean, (name) => copied.has(name.toLowerCase())), ...set] };
}

const FORGED: Lines = [
  ...['-', '_', '.', '!', '#', '$', '%', '&', "'", '*', '+', '^', '`', '|', '~'].map((by): [string, string] => [
    `X${by}Heex${by}Owner`,
    'forged',
  ]),
  ['x-heex-customers', 'forged'],
  ['X-Heex_Permissions', 'forged'],
  ['X-Heex-Verifier', 'forged'],
];
const key = (secret: string, more: Lines = [], path = '/orders/7?permission=x:y&mode=nginx'): Request => ({
  method: 'DELETE',
  path,
  headers: [['X-API-Key', secret], ['User-Agent', 'job/1'], ['Content-Type', 'application/json'], ...more],
});

describe.each([
  ['Traefik', throughTraefik],
  ['Envoy', throughEnvoy],
])('as %s asks, with the documented configuration', (_, through) => {
  const reached = async (client: Request) => {
    const outcome = await through(client);
    if (!('reached' in outcome)) throw new Error(`answered ${outcome.answered.status}: ${outcome.answered.body}`);
    return outcome.reached;
  };
  const answered = async (client: Request) => {
    const outcome = await through(client);
    if (!('answered' in outcome)) throw new Error('it reached the service');
    return outcome.answered;
  };

  test('a good key reaches the service with who it is, and with nothing that its client forged', async () => {
    const { id, secret } = await bench.key({ groupId: await bench.group(['customers:read']) });
    const headers = await reached(key(secret, FORGED));
    expect(JSON.stringify(headers)).not.toContain('forged');
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-heex-key-id': id,
      'x-heex-owner': bench.ownerId,
      'x-heex-permissions': 'customers:read',
      'x-heex-customers': '',
    });
    expect(JSON.stringify(headers)).not.toContain('heexv_');
  });

  test('each denial comes as 401, 403 or 429, with what belongs to it, whatever path the client asked for', async () => {
    const groupId = await bench.group(['customers:read']);
    const elsewhere = await bench.key({ groupId, ipAllowlist: ['198.51.100.0/24'] });
    const limited = await bench.key({ groupId, rateLimit: { limit: 1, windowSeconds: 60 } });
    await reached(key(limited.secret));
    for (const path of ['/', '/a//b/%2e%2e/%2F?x=%00&customer=', '/?permission=none', '/v1/auth']) {
      for (const headers of [
        [],
        [['Authorization', 'Basic x']],
        [
          ['X-API-Key', 'a'],
          ['Authorization', 'Bearer b'],
        ],
      ]) {
        const none = await answered({ method: 'GET', path, headers: headers as Lines });
        expect([path, none.status, JSON.parse(none.body).code]).toEqual([path, 401, 'unauthorized']);
        expect(none.headers['www-authenticate']).toMatch(/^Bearer /);
      }
      expect((await answered(key(elsewhere.secret, [], path))).status, path).toBe(403);
      const over = await answered(key(limited.secret, [], path));
      expect([over.status, JSON.parse(over.body).code], path).toEqual([429, 'rate_limited']);
      expect(over.headers).toMatchObject({
        'retry-after': expect.stringMatching(/^\d+$/),
        ratelimit: expect.stringContaining('r=0'),
        'content-type': 'application/problem+json',
        'x-request-id': expect.stringMatching(/^req_/),
      });
    }
  });

  test('the address that counts is the one that the gateway saw, whatever the client claims', async () => {
    const groupId = await bench.group(['customers:read']);
    const here = await bench.key({ groupId, ipAllowlist: [CLIENT] });
    const there = await bench.key({ groupId, ipAllowlist: ['198.51.100.7'] });
    const claims: Lines = [['X-Forwarded-For', '198.51.100.7']];
    await reached(key(here.secret));
    await reached(key(here.secret, claims));
    expect((await answered(key(there.secret, claims))).status).toBe(403);
  });
});

test('a missing permission is 403 behind Traefik, which asks for one; Envoy leaves that to the service', async () => {
  const { secret } = await bench.key();
  expect(await throughTraefik(key(secret))).toMatchObject({ answered: { status: 403 } });
  expect(await throughEnvoy(key(secret))).toHaveProperty('reached');
});

test('nobody is let through while the companion can’t be asked, as Envoy is told', () => {
  expect(envoyFile).toMatch(/^ +failure_mode_allow: false$/m);
  expect(envoyFile).toMatch(/^ +status_on_error: \{ code: ServiceUnavailable \}$/m);
  expect(envoyFile).toMatch(/^use_remote_address: true$/m);
});
