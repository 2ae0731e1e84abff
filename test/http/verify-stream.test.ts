import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEventReader, type ServerEvent } from '../../shared/verifier/events.ts';
import { until } from '../support/agents.ts';
import { call } from '../support/client.ts';
import { type TestCompanion, testCompanion } from '../support/companion.ts';
import { type KeyBench, keyBench } from '../support/keys.ts';

let companion: TestCompanion;
let bench: KeyBench;
beforeAll(async () => {
  companion = await testCompanion();
  bench = await keyBench(companion);
});
afterAll(() => companion.end());

interface Listening {
  events: ServerEvent[];
  /** Waits for the first event that fits, those before included. */
  until(fits: (event: ServerEvent) => boolean): Promise<ServerEvent>;
  /** Resolves when the companion ends the stream. */
  ended: Promise<void>;
  stop(): void;
}

async function listen(secret: string, lastEventId?: string): Promise<Listening> {
  const abort = new AbortController();
  const response = await fetch(`${companion.url}/v1/verify/stream`, {
    headers: {
      authorization: `Bearer ${secret}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
    signal: abort.signal,
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const events: ServerEvent[] = [];
  let wake = () => {};
  const ended = (async () => {
    const read = createEventReader();
    const decoder = new TextDecoder();
    for await (const piece of response.body ?? []) {
      events.push(...read(decoder.decode(piece, { stream: true })));
      wake();
    }
  })().catch(() => {});
  return {
    events,
    async until(fits) {
      for (;;) {
        const found = events.find(fits);
        if (found) return found;
        await new Promise<void>((done) => {
          wake = done;
        });
      }
    },
    ended,
    stop: () => abort.abort(),
  };
}

const isTick = (e: ServerEvent) => e.name === 'tick';
const changed = (id: string) => (e: ServerEvent) => e.name === 'change' && JSON.parse(e.data).id === id;

test('a change is told, numbered, to verifiers of its environment alone', async () => {
  const [production, staging] = [await bench.verifier(), await bench.verifier('staging')];
  const here = await listen(production.secret);
  const there = await listen(staging.secret);
  await Promise.all([here.until(isTick), there.until(isTick)]);
  const key = await bench.key();
  await bench.edit(key.id, { disabled_at: 1 });
  const group = await bench.group(['a:b']);
  const event = await here.until(changed(key.id));
  expect(JSON.parse(event.data)).toEqual({ kind: 'key', id: key.id });
  expect(event.id).toMatch(/^[1-9]\d*-[0-9A-F]{16}$/);
  await there.until(changed(group));
  expect(there.events.find(changed(key.id))).toBeUndefined();
  // Another verifier's coming and going is nobody else's business.
  expect(here.events.find((e) => e.data.includes(staging.id))).toBeUndefined();
  for (const l of [here, there]) l.stop();
});

test('a listener that comes back is told what it missed, then that it is up to date', async () => {
  const { secret } = await bench.verifier();
  const first = await listen(secret);
  const { id } = await first.until(isTick);
  first.stop();
  const key = await bench.key();
  const second = await listen(secret, id);
  await second.until(isTick);
  const names = second.events.map((e) => e.name);
  expect(names.indexOf('tick')).toBeGreaterThan(second.events.findIndex(changed(key.id)));
  expect(names).not.toContain('reset');
  second.stop();
});

test('a listener that missed the making of its own verifier is told of it, too, and stays', async () => {
  const earlier = await listen((await bench.verifier()).secret);
  const { id } = await earlier.until(isTick);
  earlier.stop();
  const verifier = await bench.verifier();
  const listening = await listen(verifier.secret, id);
  await listening.until(changed(verifier.id));
  const key = await bench.key();
  await listening.until(changed(key.id));
  listening.stop();
});

test('a listener whose verifier was made, and changed, in the gap is served from wherever it resumes', async () => {
  const verifier = await bench.verifier();
  await companion.deps.store.transact(async (tx) => {
    await tx.updateTable('verifier').set({ name: 'Renamed' }).where('id', '=', verifier.id).execute();
  });
  const own = await companion.deps.store.read
    .selectFrom('change')
    .select('seq')
    .where('id', '=', verifier.id)
    .orderBy('seq')
    .executeTakeFirstOrThrow();
  const idOf = async (seq: number) => {
    const change = companion.deps.store.read.selectFrom('change').select('mark').where('seq', '=', seq);
    return `${seq}-${(await change.executeTakeFirstOrThrow()).mark}`;
  };
  for (const id of ['0', await idOf(1), await idOf(own.seq - 1)]) {
    const listening = await listen(verifier.secret, id);
    await listening.until(isTick);
    const key = await bench.key();
    await listening.until(changed(key.id));
    expect(listening.events.map((e) => e.name)).not.toContain('reset');
    listening.stop();
  }
});

test('where the gap is too old, or no gap of ours, the listener starts anew', async () => {
  const { secret } = await bench.verifier();
  for (let i = 0; i < 3; i++) await bench.key();
  await companion.deps.store.transact(async (tx) => {
    await tx.deleteFrom('change').where('seq', '<', 10).execute();
  });
  const now = await listen(secret);
  const { id: newest = '' } = await now.until(isTick);
  now.stop();
  // A number of which this feed has another change, as one restored from a backup has, or that does not say which.
  const [seq] = newest.split('-');
  for (const id of ['0', '5', '999999999', 'nonsense', seq ?? '', `${seq}-${'0'.repeat(16)}`]) {
    const listening = await listen(secret, id);
    const first = await listening.until(() => true);
    expect([id, first.name]).toEqual([id, 'reset']);
    listening.stop();
  }
});

test('a verifier that is deleted hears no more, and does not come back', async () => {
  const verifier = await bench.verifier();
  const listening = await listen(verifier.secret);
  await listening.until(isTick);
  await companion.deps.store.transact(async (tx) => {
    await tx.deleteFrom('verifier').where('id', '=', verifier.id).execute();
  });
  await listening.ended;
  expect((await call(companion.url, 'GET', '/v1/verify/stream', { token: verifier.secret })).status).toBe(401);
});

test('a verifier that is deleted by another process just as it connects is not listened for', async () => {
  const verifier = await bench.verifier();
  const other = new Database(companion.deps.store.files.database);
  const { changes } = companion.deps;
  const listenAfter = changes.listen.bind(changes);
  changes.listen = (listener) => {
    other.prepare('delete from verifier where id = ?').run(verifier.id);
    return listenAfter(listener);
  };
  const listening = await listen(verifier.secret).finally(() => {
    changes.listen = listenAfter;
    other.close();
  });
  await listening.ended;
  await until(() => changes.listeners === 0);
});

test('a change by plain SQL of another process is told, too', async () => {
  const { secret } = await bench.verifier();
  const { id } = await bench.key();
  const listening = await listen(secret);
  await listening.until(isTick);
  const other = new Database(companion.deps.store.files.database);
  other.prepare('update api_key set disabled_at = 1 where id = ?').run(id);
  other.close();
  await listening.until(changed(id));
  listening.stop();
});

test('stopping the companion ends the streams instead of waiting for them', async () => {
  const own = await testCompanion();
  const theirs = await keyBench(own);
  const { secret } = await theirs.verifier();
  const response = await fetch(`${own.url}/v1/verify/stream`, { headers: { authorization: `Bearer ${secret}` } });
  const all = response.text();
  await own.end();
  expect(await all).toContain('event: tick');
});

test('a look-up tells all that is needed to decide, and of a key of another environment no more than that', async () => {
  const { secret: verifier } = await bench.verifier();
  const [here, there] = [
    await bench.key({ ipAllowlist: ['10.0.0.0/8'] }),
    await bench.key({
      environment: 'staging',
      name: 'Secret plan',
      ipAllowlist: ['10.9.0.0/16'],
      rateLimit: { limit: 77, windowSeconds: 60 },
    }),
  ];
  const resolve = (key: string) =>
    call(companion.url, 'POST', '/v1/verify/resolve', { token: verifier, body: { key } });
  expect((await resolve(here.secret)).body).toMatchObject({
    environment: 'production',
    key: { keyId: here.id, ipAllowlist: ['10.0.0.0/8'], revoked: false, identity: { id: here.id } },
  });
  expect((await resolve(there.secret)).body.key).toMatchObject({
    environment: 'staging',
    identity: null,
    ipAllowlist: [],
    rateLimit: null,
  });
  expect(JSON.stringify((await resolve(there.secret)).body)).not.toContain('Secret plan');
  expect((await resolve('nonsense')).body.key).toBeNull();
});

test('a report is counted once, however often it arrives, and only for keys of its own workspace', async () => {
  const verifier = await bench.verifier();
  const { id, secret } = await bench.key();
  const { body } = await call(companion.url, 'POST', '/v1/verify/resolve', {
    token: verifier.secret,
    body: { key: secret },
  });
  const { secretId } = body.key;
  const at = companion.deps.now();
  const use = {
    keyId: id,
    secretId,
    code: 'valid',
    count: 41,
    lastAt: at,
    lastIp: '10.0.0.1',
    lastUserAgent: 'curl/8',
  };
  const note = {
    requestId: `req_${'a'.repeat(20)}`,
    keyId: id,
    secretId,
    code: 'expired',
    at,
    ip: null,
    userAgent: null,
  };
  const report = {
    batch: 'b'.repeat(32),
    uses: [use, { ...use, keyId: 'key_other' }, { ...use, code: 'expired', count: 2 }],
    notes: [note, { ...note, secretId: 'sec_other' }],
  };
  for (let i = 0; i < 3; i++) {
    const answer = await call(companion.url, 'POST', '/v1/verify/usage', { token: verifier.secret, body: report });
    expect(answer.body).toEqual({ counted: 43 });
  }
  await until(() => companion.deps.usage.flush());
  const { read } = companion.deps.store.activity;
  expect(await read.selectFrom('secret_use').selectAll().where('key_id', '=', id).execute()).toMatchObject([
    { uses: 41, last_ip: '10.0.0.1' },
  ]);
  expect(await read.selectFrom('usage_day').selectAll().where('key_id', '=', id).execute()).toMatchObject([
    { valid: 41, unauthorized: 2 },
  ]);
  expect(await read.selectFrom('request').selectAll().where('key_id', '=', id).execute()).toMatchObject([
    { request_id: note.requestId, code: 'expired', outcome: 'unauthorized', verifier_id: verifier.id },
  ]);
  for (const bad of [
    { ...report, batch: 'short' },
    { ...report, uses: [{ ...use, count: 0 }] },
    { ...report, uses: [{ ...use, count: 10_000_001 }] },
    { ...report, uses: [{ ...use, code: 'unknown' }] },
  ])
    expect((await call(companion.url, 'POST', '/v1/verify/usage', { token: verifier.secret, body: bad })).status).toBe(
      400,
    );
});

test('of a key of another environment only refusals as a key are counted', async () => {
  const { secret: verifier } = await bench.verifier();
  const { id: keyId, secret } = await bench.key({ environment: 'staging' });
  const { body } = await call(companion.url, 'POST', '/v1/verify/resolve', { token: verifier, body: { key: secret } });
  const { secretId } = body.key;
  const lastAt = companion.deps.now();
  const use = { keyId, secretId, count: 1, lastAt, lastIp: null, lastUserAgent: null };
  const codes = ['valid', 'rate_limited', 'insufficient_permissions', 'wrong_environment', 'revoked'];
  const report = { batch: 'c'.repeat(32), uses: codes.map((code) => ({ ...use, code })), notes: [] };
  expect((await call(companion.url, 'POST', '/v1/verify/usage', { token: verifier, body: report })).body).toEqual({
    counted: 2,
  });
  await until(() => companion.deps.usage.flush());
  const { read } = companion.deps.store.activity;
  expect(await read.selectFrom('usage_day').selectAll().where('key_id', '=', keyId).execute()).toMatchObject([
    { valid: 0, unauthorized: 2 },
  ]);
});
