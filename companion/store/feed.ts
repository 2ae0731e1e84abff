import type Database from 'better-sqlite3';
import type { ChangeRow } from './tables.ts';

/** One row of the change feed. */
export type Change = Pick<ChangeRow, 'kind' | 'id' | 'workspace_id'> & { seq: number };

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
  const newest = db.prepare<[], number>('select coalesce(max(seq), 0) from change').pluck();
  const after = db.prepare<[number, number], Change>(
    'select seq, kind, id, workspace_id from change where seq > ? order by seq limit ?',
  );
  let seen = -1;
  let seq = newest.get() ?? 0;
  return {
    get seq() {
      return seq;
    },
    catchUp() {
      const now = version.get() as number;
      if (now === seen) return;
      const changes = after.all(seq, AT_ONCE + 1);
      const first = changes[0];
      // A first row that does not follow on means that rows in between were pruned.
      if (changes.length > AT_ONCE || (first && first.seq !== seq + 1)) {
        // Read before forgetting: what comes after is applied next time.
        seq = newest.get() ?? 0;
        forgetAll();
      } else if (first) {
        apply(changes);
        seq = (changes.at(-1) as Change).seq;
      }
      // Last, so that a failure on the way makes the next check try again.
      seen = now;
    },
  };
}
