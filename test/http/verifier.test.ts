import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type HonoEnv, requireKey as honoKey } from '../../shared/verifier/hono.ts';
import { createVerifier, type Decision, type Verifier, type VerifierOptions } from '../../shared/verifier/index.ts';
import { requireKey, type VerifiedRequest } from '../../shared/verifier/node.ts';
import { type Answer, call } from '../support/client.ts';
import { type TestCompanion, testCompanion } from '../support/companion.ts';
import { type KeyBench, keyBench } from '../support/keys.ts';
import { type Line, line } from '../support/tcp-proxy.ts';

let companion: TestCompanion;
let bench: KeyBench;
let secret: string;
let wire: Line;
const made: Verifier[] = [];
beforeAll(async () => {
  // The line has a port of its own, which is what its clients name as host.
  let url = '';
  wire = await line(() => url);
  companion = await testCompanion({ HEEX_PUBLIC_URL: wire.url });
  url = companion.url;
  bench = await keyBench(companion);
  secret = (await bench.verifier()).secret;
});
afterEach(async () => {
  wire.mend();
  await Promise.all(made.splice(0).map((v) => v.close()));
});
afterAll(async () => {
  wire.close();
  await companion.end();
});

async function verifier(options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const v = createVerifier({ url: wire.url, secret, timeoutMs: 500, maxSilenceMs: 1_500, ...options });
  made.push(v);
  expect(await v.ready()).toBe(true);
  return v;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}

/** A decision from memory, without asking anybody. */
function atOnce(decision: Decision | Promise<Decision>): Decision {
  expect(decision).not.toBeInstanceOf(Promise);
  return decision as Decision;
}

describe('the same answers as the companion’s', () => {
  test('for every state of a key', async () => {
    const v = await verifier();
    const groupId = await bench.group(['a:b']);
    const ids: Record<string, { id: string; secret: string }> = {
      good: await bench.key({ groupId, customers: ['c1'] }),
      revoked: await bench.key(),
      disabled: await bench.key(),
      expired: await bench.key({ expiresAt: 1 }),
      staging: await bench.key({ environment: 'staging' }),
      inside: await bench.key({ ipAllowlist: ['10.0.0.0/8'] }),
      limited: await bench.key({ rateLimit: { limit: 100, windowSeconds: 60 } }),
    };
    await bench.edit(ids.revoked?.id ?? '', { revoked_at: 1, revoked_reason: 'leaked' });
    await bench.edit(ids.disabled?.id ?? '', { disabled_at: 1 });
    const asks = Object.values(ids).flatMap(({ secret: key }) => [
      { key },
      { key, ip: '10.0.0.1', userAgent: 'x' },
      { key, ip: '11.0.0.1' },
      { key, permissions: ['a:b'] },
      { key, permissions: ['a:b', 'c:d'] },
      { key, customer: 'c1' },
      { key, customer: 'c2' },
    ]);
    asks.push({ key: 'nonsense' }, { key: '' });
    // Twice: looked up, then from memory.
    for (const ask of [...asks, ...asks]) {
      const { requestId, rateLimit, ...mine } = await v.check(ask);
      const theirs = (await bench.verify(secret, ask)).body;
      expect({ ...mine, ask }).toEqual({
        valid: theirs.valid,
        code: theirs.code,
        ...(theirs.key ? { key: theirs.key } : {}),
        ask,
      });
      expect(requestId).toMatch(/^req_/);
    }
  });
  test('a key with a rate limit is counted in one place', async () => {
    const v = await verifier();
    const { secret: key } = await bench.key({ rateLimit: { limit: 2, windowSeconds: 60 } });
    expect((await v.check({ key })).rateLimit?.remaining).toBe(1);
    expect((await bench.verify(secret, { key })).body.rateLimit.remaining).toBe(0);
    expect((await v.check({ key })).code).toBe('rate_limited');
  });
});

test('what is remembered is decided without asking, and a change is in force as soon as the stream told it', async () => {
  const v = await verifier();
  const { id, secret: key } = await bench.key();
  expect((await v.check({ key })).valid).toBe(true);
  expect(atOnce(v.check({ key })).valid).toBe(true);
  await bench.edit(id, { disabled_at: 1 });
  await until(async () => (await v.check({ key })).code === 'disabled');
});

test('a group’s edit, a member’s suspension and removal, a rotation reach the keys that hang on them', async () => {
  const v = await verifier();
  const groupId = await bench.group(['a:b']);
  const membershipId = await bench.member('Eve');
  const { id, secret: key } = await bench.key({ groupId, membershipId });
  const ask = { key, permissions: ['a:b'] };
  const { store } = companion.deps;
  expect((await v.check(ask)).valid).toBe(true);
  await store.transact(async (tx) => {
    await tx.updateTable('authorization_group').set({ permissions: '[]' }).where('id', '=', groupId).execute();
  });
  await until(async () => (await v.check(ask)).code === 'insufficient_permissions');
  await store.transact(async (tx) => {
    await tx.updateTable('membership').set({ suspended_at: 1 }).where('id', '=', membershipId).execute();
  });
  await until(async () => (await v.check({ key })).code === 'owner_suspended');
  await store.transact(async (tx) => {
    await tx.updateTable('membership').set({ suspended_at: null }).where('id', '=', membershipId).execute();
  });
  await until(async () => (await v.check({ key })).code === 'valid');
  const next = await bench.rotate(id, companion.deps.now());
  await until(async () => (await v.check({ key })).code === 'revoked');
  expect((await v.check({ key: next })).valid).toBe(true);
  await store.transact(async (tx) => {
    await tx.deleteFrom('membership').where('id', '=', membershipId).execute();
  });
  await until(async () => (await v.check({ key: next })).code === 'revoked');
});

test('expiry is decided at each check, by the companion’s clock', async () => {
  let behind = 0;
  const v = await verifier({ now: () => Date.now() - behind });
  behind = 3_600_000;
  const { secret: key } = await bench.key({ expiresAt: companion.deps.now() + 1_500 });
  expect((await v.check({ key })).valid).toBe(true);
  await until(async () => (await v.check({ key })).code === 'expired');
});

/** A stream that goes on and on, but tells what the companion said ever longer ago. */
function lateStream() {
  let late = false;
  let down = false;
  const send: typeof fetch = async (input, init) => {
    if (down) throw new Error('down');
    if (!String(input).endsWith('/stream')) return fetch(input, init);
    const began = Date.now();
    const tick = () => `event: tick\nid: 1\ndata: ${JSON.stringify({ now: late ? began : Date.now() })}\n\n`;
    let timer: NodeJS.Timeout | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(into) {
        timer = setInterval(() => into.enqueue(new TextEncoder().encode(tick())), 10);
        init?.signal?.addEventListener('abort', () => {
          clearInterval(timer);
          into.error(new Error('aborted'));
        });
      },
      cancel: () => clearInterval(timer),
    });
    return new Response(body);
  };
  return {
    send,
    fallBehind(andDown: boolean) {
      late = true;
      down = andDown;
    },
  };
}

test('a stream that is late counts as down; with nobody to ask, what it told holds no longer than the maximum staleness', async () => {
  const stream = lateStream();
  const v = await verifier({ fetch: stream.send, maxStalenessMs: 0, maxSilenceMs: 500 });
  const { secret: key } = await bench.key();
  expect((await v.check({ key })).valid).toBe(true);
  stream.fallBehind(true);
  await until(async () => (await v.check({ key })).code === 'unavailable');
  expect(v.state.live).toBe(false);
});

test('a late stream puts off no expiry', async () => {
  const stream = lateStream();
  const v = await verifier({ fetch: stream.send, maxSilenceMs: 60_000 });
  const { secret: key } = await bench.key({ expiresAt: Date.now() + 1_000 });
  expect((await v.check({ key })).valid).toBe(true);
  stream.fallBehind(false);
  await until(() => atOnce(v.check({ key })).code === 'expired');
});

test('a look-up that began before a change never comes in after it', async () => {
  let release: (() => void) | undefined;
  let answered = () => {};
  const stalled = new Promise<void>((done) => {
    answered = done;
  });
  let stall = false;
  const slow: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (!stall || !String(input).endsWith('/resolve')) return response;
    stall = false;
    const body = await response.text();
    answered();
    await new Promise<void>((done) => {
      release = done;
    });
    return new Response(body, { status: response.status });
  };
  const v = await verifier({ fetch: slow });
  const [{ id, secret: key }, other] = [await bench.key(), await bench.key()];
  stall = true;
  const early = v.check({ key });
  await stalled;
  await bench.edit(id, { revoked_at: 1, revoked_reason: 'leaked' });
  // As soon as a later key is known to have been dropped, the stream has told of the revocation, too.
  await v.check({ key: other.secret });
  await bench.edit(other.id, { disabled_at: 1 });
  await until(async () => (await v.check({ key: other.secret })).code === 'disabled');
  release?.();
  await early;
  expect((await v.check({ key })).code).toBe('revoked');
});

test('while the stream is down it asks the companion; it resumes with what it missed', async () => {
  let noStream = false;
  const v = await verifier({
    fetch: (input, init) =>
      noStream && String(input).endsWith('/stream') ? Promise.reject(new Error('down')) : fetch(input, init),
  });
  const { id, secret: key } = await bench.key();
  await v.check({ key });
  noStream = true;
  wire.cut();
  wire.mend();
  await until(() => !v.state.live);
  await bench.edit(id, { disabled_at: 1 });
  expect((await v.check({ key })).code).toBe('disabled');
  noStream = false;
  await until(() => v.state.live);
  expect((await v.check({ key })).code).toBe('disabled');
});

test('with nobody to ask, what was known holds until the maximum staleness, and then nothing does', async () => {
  const v = await verifier({ maxStalenessMs: 2_000 });
  const strict = await verifier({ maxStalenessMs: 0 });
  const { secret: key } = await bench.key();
  const { secret: never } = await bench.key();
  const { secret: limited } = await bench.key({ rateLimit: { limit: 9, windowSeconds: 60 } });
  for (const k of [key, limited]) await v.check({ key: k });
  await strict.check({ key });
  wire.cut();
  await until(() => !v.state.live && !strict.state.live);
  expect((await v.check({ key })).valid).toBe(true);
  expect((await v.check({ key: never })).code).toBe('unavailable');
  expect((await v.check({ key: limited })).code).toBe('unavailable');
  expect((await strict.check({ key })).code).toBe('unavailable');
  await until(async () => (await v.check({ key })).code === 'unavailable');
  wire.mend();
  await until(async () => (await v.check({ key })).valid);
});

test('with a maximum staleness of 0 nothing is decided from memory once the stream is down', async () => {
  let [noStream, nothing] = [false, false];
  const asked: string[] = [];
  const v = await verifier({
    maxStalenessMs: 0,
    maxSilenceMs: 60_000,
    fetch(input, init) {
      asked.push(new URL(String(input)).pathname);
      const down = nothing || (noStream && String(input).endsWith('/stream'));
      return down ? Promise.reject(new Error('down')) : fetch(input, init);
    },
  });
  const { secret: key } = await bench.key();
  await v.check({ key });
  expect(atOnce(v.check({ key })).valid).toBe(true);
  noStream = true;
  wire.cut();
  wire.mend();
  await until(() => !v.state.live);
  asked.length = 0;
  expect((await v.check({ key })).valid).toBe(true);
  expect(asked).toContain('/v1/verify');
  nothing = true;
  expect((await v.check({ key })).code).toBe('unavailable');
});

test('a line that is silent counts as down', async () => {
  const v = await verifier({ maxStalenessMs: 0 });
  const { secret: key } = await bench.key();
  expect((await v.check({ key })).valid).toBe(true);
  wire.stall();
  await until(async () => (await v.check({ key })).code === 'unavailable');
  wire.cut();
});

test('a verifier that was deleted lets nobody in any more, not even for its maximum staleness', async () => {
  const mine = await bench.verifier();
  const v = await verifier({ secret: mine.secret, maxStalenessMs: 60_000 });
  const { secret: key } = await bench.key();
  expect((await v.check({ key })).valid).toBe(true);
  await companion.deps.store.transact(async (tx) => {
    await tx.deleteFrom('verifier').where('id', '=', mine.id).execute();
  });
  await until(async () => (await v.check({ key })).code === 'unavailable');
});

test('uses are counted at the companion, each once, also over an outage; the owner finds each refusal', async () => {
  const v = await verifier();
  const { id, secret: key } = await bench.key({ customers: ['c1'] });
  for (let i = 0; i < 500; i++) await v.check({ key, ip: '10.0.0.1', userAgent: 'job/1' });
  await v.flush();
  wire.cut();
  for (let i = 0; i < 7; i++) await v.check({ key });
  const refused = await v.check({ key, customer: 'c2' });
  expect(await v.flush()).toBe(false);
  wire.mend();
  await until(() => v.flush());
  const { read } = companion.deps.store.activity;
  await companion.deps.usage.flush();
  const row = await read.selectFrom('secret_use').selectAll().where('key_id', '=', id).executeTakeFirst();
  expect(row).toMatchObject({ uses: 507 });
  const note = await read.selectFrom('request').selectAll().where('request_id', '=', refused.requestId).execute();
  expect(note).toMatchObject([{ code: 'customer_not_allowed', key_id: id }]);
});

test('no name of a program keeps uses from being counted, nor a good key out', async () => {
  const v = await verifier();
  const [counted, limited] = [await bench.key(), await bench.key({ rateLimit: { limit: 9, windowSeconds: 60 } })];
  // The second one is cut in the middle of a character.
  const programs = ['half of one: \ud83d', `${'x'.repeat(511)}\u{1f600}`, '', 'nächtlich'];
  for (const { secret } of [counted, limited])
    for (const userAgent of programs)
      expect((await v.check({ key: secret, userAgent, ip: '\udc00' })).code, userAgent).toBe('valid');
  expect(await v.flush()).toBe(true);
  for (const { id } of [counted, limited])
    expect(
      (await call(companion.url, 'GET', `/v1/workspaces/${bench.workspaceId}/keys/${id}`, { token: bench.token })).body
        .usageCount,
    ).toBe(programs.length);
});

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
