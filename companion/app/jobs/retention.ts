import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import { PERIODS } from '../../../shared/contract/overview.ts';
import { DAY_MS, HOUR_MS } from '../../domain/time.ts';
import type { Deps } from '../deps.ts';
import { DEVICE_KEPT_MS } from '../device.ts';
import type { BackgroundJob } from './job.ts';

/** Rows removed at once: a few milliseconds of the one thread, and of the write lock. */
const AT_ONCE = 1000;

/** Days that daily counts of a key are kept: a year and a little, so that two years can be laid side by side. */
const USAGE_DAYS = 400;
/** Hours that the overview may ask for, and a day more. */
const USAGE_HOURS = PERIODS['30d'].seconds / 3600 + 24;
/** Days that the preview of a removal looks back, and one more. */
const SOURCE_DAYS = 31;
/** Days in which a service may send a report again without its being counted twice. */
const BATCH_DAYS = 7;
const EVENT_DAYS = 90;
/** Rows of the change feed that a cache or stream may still have to catch up with. */
const FEED_ROWS = 100_000;

/** Repeats a removal of up to `AT_ONCE` rows until one finds less, and lets others have their turn in between. */
async function removeAll(remove: () => Promise<number>): Promise<number> {
  for (let removed = 0; ; ) {
    const now = await remove();
    removed += now;
    if (now < AT_ONCE) return removed;
    await nextTurn();
  }
}

const PRIMARY_KEYS = {
  request: 'seq',
  usage_day: 'key_id, day',
  usage_hour: 'workspace_id, hour, environment',
  key_source: 'key_id, day, purpose, ip, user_agent',
  usage_batch: 'verifier_id, name',
};

/** Removes the oldest rows of a table of the activity file: those with `column` below `before`. */
function trimActivity(deps: Deps, table: keyof typeof PRIMARY_KEYS, column: string, before: number) {
  const columns = sql.raw(PRIMARY_KEYS[table]);
  return removeAll(() =>
    deps.store.activity.write.transaction().execute(async (tx) => {
      const result = await sql`delete from ${sql.table(table)} where (${columns}) in
        (select ${columns} from ${sql.table(table)} where ${sql.ref(column)} < ${before} limit ${AT_ONCE})`.execute(tx);
      return Number(result.numAffectedRows ?? 0);
    }),
  );
}

/** Keeps the request log and the counts for their time. */
export const activityRetention: BackgroundJob = {
  name: 'activity-retention',
  summary: 'Removes requests and counts that are older than they are kept for, and where removed agents were',
  everyMs: HOUR_MS,
  async run(deps) {
    const now = deps.now();
    const requests = await trimActivity(deps, 'request', 'at', now - deps.config.requestDays * DAY_MS);
    const days = await trimActivity(deps, 'usage_day', 'day', Math.floor(now / DAY_MS) - USAGE_DAYS);
    const hours = await trimActivity(deps, 'usage_hour', 'hour', Math.floor(now / HOUR_MS) - USAGE_HOURS);
    const sources = await trimActivity(deps, 'key_source', 'day', Math.floor(now / DAY_MS) - SOURCE_DAYS);
    await trimActivity(deps, 'usage_batch', 'at', now - BATCH_DAYS * DAY_MS);
    await forgetRemovedAgents(deps);
    return `${requests} requests, ${days + hours + sources} counts removed`;
  },
};

type Expiring = 'session' | 'connect_code' | 'reset_token' | 'spent';

/** Forgets where agents were that are no more. */
async function forgetRemovedAgents(deps: Deps): Promise<number> {
  const { read, write } = deps.store.activity;
  const rows = await read.selectFrom('agent_presence').select('agent_id').execute();
  const ids = JSON.stringify(rows.map((row) => row.agent_id));
  const gone = await deps.store.read
    .selectFrom('agent')
    .select('id')
    .where('removed_at', 'is not', null)
    .where('id', 'in', sql<string>`(select value from json_each(${ids}))`)
    .execute();
  return removeAll(async () => {
    const some = gone.splice(0, AT_ONCE).map(({ id }) => id);
    if (some.length) await write.deleteFrom('agent_presence').where('agent_id', 'in', some).execute();
    return some.length;
  });
}

/** Removes what is over and can be of no use to anybody any more. */
export const sweep: BackgroundJob = {
  name: 'sweep',
  summary: 'Removes expired sessions, codes and events, and the part of the change feed that everybody has read',
  everyMs: HOUR_MS,
  async run(deps) {
    const now = deps.now();
    const trim = (table: string, column: string, before: number) =>
      removeAll(() =>
        deps.store.transact(async (tx) => {
          const result = await sql`delete from ${sql.table(table)} where rowid in
            (select rowid from ${sql.table(table)} where ${sql.ref(column)} < ${before} limit ${AT_ONCE})`.execute(tx);
          return Number(result.numAffectedRows ?? 0);
        }),
      );
    let over = 0;
    for (const table of ['session', 'connect_code', 'reset_token', 'spent'] satisfies Expiring[])
      over += await trim(table, 'expires_at', now);
    over += await trim('device_code', 'expires_at', now - DEVICE_KEPT_MS);
    over += await trim('idempotency', 'created_at', now - DAY_MS);
    over += await trim('event', 'at', now - EVENT_DAYS * DAY_MS);
    const newest = await deps.store.read
      .selectFrom('change')
      .select((f) => f.fn.max('seq').as('seq'))
      .executeTakeFirst();
    const fed = await trim('change', 'seq', (newest?.seq ?? 0) - FEED_ROWS);
    return `${over} expired, ${fed} changes removed`;
  },
};
