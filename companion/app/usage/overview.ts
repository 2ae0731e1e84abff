import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import type { QueryOf } from '../../../shared/contract/endpoint.ts';
import { type activity, type Overview, PERIODS, type SeriesPoint } from '../../../shared/contract/overview.ts';
import { EXPIRING_SOON_MS } from '../../../shared/expiry.ts';
import type { Environment } from '../../../shared/key-format.ts';
import { DAY_MS, HOUR_MS } from '../../domain/time.ts';
import { countKeysUsed } from '../../store/keys.ts';
import type { KeyRow } from '../../store/tables.ts';
import type { MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';
import { viewKeys } from '../keys/view.ts';

const UNUSED_MS = 90 * DAY_MS;
/** Keys that each list of the overview shows; there may be more. */
const SHOWN = 10;
/** Keys looked at in one turn of the event loop. */
const AT_ONCE = 1000;

type Query = QueryOf<typeof activity.readOverview>;
type Scope = { workspaceId: string; environment: Environment | undefined; now: number };

/** The requests of the period by outcome, in steps that begin at full hours or days UTC; the last one is still open. */
async function readSeries(deps: Deps, { workspaceId, environment, now }: Scope, period: Query['period']) {
  const { seconds, step } = PERIODS[period];
  const stepHours = step / 3600;
  const points = seconds / step;
  const first = (Math.floor(now / HOUR_MS / stepHours) - points + 1) * stepHours;
  let rows = deps.store.activity.read
    .selectFrom('usage_hour')
    .select(['hour', 'valid', 'unauthorized', 'forbidden', 'rate_limited'])
    .where('workspace_id', '=', workspaceId)
    .where('hour', '>=', first);
  if (environment) rows = rows.where('environment', '=', environment);
  const series = Array.from(
    { length: points },
    (_, i): SeriesPoint => ({
      at: new Date((first + i * stepHours) * HOUR_MS).toISOString(),
      valid: 0,
      unauthorized: 0,
      forbidden: 0,
      rateLimited: 0,
    }),
  );
  for (const row of await rows.execute()) {
    const point = series[Math.floor((row.hour - first) / stepHours)];
    if (!point) continue;
    point.valid += row.valid;
    point.unauthorized += row.unauthorized;
    point.forbidden += row.forbidden;
    point.rateLimited += row.rate_limited;
  }
  return { stepSeconds: step, points: series };
}

/** Keys by status, counted in one walk over the listing index; see `domain/status.ts` for what each is. */
async function countKeys(deps: Deps, { workspaceId, environment, now }: Scope) {
  const count = (condition: string) => sql<number>`coalesce(sum(${sql.raw(condition)}), 0)`;
  const live = 'revoked_at is null and disabled_at is null';
  const soon = now + EXPIRING_SOON_MS;
  let rows = deps.store.read
    .selectFrom('api_key')
    .select([
      count(`${live} and (expires_at is null or expires_at > ${soon})`).as('active'),
      count(`${live} and expires_at > ${now} and expires_at <= ${soon}`).as('expiring_soon'),
      count(`${live} and expires_at <= ${now}`).as('expired'),
      count('revoked_at is null and disabled_at is not null').as('disabled'),
      count('revoked_at is not null').as('revoked'),
      count('revoked_at is null and expires_at is null').as('neverExpire'),
    ])
    .where('workspace_id', '=', workspaceId);
  if (environment) rows = rows.where('environment', '=', environment);
  return rows.executeTakeFirstOrThrow();
}

async function countAnyAddress(deps: Deps, { workspaceId, environment, now }: Scope): Promise<number> {
  const open = () => {
    const rows = deps.store.read
      .selectFrom('api_key')
      .select((f) => f.fn.countAll<number>().as('n'))
      .where('workspace_id', '=', workspaceId)
      .where('revoked_at', 'is', null)
      .where('ip_allowlist', '=', sql.lit('[]'));
    return environment ? rows.where('environment', '=', environment) : rows;
  };
  const never = await open().where('expires_at', 'is', null).executeTakeFirstOrThrow();
  const later = await open().where('expires_at', '>', now).executeTakeFirstOrThrow();
  return never.n + later.n;
}

async function readExpiringSoon(deps: Deps, { workspaceId, environment, now }: Scope): Promise<KeyRow[]> {
  let rows = deps.store.read
    .selectFrom('api_key')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('revoked_at', 'is', null)
    .where('disabled_at', 'is', null)
    .where('expires_at', '>', now)
    .where('expires_at', '<=', now + EXPIRING_SOON_MS);
  if (environment) rows = rows.where('environment', '=', environment);
  return rows.orderBy('expires_at').limit(SHOWN).execute();
}

/** Which of these keys were used since a time. */
async function usedSince(deps: Deps, ids: readonly string[], since: number): Promise<Set<string>> {
  if (!ids.length) return new Set();
  const rows = await deps.store.activity.read
    .selectFrom('secret_use')
    .select('key_id')
    .where('key_id', 'in', ids)
    .where('last_at', '>=', since)
    .execute();
  return new Set(rows.map((row) => row.key_id));
}

/** Keys that work, are old enough, and were not used for as long; in turns, so that checks are not held up meanwhile. */
async function findUnused(deps: Deps, { workspaceId, environment, now }: Scope): Promise<string[]> {
  const since = now - UNUSED_MS;
  const unused: string[] = [];
  for (let after = { created_at: -1, id: '' }; ; ) {
    let rows = deps.store.read
      .selectFrom('api_key')
      .select(['id', 'created_at'])
      .where('workspace_id', '=', workspaceId)
      .where(sql<boolean>`(created_at, id) > (${after.created_at}, ${after.id})`)
      .where('created_at', '<', since)
      .where(sql<boolean>`+revoked_at is null`)
      .where('disabled_at', 'is', null)
      .where(sql<boolean>`(+expires_at is null or +expires_at > ${now})`);
    if (environment) rows = rows.where('environment', '=', environment);
    const keys = await rows.orderBy('created_at').orderBy('id').limit(AT_ONCE).execute();
    const used = await usedSince(
      deps,
      keys.map((key) => key.id),
      since,
    );
    unused.push(...keys.filter((key) => !used.has(key.id)).map((key) => key.id));
    const last = keys.at(-1);
    if (!last || keys.length < AT_ONCE) return unused;
    after = last;
    await nextTurn();
  }
}

async function rowsOf(deps: Deps, ids: readonly string[]): Promise<KeyRow[]> {
  if (!ids.length) return [];
  const rows = await deps.store.read.selectFrom('api_key').selectAll().where('id', 'in', ids).execute();
  return rows.toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
}

/** The figures of a workspace, for its admins. With an environment, those of its keys and requests alone. */
export async function readOverview(deps: Deps, { member }: MemberCaller, query: Query): Promise<Overview> {
  await deps.usage.flush();
  const scope: Scope = { workspaceId: member.workspaceId, environment: query.environment, now: deps.now() };
  const { read } = deps.store;
  const { key_limit } = await read
    .selectFrom('workspace')
    .select('key_limit')
    .where('id', '=', scope.workspaceId)
    .executeTakeFirstOrThrow();
  const { neverExpire, ...byStatus } = await countKeys(deps, scope);
  const unused = await findUnused(deps, scope);
  return {
    requests: await readSeries(deps, scope, query.period),
    keys: {
      used: await countKeysUsed(read, scope.workspaceId, scope.now),
      limit: key_limit,
      byStatus,
      neverExpire,
      anyAddress: await countAnyAddress(deps, scope),
    },
    expiringSoon: { total: byStatus.expiring_soon, items: await viewKeys(deps, await readExpiringSoon(deps, scope)) },
    unused: { total: unused.length, items: await viewKeys(deps, await rowsOf(deps, unused.slice(0, SHOWN))) },
  };
}
