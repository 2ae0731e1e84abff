import { setTimeout as sleep } from 'node:timers/promises';
import type Database from 'better-sqlite3';
import { afterEach, expect, test } from 'vitest';
import { ACTIVITY_MIGRATIONS, migrate } from '../../companion/store/migrate.ts';
import { openWriter } from '../../companion/store/sqlite.ts';
import { BatchBuilder, countsOf, MOST_SOURCES, type Tallied } from '../../companion/verify/batch.ts';
import { Folder } from '../../companion/verify/usage-fold.ts';
import { createBatchWriter } from '../../companion/verify/usage-writer.ts';
import type { VerifyCode } from '../../shared/contract/verify.ts';
import { scratchFolder } from '../support/process.ts';

const NOON = Date.UTC(2026, 4, 4, 12);
const open: Database.Database[] = [];
afterEach(() => {
  for (const db of open.splice(0)) db.close();
});

function activity() {
  const file = `${scratchFolder()}/activity.sqlite`;
  const connect = () => {
    const db = openWriter(file, 'NORMAL');
    open.push(db);
    return db;
  };
  const db = connect();
  migrate(db, ACTIVITY_MIGRATIONS, file);
  return { db, connect };
}

/** The same for the same number: what a batch has of it is kept with it. */
const known = new Map<number, Tallied>();
function refOf(n: number): Tallied {
  const ref = known.get(n) ?? {
    secretId: `sec_${n}`,
    keyId: `key_${String(n).padStart(6, '0')}`,
    workspaceId: 'ws_1',
    environment: 'production',
    prefix: 'heex_prod_abcdefgh',
  };
  known.set(n, ref);
  return ref;
}
const source = (ip: string | null, purpose: 'direct' | 'enrolment' = 'direct') =>
  ({ ip, userAgent: 'nightly/1.4', purpose }) as const;

/** So many uses, each key's from three addresses. */
function useMany(db: Database.Database, uses: number): void {
  const builder = new BatchBuilder();
  for (let n = 0; n < uses; n++) builder.count(refOf(Math.floor(n / 3)), 'valid', 1, NOON, source(`10.0.0.${n % 3}`));
  createBatchWriter(db)(builder.batch, NOON);
}

async function foldAll(folder: Folder): Promise<void> {
  const upto = folder.newest();
  for (let wait: number | undefined; ; ) {
    wait = folder.step(upto);
    if (wait === undefined) return;
    await sleep(wait);
  }
}
const sums = (db: Database.Database) =>
  db
    .prepare(`select (select sum(uses) from secret_use) as uses, (select sum(valid) from usage_day) as days,
      (select sum(uses) from key_source) as sources, (select count(*) from use_pending) as pending`)
    .get();

test('what a batch says is what each table counts', async () => {
  const { db } = activity();
  const builder = new BatchBuilder();
  const count = (code: VerifyCode, uses: number, at: number, from: ReturnType<typeof source>) =>
    builder.count(refOf(1), code, uses, at, from);
  count('valid', 3, NOON, source('10.0.0.1'));
  count('valid', 1, NOON + 2, source('10.0.0.2'));
  count('valid', 2, NOON + 1, source('10.0.0.1'));
  count('rate_limited', 4, NOON + 9, source('10.0.0.1'));
  count('disabled', 5, NOON + 9, source('10.0.0.3'));
  count('ip_not_allowed', 6, NOON + 9, source(null));
  count('valid', 7, NOON + 9, source('10.0.0.9', 'enrolment'));
  count('valid', 1, NOON - 24 * 3_600_000, source('10.0.0.2'));
  createBatchWriter(db)(builder.batch, NOON);
  const folder = new Folder(db);
  await foldAll(folder);

  expect(db.prepare('select uses, last_at, last_ip from secret_use').all()).toEqual([
    { uses: 7, last_at: NOON + 2, last_ip: '10.0.0.2' },
  ]);
  expect(db.prepare('select valid, unauthorized, forbidden, rate_limited from usage_day order by day').all()).toEqual([
    { valid: 1, unauthorized: 0, forbidden: 0, rate_limited: 0 },
    { valid: 6, unauthorized: 5, forbidden: 6, rate_limited: 4 },
  ]);
  expect(db.prepare('select sum(valid), sum(forbidden) from usage_hour').raw().get()).toEqual([7, 6]);
  expect(db.prepare('select purpose, ip, uses, last_at from key_source order by day, purpose, ip').raw().all()).toEqual(
    [
      ['direct', '10.0.0.2', 1, NOON - 24 * 3_600_000],
      ['direct', '10.0.0.1', 9, NOON + 9],
      ['direct', '10.0.0.2', 1, NOON + 2],
      ['enrolment', '10.0.0.9', 7, NOON + 9],
    ],
  );
});

test('in a batch, too, a caller that was told apart stays so, however many come after it', () => {
  const builder = new BatchBuilder();
  const count = (ip: string, at: number) => builder.count(refOf(1), 'valid', 1, at, source(ip));
  count('10.0.0.1', NOON);
  for (let n = 0; n < 2 * MOST_SOURCES; n++) count(`10.1.${n >> 8}.${n & 255}`, NOON);
  count('10.0.0.1', NOON + 5);
  const counts = [...countsOf(builder.batch)];
  expect(counts.find(({ ip }) => ip === '10.0.0.1')).toMatchObject({ uses: 2, at: NOON + 5 });
  expect(counts.reduce((sum, { uses }) => sum + uses, 0)).toBe(2 * MOST_SOURCES + 2);
  expect(counts.length).toBe(MOST_SOURCES + 1);
});

test('an older use that comes later does not become the last one', async () => {
  const { db } = activity();
  const folder = new Folder(db);
  for (const [at, ip] of [
    [NOON, '10.0.0.1'],
    [NOON - 1, '10.0.0.2'],
  ] as const) {
    const builder = new BatchBuilder();
    builder.count(refOf(1), 'valid', 1, at, source(ip));
    createBatchWriter(db)(builder.batch, at);
    await foldAll(folder);
  }
  expect(db.prepare('select uses, last_at, last_ip from secret_use').all()).toEqual([
    { uses: 2, last_at: NOON, last_ip: '10.0.0.1' },
  ]);
});

test('an end after any slice loses nothing and counts nothing twice', async () => {
  const { db, connect } = activity();
  const uses = 12_000;
  useMany(db, uses);
  for (let slices = 0; slices <= 3; slices++) {
    const cut = connect();
    const folder = new Folder(cut);
    const upto = folder.newest();
    // Begins, or takes over what the one before has left; each further step adds a slice.
    for (let wait = folder.step(upto); wait; wait = folder.step(upto)) await sleep(wait);
    for (let i = 0; i < slices; i++) expect(folder.step(upto)).toBe(0);
    // Its process ends here.
    cut.close();
    useMany(db, uses);
  }
  const written = uses * 5;
  await foldAll(new Folder(db));
  await foldAll(new Folder(db));
  expect(sums(db)).toEqual({ uses: written, days: written, sources: written, pending: 0 });
}, 30_000);

test('two processes at it at once count everything once', async () => {
  const { db, connect } = activity();
  const other = new Folder(connect());
  const folder = new Folder(db);
  for (let round = 0; round < 3; round++) {
    useMany(db, 11_000);
    const upto = folder.newest();
    folder.step(upto);
    // Held up in the middle of it until the other one loses its patience.
    await foldAll(other);
    useMany(db, 100);
    await foldAll(folder);
  }
  const written = 3 * 11_100;
  expect(sums(db)).toEqual({ uses: written, days: written, sources: written, pending: 0 });
}, 30_000);

test('one that is about to be added elsewhere is waited for', async () => {
  const { db, connect } = activity();
  useMany(db, 11_000);
  const [first, second] = [new Folder(db), new Folder(connect())];
  const upto = first.newest();
  first.step(upto);
  let added = 0;
  for (let wait: number | undefined; ; ) {
    wait = second.step(upto);
    if (wait === undefined) break;
    // The second one adds nothing while the first goes on.
    expect(wait).toBeGreaterThan(0);
    first.step(upto);
    added++;
  }
  expect(added).toBeGreaterThan(1);
  expect(sums(db)).toEqual({ uses: 11_000, days: 11_000, sources: 11_000, pending: 0 });
});

test('more than is summed up at once is added in turns', async () => {
  const { db } = activity();
  db.exec(`insert into use_pending (key_id, secret_id, workspace_id, day, purpose, outcome, uses, at)
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 600000)
    select 'key_' || (i % 7), 'sec_' || (i % 7), 'ws_1', 1, 'direct', 'valid', 1, i from n`);
  await foldAll(new Folder(db));
  expect(sums(db)).toEqual({ uses: 600_000, days: 600_000, sources: 600_000, pending: 0 });
}, 30_000);

test('callers of a key beyond the most in a day are one, and every use is counted all the same', async () => {
  const { db } = activity();
  const folder = new Folder(db);
  const write = createBatchWriter(db);
  let uses = 0;
  // Keys 1 and 2 have a caller that stays the same and, in each batch, new ones; key 3 stays quiet.
  for (const batch of [1, 2, 3]) {
    const builder = new BatchBuilder();
    const use = (key: number, ip: string, day = 0) => {
      builder.count(refOf(key), 'valid', 1, NOON + day * 86_400_000, source(ip));
      uses++;
    };
    for (const key of [1, 2, 3]) use(key, '10.0.0.1');
    for (const key of [1, 2]) for (let n = 1; n < MOST_SOURCES - 50; n++) use(key, `2001:db8::${batch}:${n}`);
    if (batch === 3) use(1, '10.0.0.1', 1);
    write(builder.batch, NOON);
    await foldAll(folder);
  }
  const rows = db
    .prepare<[], [string, number, number, number, number]>(
      `select key_id, day - (select min(day) from key_source), count(*), sum(uses), sum(iif(ip = '10.0.0.1', uses, 0))
       from key_source group by 1, 2`,
    )
    .raw()
    .all();
  const each = 3 * (MOST_SOURCES - 50);
  expect(rows).toEqual([
    [refOf(1).keyId, 0, MOST_SOURCES, each, 3],
    [refOf(1).keyId, 1, 1, 1, 1],
    [refOf(2).keyId, 0, MOST_SOURCES, each, 3],
    [refOf(3).keyId, 0, 1, 3, 3],
  ]);
  expect(sums(db)).toEqual({ uses, days: uses, sources: uses, pending: 0 });
});

test('a batch holds no more callers of a key than are told apart, however many there are while the file is locked', () => {
  const builder = new BatchBuilder();
  const most = 3 * MOST_SOURCES;
  for (let n = 0; n < most; n++) builder.count(refOf(1), 'expired', 1, NOON, source(`2001:db8::${n}`));
  builder.count(refOf(2), 'valid', 1, NOON, source('10.0.0.1'));
  const counts = [...countsOf(builder.batch)];
  expect(counts.length).toBe(MOST_SOURCES + 2);
  expect(counts.filter((c) => c.secret.keyId === refOf(1).keyId).reduce((sum, c) => sum + c.uses, 0)).toBe(most);
  expect(counts.filter((c) => c.ip === null)).toMatchObject([{ uses: most - MOST_SOURCES, outcome: 'unauthorized' }]);
  expect(builder.batch.texts.length).toBeLessThan(MOST_SOURCES + 10);
});
