import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { identityHeaders } from '../../companion/http/identity-headers.ts';
import { until } from '../support/agents.ts';
import { type TestCompanion, testCompanion } from '../support/companion.ts';
import { type Gateway, type Service, service, startCaddy, startNginx } from '../support/gateway.ts';
import { type KeyBench, keyBench } from '../support/keys.ts';
import { findProgram } from '../support/programs.ts';

interface Answer {
  status: number;
  headers: Record<string, string | undefined>;
  body: string;
}

function ask(url: string, lines: [string, string][], method = 'GET', body = ''): Promise<Answer> {
  return new Promise((done, fail) => {
    const host: [string, string] = ['Host', 'api.example.com'];
    const length: [string, string][] = body ? [['Content-Length', String(body.length)]] : [];
    const req = request(url, { method, headers: [host, ...length, ...lines].flat() as unknown as string[] });
    req.on('error', fail);
    req.on('response', (res) => {
      let text = '';
      res.on('data', (chunk) => {
        text += chunk;
      });
      res.on('end', () => done({ status: res.statusCode ?? 0, headers: res.headers as Answer['headers'], body: text }));
    });
    req.end(body);
  });
}

const FORGED: [string, string][] = [
  ['X-Heex-Key-Id', 'key_forged'],
  ['X-Heex-Key-Name', 'forged'],
  ['X-Heex-Owner', 'forged'],
  ['x-heex-owner', 'forged again'],
  ['X_Heex_Owner', 'forged'],
  ['X-Heex_Owner', 'forged'],
  ['X_Heex-Owner', 'forged'],
  ['x_heex-key_id', 'forged'],
  ['X-Heex-Key_Id', 'forged'],
  // Some read whatever is no letter and no digit as an underscore.
  ['X.Heex.Owner', 'forged'],
  ['X-Heex.Owner', 'forged'],
  ['x!heex~owner', 'forged'],
  ['X+Heex|Owner', 'forged'],
  ['X-Heex-Workspace', 'forged'],
  ['X-Heex-Environment', 'forged'],
  ['X-Heex-Permissions', 'forged:all'],
  ['X-Heex-Customers', 'forged'],
  ['X-Heex-Verifier', 'forged'],
];

const NAMES = [
  'X-Heex-Key-Id',
  'X-Heex-Key-Name',
  'X-Heex-Owner',
  'X-Heex-Workspace',
  'X-Heex-Environment',
  'X-Heex-Permissions',
  'X-Heex-Customers',
];

for (const [name, start] of [
  ['nginx-light', startNginx],
  ['caddy', startCaddy],
] as const) {
  const program = findProgram(name);
  describe.skipIf(!program)(`behind ${name}, with the documented configuration`, () => {
    let companion: TestCompanion;
    let bench: KeyBench;
    let behind: Service;
    let gateway: Gateway;
    let groupId: string;
    beforeAll(async () => {
      companion = await testCompanion({ HEEX_TRUSTED_PROXIES: '127.0.0.1' });
      bench = await keyBench(companion);
      groupId = await bench.group(['customers:read']);
      behind = await service();
      const verifier = (await bench.verifier()).secret;
      const port = Number(new URL(companion.url).port);
      gateway = await start(program as string, { companion: port, service: behind.port, verifier });
    });
    afterAll(async () => {
      await gateway?.stop();
      behind?.close();
      // The last test has stopped it.
      if (companion) rmSync(companion.folder, { recursive: true, force: true });
    });
    beforeEach(() => {
      behind.reached.length = 0;
    });
    const withKey = (secret: string, more: [string, string][] = [], method = 'GET', body = '') =>
      ask(`${gateway.url}/orders?x=1`, [['X-API-Key', secret], ...more], method, body);

    test('a good key gets through, and the service learns who calls, not the secret', async () => {
      const { id, secret } = await bench.key({ groupId, name: 'Nächtlich', customers: ['c1'] });
      for (const [method, body] of [
        ['GET', ''],
        ['POST', 'hello'],
        ['DELETE', ''],
      ] as const) {
        const answer = await withKey(secret, [], method, body);
        expect([method, answer.status, answer.body]).toEqual([method, 200, 'from the service']);
      }
      expect(behind.reached.map(({ method, url, body }) => [method, url, body])).toEqual([
        ['GET', '/orders?x=1', ''],
        ['POST', '/orders?x=1', 'hello'],
        ['DELETE', '/orders?x=1', ''],
      ]);
      expect(behind.reached[0]?.headers).toMatchObject({
        'x-heex-key-id': id,
        'x-heex-key-name': 'N%C3%A4chtlich',
        'x-heex-owner': bench.ownerId,
        'x-heex-workspace': bench.workspaceId,
        'x-heex-environment': 'production',
        'x-heex-permissions': 'customers:read',
        'x-heex-customers': 'c1',
      });
      expect(JSON.stringify(behind.reached)).not.toContain(secret);
      expect(JSON.stringify(behind.reached)).not.toContain('heexv_');
    });

    test('what a client forges never reaches the service, also where the true value is empty', async () => {
      const { id, secret } = await bench.key({ groupId });
      expect((await withKey(secret, FORGED)).status).toBe(200);
      expect(JSON.stringify(behind.reached)).not.toContain('forged');
      expect(behind.reached[0]?.headers['x-heex-key-id']).toBe(id);
      expect(behind.reached[0]?.headers['x-heex-customers'] ?? '').toBe('');
    });

    test('what the service is told can’t be taken off on the way', async () => {
      const { secret } = await bench.key({ groupId, customers: ['c1'] });
      const upgrade: [string, string] = ['Upgrade', 'websocket'];
      for (const lines of [
        [['Connection', 'X-Heex-Customers']],
        [['Connection', 'close, x-heex-customers']],
        [
          ['Connection', 'close'],
          ['Connection', 'x-heex-Customers,X-Heex-Owner'],
        ],
        [['Connection', 'Upgrade, X-Heex-Customers'], upgrade],
        [['Connection', 'X-Request-Id']],
      ] as [string, string][][])
        expect((await withKey(secret, lines)).status, String(lines)).toBe(name === 'caddy' ? 400 : 200);
      expect(behind.reached.length).toBe(name === 'caddy' ? 0 : 5);
      // Others may be named there, as a WebSocket names its own.
      expect((await withKey(secret, [['Connection', 'Upgrade, X-Other'], upgrade])).status).toBe(200);
      for (const { headers } of behind.reached) {
        expect(headers['x-heex-customers']).toBe('c1');
        expect(headers['x-request-id']).toMatch(/^req_/);
      }
    });

    test('a key with all the customers and permissions it may have gets through', async () => {
      const customers = Array.from({ length: 100 }, (_, i) => `c${i}-`.padEnd(128, 'x'));
      const { secret } = await bench.key({ groupId, customers });
      expect((await withKey(secret)).status).toBe(200);
      expect(behind.reached[0]?.headers['x-heex-customers']).toBe(customers.join(' '));
    });

    test('a client that sends large headers is let through or denied like any other', async () => {
      const { secret } = await bench.key({ groupId });
      const large = Array.from({ length: 4 }, (_, i): [string, string] => [`X-Large-${i}`, 'x'.repeat(5_000)]);
      expect((await withKey(secret, large)).status).toBe(200);
      expect((await withKey('nonsense', large)).status).toBe(401);
    });

    test('a client whose request can’t be read is denied, not told that the companion is down', async () => {
      const { secret } = await bench.key({ groupId });
      const { port } = new URL(gateway.url);
      const text = await new Promise<string>((done) => {
        const socket = connect(Number(port), '127.0.0.1', () =>
          socket.write(
            `GET / HTTP/1.1\r\nHost: a\r\nX-API-Key: ${secret}\r\nX-Any: a\x01b\r\nConnection: close\r\n\r\n`,
          ),
        );
        let got = '';
        socket.on('data', (data) => {
          got += data;
        });
        // What was not read when the gateway closed resets the connection; its answer is there by then.
        socket.on('error', () => {});
        socket.on('close', () => done(got));
      });
      // Caddy itself does not take it.
      expect(text.slice(0, 12)).toBe(name === 'caddy' ? 'HTTP/1.1 400' : 'HTTP/1.1 403');
      expect(behind.reached).toEqual([]);
    });

    test('each denial arrives as 401, 403 or 429, never as 500, and the service sees nothing of it', async () => {
      const revoked = await bench.key({ groupId });
      await bench.edit(revoked.id, { revoked_at: 1, revoked_reason: 'by_owner' });
      const disabled = await bench.key({ groupId });
      await bench.edit(disabled.id, { disabled_at: 1 });
      const expired = await bench.key({ groupId, expiresAt: 1 });
      const staging = await bench.key({ groupId, environment: 'staging' });
      const unable = await bench.key();
      const elsewhere = await bench.key({ groupId, ipAllowlist: ['203.0.113.0/24'] });
      const limited = await bench.key({ groupId, rateLimit: { limit: 1, windowSeconds: 60 } });
      for (const secret of ['nonsense', revoked.secret, disabled.secret, expired.secret, staging.secret])
        expect((await withKey(secret)).status).toBe(401);
      expect((await ask(gateway.url, [])).status).toBe(401);
      expect((await withKey(unable.secret)).status).toBe(403);
      expect((await withKey(elsewhere.secret)).status).toBe(403);
      expect(behind.reached).toEqual([]);
      expect((await withKey(limited.secret)).status).toBe(200);
      const over = await withKey(limited.secret);
      expect(over.status).toBe(429);
      expect(Number(over.headers['retry-after'])).toBeGreaterThan(0);
      expect(over.headers).toMatchObject({ 'ratelimit-policy': '"default";q=1;w=60' });
      expect(over.headers.ratelimit).toMatch(/^"default";r=0;t=\d+$/);
      expect(behind.reached.length).toBe(1);
    });

    test('two credentials are refused', async () => {
      const [a, b] = [await bench.key({ groupId }), await bench.key({ groupId })];
      expect((await withKey(a.secret, [['Authorization', `Bearer ${b.secret}`]])).status).toBe(401);
      expect((await withKey(a.secret, [['X-API-Key', b.secret]])).status).toBe(401);
      expect((await withKey(`${a.secret}, ${b.secret}`)).status).toBe(401);
      expect(behind.reached).toEqual([]);
    });

    test('the address that counts is the one that the gateway saw', async () => {
      const here = await bench.key({ groupId, ipAllowlist: ['127.0.0.1'] });
      const there = await bench.key({ groupId, ipAllowlist: ['203.0.113.9'] });
      const forged: [string, string][] = [
        ['X-Forwarded-For', '203.0.113.9'],
        ['Forwarded', 'for=203.0.113.9'],
        ['X-Real-IP', '203.0.113.9'],
      ];
      expect((await withKey(here.secret, forged)).status).toBe(200);
      expect((await withKey(there.secret, forged)).status).toBe(403);
    });

    test('the owner finds the reason under the id that the caller received', async () => {
      const { secret } = await bench.key({ groupId, expiresAt: 1 });
      const { headers } = await withKey(secret);
      await until(() => companion.deps.usage.flush());
      const row = await companion.deps.store.activity.read
        .selectFrom('request')
        .select(['code', 'ip'])
        .where('request_id', '=', headers['x-request-id'] ?? '')
        .executeTakeFirst();
      expect(row).toEqual({ code: 'expired', ip: '127.0.0.1' });
    });

    test('while the companion hangs nobody gets through, and nobody waits for it without end', async () => {
      const sockets: Socket[] = [];
      const silent = createServer((socket) => sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const { port } = silent.address() as AddressInfo;
      const verifier = (await bench.verifier()).secret;
      const other = await start(program as string, { companion: port, service: behind.port, verifier });
      const { secret } = await bench.key({ groupId });
      expect((await ask(other.url, [['X-API-Key', secret]])).status).toBe(name === 'caddy' ? 504 : 503);
      expect(behind.reached).toEqual([]);
      for (const socket of sockets) socket.destroy();
      silent.close();
      await other.stop();
    });

    test('while the companion is down nobody gets through', async () => {
      const { secret } = await bench.key({ groupId });
      expect((await withKey(secret)).status).toBe(200);
      await companion.stop();
      behind.reached.length = 0;
      for (let i = 0; i < 3; i++) expect((await withKey(secret, FORGED)).status).toBe(name === 'caddy' ? 502 : 503);
      expect(behind.reached).toEqual([]);
      // That is when gateways log what they were asked.
      await withKey('', [['Authorization', `Bearer ${secret}`]]);
      await until(() => gateway.said().split('refused').length > 4);
      expect(gateway.said()).not.toContain(secret);
    });
  });
}

test.each(['nginx.conf', 'Caddyfile', 'traefik.yml', 'envoy.yaml'])('%s hands every identity header on', (file) => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/gateways', file), 'utf8').toLowerCase();
  for (const name of NAMES) expect(text).toContain(name.toLowerCase());
});

test('these are all the identity headers there are', () => {
  const key = {
    keyId: '',
    name: '',
    environment: 'production' as const,
    workspaceId: '',
    sharedOwner: { value: { membershipId: '', name: '', email: '' } },
    permissions: new Set<string>(),
    customers: [],
    identityJson: () => '',
  };
  expect(identityHeaders(key).filter((_, i) => i % 2 === 0)).toEqual(NAMES);
});
