import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeToken } from '../../shared/key-format.ts';
import { createVerifier, type Verifier } from '../../shared/verifier/index.ts';
import { until } from '../support/agents.ts';
import { line } from '../support/tcp-proxy.ts';
import { atOnce, type VerifierWorld, verifierWorld } from '../support/verifier.ts';

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

/** A stream that goes on and on, but tells what the companion said ever longer ago. */
function lateStream() {
  let late = false;
  let down = false;
  let refused = 0;
  const send: typeof fetch = async (input, init) => {
    if (down) {
      refused++;
      throw new Error('down');
    }
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
    refuse() {
      down = true;
    },
    refused: () => refused,
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
  const { secret: key } = await bench.key({ expiresAt: Date.now() + 3_000 });
  expect((await v.check({ key })).valid).toBe(true);
  stream.fallBehind(false);
  await until(() => atOnce(v.check({ key })).code === 'expired');
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

/** Clocks that can part: as when a machine is suspended, of which only the wall clock knows, or when the wall clock is set. */
function partingClocks() {
  let ahead = 0;
  const clocks = { now: () => Date.now() + ahead, monotonic: () => performance.now() };
  const wallGoes = (ms: number) => {
    ahead += ms;
  };
  return { clocks, wallGoes };
}
const HOUR = 3_600_000;

test('a machine that was suspended decides nothing from memory until it is connected anew, and then by the right clock', async () => {
  const { clocks, wallGoes } = partingClocks();
  const v = await verifier({ ...clocks, maxSilenceMs: 60_000 });
  const { secret: key } = await bench.key({ expiresAt: Date.now() + HOUR });
  await v.check({ key });
  expect(atOnce(v.check({ key })).valid).toBe(true);
  for (const suspended of [1_000, 2 * HOUR]) {
    wallGoes(suspended);
    expect(v.check({ key })).toBeInstanceOf(Promise);
    expect((await v.check({ key })).code).toBe('valid');
    await until(() => v.state.live);
    expect(atOnce(v.check({ key })).code).toBe('valid');
  }
});

test('what a stream says that was connected before the machine was suspended makes nothing fresh', async () => {
  const { clocks, wallGoes } = partingClocks();
  const stream = lateStream();
  const v = await verifier({ ...clocks, fetch: stream.send, maxSilenceMs: 60_000, maxStalenessMs: 0 });
  const { secret: key } = await bench.key();
  expect((await v.check({ key })).valid).toBe(true);
  wallGoes(1_000);
  stream.refuse();
  await until(() => stream.refused() > 1);
  expect((await v.check({ key })).code).toBe('unavailable');
});

test('the maximum staleness counts time for which the machine was suspended, and is not extended by a clock that is set back', async () => {
  const suspended = partingClocks();
  const setBack = partingClocks();
  const both = partingClocks();
  const verifiers: Verifier[] = [];
  for (const { clocks } of [suspended, setBack, both])
    verifiers.push(await verifier({ ...clocks, maxStalenessMs: clocks === setBack.clocks ? 1_500 : 600_000 }));
  const { secret: key } = await bench.key();
  for (const v of verifiers) await v.check({ key });
  wire.cut();
  await until(() => verifiers.every((v) => !v.state.live));
  const codes = () => Promise.all(verifiers.map(async (v) => (await v.check({ key })).code));
  suspended.wallGoes(HOUR);
  setBack.wallGoes(-HOUR);
  both.wallGoes(-2 * HOUR);
  expect(await codes()).toEqual(['unavailable', expect.any(String), 'valid']);
  both.wallGoes(HOUR);
  expect((await codes())[2]).toBe('unavailable');
  await until(async () => (await codes())[1] === 'unavailable');
});

test('why the stream does not come is told, also to a handler that throws, and what never came leaves every key out', async () => {
  const key = await bench.key();
  const faults: string[] = [];
  const onFault = ({ message }: Error) => {
    faults.push(message);
    throw new Error('not handled');
  };
  const told = async (start: () => { close(): Promise<void> }, what: string) => {
    faults.length = 0;
    const v = start();
    // Told again and again: it goes on trying.
    await expect.poll(() => faults.length).toBeGreaterThan(1);
    expect(faults[0]).toContain(what);
    await v.close();
  };
  const { secret, companion } = world;
  // The companion does not go by this name.
  const other = await line(() => companion.url);
  const misnamed = createVerifier({ url: other.url, secret, onFault });
  expect((await misnamed.check({ key: key.secret })).code).toBe('unavailable');
  await told(() => misnamed, 'answers 421');
  other.close();
  await told(
    () => createVerifier({ url: wire.url, secret: makeToken('verifier', randomBytes), onFault }),
    'answers 401',
  );
  const v = await verifier({ onFault });
  faults.length = 0;
  wire.stall();
  await expect.poll(() => faults).toContain('the stream is silent');
  wire.mend();
  expect(await v.ready(10_000)).toBe(true);
  faults.length = 0;
  await v.close();
  expect(faults).toEqual([]);
});
