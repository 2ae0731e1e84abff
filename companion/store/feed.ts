import type Database from 'better-sqlite3';
import type { ChangeRow } from './tables.ts';

/** One row of the change feed. */
export type Change = Pick<ChangeRow, 'kind' | 'id' | 'workspace_id'> & { seq: number };

/** Tells a change from one with its number in another past of the database. */
interface Place {
  seq: number;
  mark: string;
}
/** Before the first change. */
const START: Place = { seq: 0, mark: '' };

/** More rows than this at once, and everything is forgotten instead. */
export const AT_ONCE = 10_000;

export interface Feed {
  /** The last change that was applied. */
  readonly seq: number;
  /**
   * Applies every change that is committed by now, whichever process made it. What is read from the database afterwards is
   * at least as new as `seq`: the order (feed first, entry after) is what makes a remembered entry right.
   */
  catchUp(): void;
}

/**
 * Follows the change feed. SQLite's `data_version` moves when any other connection has committed, and costs less than a
 * microsecond to read, so that every single check can ask for it.
 */
export function createFeed(
  db: Database.Database,
  apply: (changes: readonly Change[]) => void,
  forgetAll: () => void,
): Feed {
  const version = db.prepare<[], number>('pragma data_version').pluck();
  const newest = db.prepare<[], Place>('select seq, mark from change order by seq desc limit 1');
  const from = db.prepare<[number, number], Change & Place>(
    'select seq, mark, kind, id, workspace_id from change where seq >= ? order by seq limit ?',
  );
  let seen = -1;
  let at = newest.get() ?? START;
  return {
    get seq() {
      return at.seq;
    },
    catchUp() {
      const now = version.get() as number;
      if (now === seen) return;
      const changes = from.all(at.seq, AT_ONCE + 2);
      // The last change that was applied comes first; before any there is the start, on which number one follows.
      const last = at.seq === 0 ? START : changes.shift();
      // Another one in its place means that a backup was restored underneath; none, that it was pruned, and maybe more.
      const isLost = last?.seq !== at.seq || last.mark !== at.mark || (changes[0]?.seq ?? at.seq + 1) !== at.seq + 1;
      if (isLost || changes.length > AT_ONCE) {
        // Read before forgetting: what comes after is applied next time.
        at = newest.get() ?? START;
        forgetAll();
      } else if (changes.length) {
        apply(changes);
        at = changes.at(-1) as Place;
      }
      // Last, so that a failure on the way makes the next check try again.
      seen = now;
    },
  };
}
