import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/agents.ts';
import { atOnce, type VerifierWorld, verifierWorld } from '../support/verifier.ts';

let world: VerifierWorld;
let companion: VerifierWorld['companion'];
let bench: VerifierWorld['bench'];
let secret: string;
let verifier: VerifierWorld['verifier'];
beforeAll(async () => {
  world = await verifierWorld();
  ({ companion, bench, secret, verifier } = world);
});
afterEach(() => world.mend());
afterAll(() => world.end());

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
  test('a customer that the companion would not decide about is not decided from memory either', async () => {
    const v = await verifier();
    const keys = [await bench.key(), await bench.key({ rateLimit: { limit: 100, windowSeconds: 60 } })];
    for (const { secret: key } of keys) {
      expect((await v.check({ key })).code).toBe('valid');
      for (const customer of ['', 'c'.repeat(129), '\ud800']) {
        expect((await bench.verify(secret, { key, customer })).status).toBe(400);
        expect((await v.check({ key, customer })).code).toBe('unavailable');
      }
    }
  });
  test('what is no text is no key, and nothing is thrown', async () => {
    const v = await verifier();
    for (const key of [undefined, null, 5, ['x'], {}] as unknown as string[])
      expect((await v.check({ key })).code).toBe('malformed');
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
