import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { until } from '../support/agents.ts';
import { call } from '../support/client.ts';
import { type VerifierWorld, verifierWorld } from '../support/verifier.ts';

let world: VerifierWorld;
let companion: VerifierWorld['companion'];
let bench: VerifierWorld['bench'];
let wire: VerifierWorld['wire'];
let verifier: VerifierWorld['verifier'];
beforeAll(async () => {
  world = await verifierWorld();
  ({ companion, bench, wire, verifier } = world);
});
afterEach(() => world.mend());
afterAll(() => world.end());

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
  await until(() => companion.deps.usage.flush());
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
  await until(() => companion.deps.usage.flush());
  for (const { id } of [counted, limited])
    expect(
      (await call(companion.url, 'GET', `/v1/workspaces/${bench.workspaceId}/keys/${id}`, { token: bench.token })).body
        .usageCount,
    ).toBe(programs.length);
});
