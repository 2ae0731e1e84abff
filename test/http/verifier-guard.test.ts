import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type HonoEnv, requireKey as honoKey } from '../../shared/verifier/hono.ts';
import type { Verifier } from '../../shared/verifier/index.ts';
import { requireKey, type VerifiedRequest } from '../../shared/verifier/node.ts';
import { until } from '../support/agents.ts';
import { type Answer, call } from '../support/client.ts';
import { type VerifierWorld, verifierWorld } from '../support/verifier.ts';

let world: VerifierWorld;
let bench: VerifierWorld['bench'];
let wire: VerifierWorld['wire'];
let verifier: VerifierWorld['verifier'];
beforeAll(async () => {
  world = await verifierWorld();
  ({ bench, wire, verifier } = world);
});
afterEach(() => world.mend());
afterAll(() => world.end());

describe('in front of a service', () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const s of servers) s.close();
  });
  async function serve(server: Server): Promise<string> {
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const kinds: [string, (v: Verifier) => Promise<string>][] = [
    [
      'node:http',
      (v) => {
        const guard = requireKey(v, { permissions: ['a:b'] });
        return serve(createServer((req: VerifiedRequest, res) => void guard(req, res, () => res.end(req.heexKey?.id))));
      },
    ],
    [
      'Hono',
      (v) => {
        const app = new Hono<HonoEnv>();
        app.use(honoKey(v, { permissions: ['a:b'], address: () => '127.0.0.1' }));
        // One that sets headers by itself, as what is passed on from elsewhere does.
        app.all('*', (c) => new Response(c.get('heexKey').id));
        return serve(createServer(getRequestListener(app.fetch)));
      },
    ],
  ];
  test('node:http: an address that can’t be told is none, and no request hangs by it', async () => {
    const address = (request: IncomingMessage) => (request.headers['x-forwarded-for'] as string).split(',')[0];
    const guard = requireKey(await verifier(), { address });
    const url = await serve(createServer((req, res) => void guard(req, res, () => res.end('in'))));
    const ask = async (key: { secret: string }, headers = {}) =>
      (await call(url, 'GET', '/', { headers: { 'x-api-key': key.secret, ...headers } })).status;
    const [anywhere, somewhere] = [await bench.key(), await bench.key({ ipAllowlist: ['10.0.0.1'] })];
    expect([await ask(anywhere), await ask(somewhere)]).toEqual([200, 403]);
    expect(await ask(somewhere, { 'x-forwarded-for': '10.0.0.1' })).toBe(200);
  });

  test.each(kinds)('%s: a good key gets through, the rest is told 401, 403, 429 or 503', async (_, start) => {
    const v = await verifier({ maxStalenessMs: 0 });
    const url = await start(v);
    const groupId = await bench.group(['a:b']);
    const good = await bench.key({ groupId, ipAllowlist: ['127.0.0.1'] });
    const poor = await bench.key();
    const limited = await bench.key({ groupId, rateLimit: { limit: 2, windowSeconds: 60 } });
    const get = (headers: Record<string, string>) => call(url, 'GET', '/', { headers });
    expect((await get({ 'x-api-key': good.secret })).body).toBe(good.id);
    expect((await get({ authorization: `Bearer ${good.secret}` })).body).toBe(good.id);
    expect((await get({})).status).toBe(401);
    expect((await get({ 'x-api-key': good.secret, authorization: `Bearer ${poor.secret}` })).status).toBe(401);
    const denied = await get({ 'x-api-key': poor.secret });
    expect([denied.status, denied.body.requestId]).toEqual([403, denied.headers.get('x-request-id')]);
    const rates = ({ status, headers }: Answer) => [status, headers.get('ratelimit-policy'), headers.get('ratelimit')];
    const policy = '"default";q=2;w=60';
    for (const left of [1, 0]) {
      const answer = rates(await get({ 'x-api-key': limited.secret }));
      expect(answer).toEqual([200, policy, expect.stringMatching(`^"default";r=${left};t=(60|5\\d)$`)]);
    }
    expect(rates(await get({ 'x-api-key': good.secret }))).toEqual([200, null, null]);
    const over = await get({ 'x-api-key': limited.secret });
    expect([over.status, Number(over.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect(rates(over)).toEqual([429, policy, expect.stringContaining('r=0')]);
    wire.cut();
    await until(() => !v.state.live);
    expect((await get({ 'x-api-key': good.secret })).status).toBe(503);
  });
});
