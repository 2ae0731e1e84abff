import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../support/agents.ts';
import { waitForCounts } from '../support/patience.ts';
import type { MadeKey, Person, Scenario } from '../support/scenario.ts';
import { scenario } from '../support/scenario.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let s: Scenario;
let [ada, verifier, staging] = [] as unknown as [Person, string, string];
beforeAll(async () => {
  s = await scenario({ HEEX_KEY_LIMIT: '10000' });
  [ada, verifier, staging] = [await s.member('Ada'), await s.verifier(), await s.verifier('staging')];
});
afterAll(() => s.end());

const now = () => s.companion.deps.now();
const use = async (key: MadeKey, more: object = {}, token = verifier) =>
  (await s.as(undefined, 'POST', '/v1/verify', { key: key.secret, ...more }, { token })).body;
const read = async (path: string, person: Person = s.owner) => {
  const answer = await s.as(person, 'GET', path);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
};

describe('the use of a key', () => {
  test('is counted by day and outcome, days without use included, today last', async () => {
    waitForCounts();
    await s.passToMidday();
    const key = await s.key(ada, { rateLimit: { limit: 3, windowSeconds: 86_400 } });
    await use(key);
    await use(key, { permissions: ['a:b'] });
    await s.pass(2 * DAY);
    await use(key);
    await use(key);
    await use(key);
    await use(key);
    await s.as(ada, 'POST', `W/keys/${key.id}/disable`);
    await use(key);
    const { days } = await read(`W/keys/${key.id}/usage`, ada);
    expect(days).toHaveLength(30);
    expect(days.at(-1)).toEqual({
      date: new Date(now()).toISOString().slice(0, 10),
      valid: 3,
      unauthorized: 1,
      forbidden: 0,
      rateLimited: 1,
    });
    expect(days.at(-3)).toMatchObject({ valid: 1, forbidden: 1 });
    expect(days.at(-2)).toMatchObject({ valid: 0, unauthorized: 0, forbidden: 0, rateLimited: 0 });
    expect((await read(`W/keys/${key.id}/usage?days=2`, ada)).days).toEqual(days.slice(-2));
    expect((await read(`W/keys/${key.id}`, ada)).usageCount).toBe(4);
    for (const bad of ['0', '91', 'x', '']) {
      const answer = await s.as(ada, 'GET', `W/keys/${key.id}/usage?days=${bad}`);
      expect([answer.status, answer.body.errors[0].path]).toEqual([400, 'days']);
    }
  });

  test('is told request by request, with the reason, address, program and the id that the caller received', async () => {
    waitForCounts();
    const key = await s.key(ada, { ipAllowlist: ['10.0.0.0/8'] });
    const from = { ip: '10.0.0.4', userAgent: 'curl/8.5.0' };
    const ids = [
      (await use(key, from)).requestId,
      (await use(key, { ...from, ip: '192.0.2.1' })).requestId,
      (await use(key, from, staging)).requestId,
    ];
    const first = await read(`W/keys/${key.id}/requests?limit=2`, ada);
    const rest = await read(`W/keys/${key.id}/requests?limit=2&cursor=${first.nextCursor}`, ada);
    const items = [...first.items, ...rest.items];
    expect(rest.nextCursor).toBeNull();
    expect(items.map((row) => [row.requestId, row.outcome, row.code, row.ip, row.userAgent, row.verifier])).toEqual([
      [ids[2], 'unauthorized', 'wrong_environment', '10.0.0.4', 'curl/8.5.0', 'staging gateway'],
      [ids[1], 'forbidden', 'ip_not_allowed', '192.0.2.1', 'curl/8.5.0', 'production gateway'],
      [ids[0], 'valid', 'valid', '10.0.0.4', 'curl/8.5.0', 'production gateway'],
    ]);
  });
});

describe('the request log of the workspace', () => {
  test('shows what fits the filters, and finds a request by its id', async () => {
    waitForCounts();
    const [key, other] = [await s.key(ada), await s.key(s.owner, { environment: 'staging' })];
    const start = new Date(now()).toISOString();
    const refused = (await use(key, { permissions: ['a:b'] })).requestId;
    await use(key);
    await use(other, {}, staging);
    await s.as(ada, 'POST', `W/keys/${key.id}/revoke`);
    await use(key);
    const codes = async (query: string) =>
      (await read(`W/requests?from=${start}&${query}`)).items.map((row: { code: string }) => row.code);
    expect(await codes('')).toEqual(['revoked', 'valid', 'valid', 'insufficient_permissions']);
    expect(await codes('outcome=valid')).toEqual(['valid', 'valid']);
    expect(await codes('outcome=forbidden')).toEqual(['insufficient_permissions']);
    expect(await codes('code=revoked')).toEqual(['revoked']);
    expect(await codes(`key=${key.id}`)).toEqual(['revoked', 'valid', 'insufficient_permissions']);
    expect(await codes('environment=staging')).toEqual(['valid']);
    expect(await codes(`to=${start}`)).toEqual([]);
    const verifiers = (await read('W/verifiers')).items;
    const id = verifiers.find((v: { environment: string }) => v.environment === 'staging').id;
    expect(await codes(`verifier=${id}`)).toEqual(['valid']);
    const found = (await read(`W/requests?requestId=${refused}`)).items;
    expect(found).toMatchObject([
      { requestId: refused, keyName: key.name, prefix: key.prefix, code: 'insufficient_permissions' },
    ]);
    for (const bad of ['outcome=ok', 'code=x', 'environment=prod', 'from=yesterday', 'colour=red', 'cursor=x']) {
      const answer = await s.as(s.owner, 'GET', `W/requests?${bad}`);
      expect([answer.status, answer.body.errors[0].path]).toEqual([400, bad.split('=')[0]]);
    }
  });

  test('is read to its end by cursor, also where little of it fits', async () => {
    const { deps } = s.companion;
    const key = await s.key(ada);
    await until(() => deps.usage.flush());
    const base = now();
    // More rows than one page may look at, of which the oldest alone fits.
    const rows = Array.from({ length: 45_000 }, (_, i) => ({
      request_id: `req_made${i}`,
      workspace_id: s.workspaceId,
      key_id: key.id,
      secret_id: null,
      prefix: key.prefix,
      at: base - 45_000 + i,
      outcome: 'valid' as const,
      code: i === 0 ? 'rate_limited' : 'valid',
      purpose: 'direct' as const,
      verifier_id: null,
      ip: null,
      user_agent: null,
    }));
    await deps.store.activity.write.transaction().execute(async (tx) => {
      for (let i = 0; i < rows.length; i += 1000)
        await tx
          .insertInto('request')
          .values(rows.slice(i, i + 1000))
          .execute();
    });
    const found: string[] = [];
    let pages = 0;
    for (let cursor = ''; cursor !== null; pages++) {
      const page = await read(`W/requests?code=rate_limited&outcome=valid&limit=100${cursor && `&cursor=${cursor}`}`);
      found.push(...page.items.map((row: { requestId: string }) => row.requestId));
      cursor = page.nextCursor;
    }
    expect(found).toEqual(['req_made0']);
    expect(pages).toBeGreaterThan(2);
    const seen = new Set<string>();
    for (let cursor = ''; cursor !== null; ) {
      const page = await read(
        `W/requests?key=${key.id}&limit=100${cursor && `&cursor=${cursor}`}&from=${new Date(base - 500).toISOString()}`,
      );
      for (const row of page.items) seen.add(row.requestId);
      cursor = page.nextCursor;
    }
    expect(seen.size).toBe(500);
  });
});

test('rows of the request log and counts are kept for their time, then removed in the background', async () => {
  const { deps } = s.companion;
  const key = await s.key(ada);
  await use(key);
  await until(() => deps.usage.flush());
  const count = async () => (await read(`W/keys/${key.id}/requests`, ada)).items.length;
  await s.pass(29 * DAY);
  await s.companion.runJobs();
  expect(await count()).toBe(1);
  await s.pass(2 * DAY);
  await s.companion.runJobs();
  expect(await count()).toBe(0);
  // Use is still known when the requests are gone: it is what removals and the overview ask for.
  expect(await read(`W/keys/${key.id}`, ada)).toMatchObject({ usageCount: 1, lastUsed: { at: expect.any(String) } });
  const old = async (table: 'usage_day' | 'usage_hour' | 'key_source') =>
    (await deps.store.activity.read.selectFrom(table).selectAll().execute()).length;
  expect(await old('usage_day')).toBeGreaterThan(0);
  await s.pass(400 * DAY);
  await s.companion.runJobs();
  expect([await old('usage_day'), await old('usage_hour'), await old('key_source')]).toEqual([0, 0, 0]);
});

test('what is over is swept away, and what still matters stays', async () => {
  const { deps } = s.companion;
  await s.as(
    ada,
    'POST',
    'W/keys',
    { name: 'swept', environment: 'production' },
    { headers: { 'Idempotency-Key': 'sweep' } },
  );
  const token = await s.signIn(ada);
  await s.pass(2 * DAY);
  const sessions = await deps.store.read
    .selectFrom('session')
    .select('id')
    .where('user_id', '=', ada.userId)
    .orderBy('created_at', 'desc')
    .execute();
  await deps.store.transact(async (tx) => {
    const over = { expires_at: now() - 1 };
    await tx
      .updateTable('session')
      .set(over)
      .where('id', '=', sessions[0]?.id ?? '')
      .execute();
  });
  const left = async (table: 'idempotency' | 'session') =>
    (await deps.store.read.selectFrom(table).selectAll().execute()).length;
  const before = await left('session');
  await s.companion.runJobs();
  expect([await left('idempotency'), await left('session')]).toEqual([0, before - 1]);
  expect((await s.as(ada, 'GET', '/v1/me', undefined, { token })).status).toBe(401);
  expect((await s.as(ada, 'GET', '/v1/me')).status).toBe(200);
});

test('a change of a key waits for no counts, whoever looks at the key does', async () => {
  waitForCounts();
  const key = await s.key(ada);
  await use(key);
  const path = `W/keys/${key.id}`;
  expect((await read(path, ada)).usageCount).toBe(1);
  // Counts can't be written for now.
  const lock = new Database(s.companion.deps.store.files.activity);
  onTestFinished(() => {
    lock.close();
  });
  lock.exec('begin immediate');
  await use(key);
  const changed = [
    await s.as(ada, 'POST', 'W/keys', { name: 'While counts wait', environment: 'production' }),
    await s.as(ada, 'PATCH', path, { description: 'Reads.' }),
    await s.as(ada, 'POST', `${path}/disable`),
    await s.as(ada, 'POST', `${path}/enable`),
    await s.as(ada, 'POST', `${path}/rotate`, { overlapSeconds: 3_600 }),
    await s.as(ada, 'POST', `${path}/revoke`),
  ];
  expect(changed.map(({ status }) => status)).toEqual([201, 200, 200, 200, 200, 200]);
  expect(changed.at(-1)?.body.key).toMatchObject({ status: 'revoked', usageCount: 1 });
  const looks = [read(path, ada), read('W/keys?status=revoked', ada)];
  lock.exec('commit');
  const [one, list] = await Promise.all(looks);
  expect(one.usageCount).toBe(2);
  expect(list.items.find(({ id }: MadeKey) => id === key.id).usageCount).toBe(2);
});
