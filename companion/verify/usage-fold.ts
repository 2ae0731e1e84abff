import type Database from 'better-sqlite3';
import { MOST_SOURCES } from './batch.ts';

/** Rows that are added in one transaction: some tens of milliseconds, for which another process may have to wait. */
const AT_ONCE = 5_000;

/** Rows that are summed up at once, which is done in memory: some tens of MB. */
const IN_MEMORY = 250_000;

/** Pending uses, summed and in the order of the keys. Of this connection alone, so that it is gone after a crash. */
const SUMS = `
create temp table if not exists folding (
  key_id text, secret_id text, workspace_id text, day integer, purpose text, outcome text, ip text, user_agent text,
  uses integer, at integer
)`;
const SUM_UP = `
insert into folding
  select key_id, secret_id, workspace_id, day, purpose, outcome, ip, user_agent, sum(uses), max(at)
  from use_pending where id <= ? and key_id > ?
  group by key_id, secret_id, workspace_id, day, purpose, outcome, ip, user_agent order by key_id, secret_id`;
/** The last row of the key of a row. */
const END_OF_KEY = `
select rowid - 1 as last from folding where rowid > ? and key_id <> (select key_id from folding where rowid = ?)
order by rowid limit 1`;
// With one max() in it, SQLite takes the columns that are not summed from the row that has it (sqlite.org/lang_select.html).
const ADD_USES = `
insert into secret_use (key_id, secret_id, uses, last_at, last_ip, last_user_agent)
  select key_id, secret_id, sum(uses), max(at), ip, user_agent from folding
  where rowid between ? and ? and purpose = 'direct' and outcome = 'valid' group by key_id, secret_id
on conflict (key_id, secret_id) do update set uses = uses + excluded.uses,
  last_ip = case when excluded.last_at >= last_at then excluded.last_ip else last_ip end,
  last_user_agent = case when excluded.last_at >= last_at then excluded.last_user_agent else last_user_agent end,
  last_at = max(last_at, excluded.last_at)`;
const ADD_DAYS = `
insert into usage_day (key_id, workspace_id, day, valid, unauthorized, forbidden, rate_limited)
  select key_id, workspace_id, day, sum(iif(outcome = 'valid', uses, 0)), sum(iif(outcome = 'unauthorized', uses, 0)),
    sum(iif(outcome = 'forbidden', uses, 0)), sum(iif(outcome = 'rate_limited', uses, 0)) from folding
  where rowid between ? and ? and purpose = 'direct' group by key_id, day
on conflict (key_id, day) do update set valid = valid + excluded.valid, unauthorized = unauthorized + excluded.unauthorized,
  forbidden = forbidden + excluded.forbidden, rate_limited = rate_limited + excluded.rate_limited`;
/** Whether a key of these rows has more callers in a day than are told apart. */
const ARE_CROWDED = `
select exists (
  select 1 from (
    select key_id, min(day) as since, count(*) as given from folding where rowid between ? and ? group by key_id) f
  where given + (select count(*) from key_source s where s.key_id = f.key_id and s.day >= f.since) > ${MOST_SOURCES})`;
// What a removal would break: a script that is over its limit now runs into it all the same.
const addSources = (rows: string) => `
insert into key_source (key_id, day, purpose, ip, user_agent, uses, last_at)
  with given as (
    select key_id, day, purpose, coalesce(ip, '') as ip, coalesce(user_agent, '') as user_agent, sum(uses) as uses, max(at) as at
    from folding where rowid between ? and ? and outcome in ('valid', 'rate_limited') group by 1, 2, 3, 4, 5)
  ${rows}
on conflict (key_id, day, purpose, ip, user_agent) do update set uses = uses + excluded.uses,
  last_at = max(last_at, excluded.last_at)`;
const ADD_SOURCES = addSources('select * from given where true');
/** Callers beyond the most are one without address and name. */
const ADD_SOURCES_OF_CROWDED = addSources(`, placed as (
  select *, exists (
      select 1 from key_source s where s.key_id = given.key_id and s.day = given.day and s.purpose = given.purpose
        and s.ip = given.ip and s.user_agent = given.user_agent)
    or row_number() over (partition by key_id, day)
      <= ${MOST_SOURCES} - (select count(*) from key_source s where s.key_id = given.key_id and s.day = given.day) as is_told
  from given)
select key_id, day, purpose, iif(is_told, ip, ''), iif(is_told, user_agent, ''), sum(uses), max(at) from placed
group by 1, 2, 3, 4, 5`);

interface Mark {
  /** Rows of `use_pending` up to this one are being added to the counts. */
  upto: number;
  /** Keys up to this one are done; null when nothing is under way. */
  through: string | null;
}

/** What another process has begun is taken over when it has not moved for this long: that process is gone, or too slow. */
const PATIENCE_MS = 500;
const LOOK_EVERY_MS = 100;

/**
 * Adds what is pending to the counts, a slice of the keys in each transaction, together with how far it got: after a crash
 * it goes on from there, and two processes never add the same. A step that throws changed nothing and can be tried again.
 */
export class Folder {
  readonly #run: ReturnType<typeof prepare>;
  /** What is being added by this one, and the last row of `folding` that is done. */
  #mark: Mark | undefined;
  #done = 0;
  #end = 0;
  /** What another one is adding, and since when it looks like that. */
  #seen: (Mark & { since: number }) | undefined;

  constructor(db: Database.Database) {
    db.pragma('temp_store = memory');
    db.exec(SUMS);
    this.#run = prepare(db);
  }

  /** The number of the last use that was written. */
  newest(): number {
    return this.#run.newest.get() ?? 0;
  }

  /**
   * Adds a slice.
   * @param upto the number of a use
   * @param most nothing after this use is begun with
   * @returns after how many milliseconds to go on; undefined when everything up to that use was added before
   */
  step(upto: number, most = upto): number | undefined {
    if (!this.#mark) {
      const now = this.#run.mark.get();
      if (now.through === null && now.upto >= upto) return undefined;
      if (now.through !== null && this.#isElsewhere(now)) return LOOK_EVERY_MS;
      this.#mark = this.#begin(most);
      return this.#mark && 0;
    }
    const isLast = this.#done + AT_ONCE >= this.#end;
    const to = isLast ? this.#end : this.#endOfKey(this.#done + AT_ONCE);
    const after = this.#run.addSlice.immediate(this.#mark, this.#done + 1, to, to >= this.#end);
    this.#mark = after?.through == null ? undefined : after;
    this.#done = to;
    return 0;
  }

  #isElsewhere({ upto, through }: Mark): boolean {
    const at = performance.now();
    if (this.#seen?.upto !== upto || this.#seen.through !== through) this.#seen = { upto, through, since: at };
    return at - this.#seen.since < PATIENCE_MS;
  }

  #begin(most: number): Mark | undefined {
    const mark = this.#run.begin.immediate(most);
    if (mark) {
      this.#run.clear.run();
      this.#run.sumUp.run(mark.upto, mark.through);
      this.#end = this.#run.last.get() ?? 0;
      this.#done = 0;
    }
    return mark;
  }

  /** All rows of a key are added at once. */
  #endOfKey(row: number): number {
    return this.#run.endOfKey.get(row, row) ?? this.#end;
  }
}

function prepare(db: Database.Database) {
  const mark = db.prepare<[], Mark>('select upto, through from use_fold') as { get(): Mark };
  const setMark = db.prepare('update use_fold set upto = ?, through = ?');
  const newest = db.prepare<[], number | null>('select max(id) from use_pending').pluck();
  const oldest = db.prepare<[], number | null>('select min(id) from use_pending').pluck();
  const keyAt = db.prepare<[number], string>('select key_id from folding where rowid = ?').pluck();
  const steps = [ADD_USES, ADD_DAYS].map((text) => db.prepare(text));
  const areCrowded = db.prepare<[number, number], number>(ARE_CROWDED).pluck();
  const [sources, sourcesOfCrowded] = [db.prepare(ADD_SOURCES), db.prepare(ADD_SOURCES_OF_CROWDED)];
  const remove = db.prepare('delete from use_pending where id <= ?');
  return {
    mark,
    newest,
    clear: db.prepare('delete from folding'),
    sumUp: db.prepare(SUM_UP),
    last: db.prepare<[], number | null>('select max(rowid) from folding').pluck(),
    endOfKey: db.prepare<[number, number], number>(END_OF_KEY).pluck(),
    /** Takes up what is under way, or begins with what is pending up to that use. */
    begin: db.transaction((most: number): Mark | undefined => {
      const now = mark.get();
      if (now.through !== null) return now;
      const from = oldest.get();
      if (from == null || from > most) return undefined;
      const upto = Math.min(most, newest.get() as number, from + IN_MEMORY - 1);
      setMark.run(upto, '');
      return { upto, through: '' };
    }),
    /** @returns how far it is now, or undefined when another process was quicker */
    addSlice: db.transaction((given: Mark, from: number, to: number, isLast: boolean): Mark | undefined => {
      const now = mark.get();
      if (now.upto !== given.upto || now.through !== given.through) return undefined;
      for (const step of steps) step.run(from, to);
      (areCrowded.get(from, to) ? sourcesOfCrowded : sources).run(from, to);
      if (isLast) remove.run(given.upto);
      const after = { upto: given.upto, through: isLast ? null : (keyAt.get(to) as string) };
      setMark.run(after.upto, after.through);
      return after;
    }),
  };
}
