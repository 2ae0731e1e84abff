import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
beforeAll(async () => {
  s = await scenario({ HEEX_KEY_LIMIT: '12' });
});
afterAll(() => s.end());

const DAY = 86_400_000;
const used = async () => (await s.as(s.owner, 'GET', 'W')).body.keysUsed;

test('members read the workspace; only owners change it; nothing else of it can be changed', async () => {
  const [mel, ada] = [await s.member('Mel'), await s.member('Ada', 'admin')];
  expect((await s.as(mel, 'GET', 'W')).body).toMatchObject({
    id: s.workspaceId,
    name: 'Acme Robotics',
    plan: 'team',
    keyLimit: 12,
    keysUsed: 0,
    policies: { maxKeyLifetimeDays: null },
  });
  for (const person of [mel, ada]) expect((await s.as(person, 'PATCH', 'W', { name: 'Mine' })).status).toBe(403);
  const changed = await s.as(s.owner, 'PATCH', 'W', { name: 'Acme', policies: { maxKeyLifetimeDays: 90 } });
  expect(changed.body).toMatchObject({ name: 'Acme', policies: { maxKeyLifetimeDays: 90 } });
  expect((await s.as(s.owner, 'PATCH', 'W', { policies: {} })).body).toEqual(changed.body);
  for (const [body, path] of [
    [{ keyLimit: 100 }, 'keyLimit'],
    [{ plan: 'starter' }, 'plan'],
    [{ policies: { maxKeyLifetimeDays: 0 } }, 'policies.maxKeyLifetimeDays'],
    [{ policies: { maxKeyLifetimeDays: 1.5 } }, 'policies.maxKeyLifetimeDays'],
    [{ policies: { more: 1 } }, 'policies.more'],
    [{ name: '' }, 'name'],
  ] as const)
    expect((await s.as(s.owner, 'PATCH', 'W', body)).body.errors).toMatchObject([{ path }]);
  const cleared = await s.as(s.owner, 'PATCH', 'W', { policies: { maxKeyLifetimeDays: null } });
  expect(cleared.body.policies).toEqual({ maxKeyLifetimeDays: null });
  const { items } = (await s.as(s.owner, 'GET', 'W/audit')).body;
  const edits = items.filter((row: { action: string }) => row.action === 'workspace.edited');
  expect(edits).toHaveLength(2);
  expect(edits[1]).toMatchObject({
    before: { name: 'Acme Robotics', maxKeyLifetimeDays: null },
    after: { name: 'Acme', maxKeyLifetimeDays: 90 },
  });
});

test('keys that are neither revoked nor expired are counted as used', async () => {
  const kay = await s.member('Kay');
  const before = await used();
  const [active, disabled, expiring] = [
    await s.key(kay),
    await s.key(kay),
    await s.key(kay, { expiresAt: new Date(Date.now() + DAY).toISOString() }),
  ];
  await s.as(kay, 'POST', `W/keys/${disabled.id}/disable`);
  expect(await used()).toBe(before + 3);
  await s.as(kay, 'POST', `W/keys/${active.id}/revoke`);
  expect(await used()).toBe(before + 2);
  s.companion.pass(DAY + 1000);
  expect(await used()).toBe(before + 1);
  expect(expiring.id).toBeDefined();
  s.owner.token = await s.signIn(s.owner);
});

test('a verifier’s secret is shown once and refused as soon as it is removed', async () => {
  const admin = await s.member('Gate', 'admin');
  const made = await s.as(admin, 'POST', 'W/verifiers', { name: 'edge gateway', environment: 'staging' });
  expect(made.status).toBe(201);
  expect(made.body.secret).toMatch(/^heexv_[0-9A-Za-z]{46}$/);
  expect(made.body.verifier).toMatchObject({
    name: 'edge gateway',
    environment: 'staging',
    prefix: made.body.secret.slice(0, 14),
    createdBy: { membershipId: admin.membershipId, email: admin.email },
    lastUsedAt: null,
  });
  const verify = () => call(s.url, 'POST', '/v1/verify', { token: made.body.secret, body: { key: 'x' } });
  expect((await verify()).body.code).toBe('malformed');
  const list = await s.as(admin, 'GET', 'W/verifiers');
  expect(list.body.items).toMatchObject([{ id: made.body.verifier.id }]);
  const stored = JSON.stringify(await s.companion.deps.store.read.selectFrom('verifier').selectAll().execute());
  expect(stored + JSON.stringify(list.body) + s.companion.lines.join()).not.toContain(made.body.secret.slice(15));
  expect((await s.as(admin, 'DELETE', `W/verifiers/${made.body.verifier.id}`)).status).toBe(204);
  expect((await verify()).status).toBe(401);
  expect((await s.as(admin, 'DELETE', `W/verifiers/${made.body.verifier.id}`)).status).toBe(404);
});

test('verifiers are listed page by page, newest first, and one is made once for an Idempotency-Key', async () => {
  for (let i = 0; i < 5; i++) await s.as(s.owner, 'POST', 'W/verifiers', { name: `v ${i}`, environment: 'production' });
  const names: string[] = [];
  let cursor = '';
  do {
    const { body } = await s.as(s.owner, 'GET', `W/verifiers?limit=2${cursor}`);
    names.push(...body.items.map((v: { name: string }) => v.name));
    cursor = body.nextCursor ? `&cursor=${body.nextCursor}` : '';
  } while (cursor);
  expect(names).toEqual(['v 4', 'v 3', 'v 2', 'v 1', 'v 0']);
  const once = () =>
    s.as(
      s.owner,
      'POST',
      'W/verifiers',
      { name: 'once', environment: 'production' },
      { headers: { 'idempotency-key': 'a' } },
    );
  const [first, second] = [await once(), await once()];
  expect(second.body).toEqual({ verifier: first.body.verifier, replayed: true });
});
