import { Kysely, type LogEvent, SqliteDialect } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MemberCaller } from '../../companion/app/caller.ts';
import { listGroups } from '../../companion/app/groups.ts';
import { listEvents } from '../../companion/app/keys/list-events.ts';
import { listKeys } from '../../companion/app/keys/list-keys.ts';
import { readKey } from '../../companion/app/keys/read-key.ts';
import { previewRemoval } from '../../companion/app/removal-preview.ts';
import { listRequests } from '../../companion/app/usage/list-requests.ts';
import { readOverview } from '../../companion/app/usage/overview.ts';
import { listKeyRequests } from '../../companion/app/usage/requests.ts';
import { statusOf } from '../../companion/domain/status.ts';
import { type KeyFilter, listKeyRows } from '../../companion/store/key-list.ts';
import { countKeysUsed } from '../../companion/store/keys.ts';
import { openReader } from '../../companion/store/sqlite.ts';
import type { ActivityTables, KeyRow, Tables } from '../../companion/store/tables.ts';
import { EXPIRATIONS, KEY_STATUSES } from '../../shared/contract/keys.ts';
import { expirationOf } from '../../shared/expiry.ts';
import { ENVIRONMENTS } from '../../shared/key-format.ts';
import { manyKeys } from '../support/many-keys.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

async function withKeys(count: number): Promise<Scenario> {
  const made = await scenario({ HEEX_KEY_LIMIT: '1000000' });
  await manyKeys(made.companion, made.workspaceId, made.owner.membershipId, count);
  return made;
}

const filters: Omit<KeyFilter, 'workspaceId' | 'ownerId'>[] = [undefined, ...KEY_STATUSES].flatMap((status) =>
  [undefined, ...EXPIRATIONS].flatMap((expiration) =>
    [undefined, ...ENVIRONMENTS].flatMap((environment) =>
      [undefined, 'needle'].map((text) => ({ status, expiration, environment, text })),
    ),
  ),
);

test('every filter, and every combination of them, lists exactly the keys that fit, newest first', async () => {
  const s = await withKeys(2_000);
  const { store, now } = s.companion.deps;
  const at = now();
  const all = await store.read.selectFrom('api_key').selectAll().execute();
  all.sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1));
  // The very moments at which keys expire and begin to expire soon.
  const soon = Math.min(...all.map((row) => row.expires_at ?? Infinity).filter((time) => time > at));
  const later = Math.min(...all.map((row) => row.expires_at ?? Infinity).filter((time) => time > soon));
  const fits = (row: KeyRow, f: (typeof filters)[number], at: number) =>
    (!f.status ||
      statusOf({ expiresAt: row.expires_at, disabledAt: row.disabled_at, revokedAt: row.revoked_at }, at) ===
        f.status) &&
    (!f.expiration || expirationOf(row.expires_at, at) === f.expiration) &&
    (!f.environment || row.environment === f.environment) &&
    (!f.text || row.name_folded.includes(f.text));
  for (const [filter, at] of filters.flatMap((f) =>
    [now(), soon, soon - 1, later - 14 * 86_400_000].map((t) => [f, t] as const),
  )) {
    const expected = all.filter((row) => fits(row, filter, at)).map((row) => row.id);
    for (const ownerId of [undefined, s.owner.membershipId]) {
      const page = { after: undefined, limit: 99 };
      const rows = await listKeyRows(store.read, { ...filter, ownerId, workspaceId: s.workspaceId }, page, at);
      expect(
        rows.map((row) => row.id),
        JSON.stringify(filter),
      ).toEqual(expected.slice(0, 100));
    }
  }
  await s.end();
});

describe('among 100,000 keys', { timeout: 120_000 }, () => {
  let s: Scenario;
  beforeAll(async () => {
    s = await withKeys(100_000);
    // On a busy machine that many rows take their time.
  }, 120_000);
  afterAll(() => s.end());

  const queries: LogEvent['query'][] = [];
  const log = (event: LogEvent) => {
    queries.push(event.query);
  };
  /** The plans of every query that `work` sends, on handles like the companion's own. */
  async function plansOf(work: (deps: Scenario['companion']['deps'], caller: MemberCaller) => Promise<unknown>) {
    const { deps } = s.companion;
    const { database, activity } = deps.store.files;
    const [main, second] = [openReader(database), openReader(activity)];
    const read = new Kysely<Tables>({ dialect: new SqliteDialect({ database: main }), log });
    const readActivity = new Kysely<ActivityTables>({ dialect: new SqliteDialect({ database: second }), log });
    const store = { ...deps.store, read, activity: { ...deps.store.activity, read: readActivity } };
    const caller = {
      user: { id: s.owner.userId, name: '', email: '' },
      member: { id: s.owner.membershipId, workspaceId: s.workspaceId, role: 'owner' },
    } as MemberCaller;
    queries.length = 0;
    await work({ ...deps, store }, caller);
    const plans = queries.map(({ sql, parameters }) => {
      const handle = /secret_use|key_source|usage_day|usage_hour|"request"/.test(sql) ? second : main;
      const steps = handle.prepare<unknown[], { detail: string }>(`explain query plan ${sql}`).all(...parameters);
      return { sql, plan: steps.map((step) => step.detail).join('; ') };
    });
    await Promise.all([read.destroy(), readActivity.destroy()]);
    return plans;
  }

  function expectIndexed(plans: { sql: string; plan: string }[], most = Number.POSITIVE_INFINITY) {
    expect(plans.length).toBeGreaterThan(0);
    expect(plans.length).toBeLessThanOrEqual(most);
    for (const { sql, plan } of plans) {
      expect(plan, sql).toMatch(/SEARCH/);
      expect(plan, sql).not.toMatch(/SCAN|TEMP B-TREE/);
    }
  }

  test('a listing walks one index in the order of the list, whatever it is filtered by', async () => {
    const single = filters.filter((filter) => Object.values(filter).filter(Boolean).length < 2);
    for (const { text, ...filter } of single)
      for (const owner of ['all', undefined]) {
        const query = { limit: 50, owner, q: text, ...filter };
        const plans = await plansOf((deps, caller) => listKeys(deps, caller, query as Parameters<typeof listKeys>[2]));
        // Five queries at the most for a page of fifty, and not one for each key.
        expectIndexed(plans, 5);
        expect(plans[0]?.plan).toMatch(
          owner
            ? /^SEARCH api_key USING COVERING INDEX api_key_listed \(workspace_id=\?\)$/
            : /^SEARCH api_key USING COVERING INDEX api_key_owned \(owner_id=\?\)$/,
        );
      }
  });

  test('a later page begins in the middle of the index', async () => {
    const first = await s.as(s.owner, 'GET', 'W/keys?limit=100&owner=all');
    const query = { limit: 50, owner: 'all', cursor: first.body.nextCursor };
    const plans = await plansOf((deps, caller) => listKeys(deps, caller, query));
    expect(plans[0]?.plan).toMatch(
      /COVERING INDEX api_key_listed \(workspace_id=\? AND \(created_at,id\)<\(\?,\?\)\)$/,
    );
  });

  test('one key, its requests, the groups and the count toward the limit are found by index', async () => {
    expectIndexed(await plansOf((deps, caller) => readKey(deps, caller, 'key_many7')));
    expectIndexed(await plansOf((deps, caller) => listKeyRequests(deps, caller, 'key_many7', { limit: 50 })));
    expectIndexed(await plansOf((deps) => countKeysUsed(deps.store.read, s.workspaceId, deps.now())));
    expectIndexed(await plansOf((deps, caller) => listEvents(deps, caller, { limit: 50 })));
    const groups = await plansOf((deps, caller) => listGroups(deps, caller, { limit: 50 }));
    expect(groups[0]?.plan).toMatch(/^SEARCH authorization_group/);
  });

  test('the overview and the request log are read by index, whatever they are filtered by', async () => {
    for (const environment of [undefined, 'staging'] as const)
      expectIndexed(
        await plansOf((deps, caller) => readOverview(deps, caller, { period: '30d', environment })),
        // Two queries for each thousand of the old keys, none of which was ever used.
        100,
      );
    const time = new Date().toISOString();
    for (const query of [
      {},
      { outcome: 'forbidden' },
      { key: 'key_many7' },
      { requestId: 'req_1' },
      { from: time, to: time },
    ]) {
      const plans = await plansOf((deps, caller) =>
        listRequests(deps, caller, { limit: 50, ...query } as Parameters<typeof listRequests>[2]),
      );
      // The inner query is by index and ends after so many rows; the outer one walks what it gave.
      for (const { plan } of plans)
        expect(plan.replace(/SCAN (request|\(subquery-\d+\))$/, '')).not.toMatch(/SCAN|TEMP B-TREE/);
      expect(plans[0]?.plan).toMatch(/SEARCH request USING (COVERING )?INDEX/);
    }
  });

  test('what removing the owner of half of them would break is told, by a handful of queries', async () => {
    const { read } = s.companion.deps.store;
    const live = await read
      .selectFrom('api_key')
      .select((f) => f.fn.countAll<number>().as('keys'))
      .where('membership_id', '=', s.owner.membershipId)
      .where('revoked_at', 'is', null)
      .executeTakeFirstOrThrow();
    // More than SQLite takes parameters.
    expect(live.keys).toBeGreaterThan(32_766);
    const plans = await plansOf((deps, caller) => previewRemoval(deps, caller, s.owner.membershipId));
    expect(plans.length).toBeLessThanOrEqual(5);
    const { status, body } = await s.as(s.owner, 'GET', `W/members/${s.owner.membershipId}/removal`);
    expect([status, body.keys?.length]).toEqual([200, live.keys]);
  });

  test('pages of any size, put together, are the list: nothing twice, nothing left out, keys made meanwhile apart', async () => {
    const path = 'W/keys?owner=all&status=active&environment=staging&q=needle';
    const whole = (await s.as(s.owner, 'GET', `${path}&limit=100`)).body.items.map((key: { id: string }) => key.id);
    expect(whole.length).toBeGreaterThan(5);
    for (const limit of [1, 3, 7]) {
      const seen: string[] = [];
      for (let cursor = ''; cursor !== null; ) {
        const page = await s.as(s.owner, 'GET', `${path}&limit=${limit}${cursor && `&cursor=${cursor}`}`);
        expect(page.status).toBe(200);
        seen.push(...page.body.items.map((key: { id: string }) => key.id));
        cursor = page.body.nextCursor;
        await s.key(s.owner, { name: `needle ${limit} ${seen.length}`, environment: 'staging' });
      }
      expect(seen).toEqual(whole);
      whole.splice(
        0,
        whole.length,
        ...(await s.as(s.owner, 'GET', `${path}&limit=100`)).body.items.map((key: { id: string }) => key.id),
      );
    }
  });
});
