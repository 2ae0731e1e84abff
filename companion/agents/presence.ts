import { setTimeout as sleep } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import type { SeenAgent } from '../app/deps.ts';
import type { Store } from '../store/store.ts';

/** Presence is written this often, in one transaction of the activity file, however many agents there are. */
const WRITE_EVERY_MS = 400;
const BEAT_EVERY_MS = 1_000;
/** A process that has not beaten for this long is forgotten. */
const FORGET_MS = 3_600_000;
/** The last write is waited for this long: a file that somebody else holds must not hold up the stop. */
const CLOSE_MS = 2_000;

/**
 * Writes down which agents are connected to this process. A row says by which process it is held; one that crashed stops
 * beating and so holds nothing, without anybody tidying up. Which of two connections is newer is told by a turn, taken in
 * the transaction that writes the connection: the clock may have been set back in between.
 */
export class PresenceWriter {
  readonly #store: Store;
  readonly processId: string;
  readonly #now: () => number;
  readonly #failed: (error: unknown) => void;
  /** What is to be written. */
  readonly #waiting = new Map<string, SeenAgent>();
  readonly #held = new Map<string, SeenAgent>();
  readonly #timer: NodeJS.Timeout;
  #writing: Promise<void> | undefined;
  #closed = false;
  /** On the clock that never goes back. */
  #beatAt = Number.NEGATIVE_INFINITY;
  /** The last turn that was looked at, and that of the look before. */
  #looked: readonly [before: number, last: number] = [0, 0];

  constructor(store: Store, processId: string, now: () => number, failed: (error: unknown) => void) {
    this.#store = store;
    this.processId = processId;
    this.#now = now;
    this.#failed = failed;
    this.#timer = setInterval(() => {
      if (this.#due()) this.#flush();
    }, WRITE_EVERY_MS);
    this.#timer.unref();
  }

  /** The connection is there, or its agent was heard of. */
  note(seen: SeenAgent): void {
    this.#held.set(seen.agentId, seen);
    this.#waiting.set(seen.agentId, seen);
  }

  /** The connection has ended. */
  ended(seen: SeenAgent): void {
    seen.held = false;
    this.#held.delete(seen.agentId);
    this.#waiting.set(seen.agentId, seen);
  }

  *seen(): Iterable<SeenAgent> {
    yield* this.#held.values();
    for (const seen of this.#waiting.values()) if (!seen.held) yield seen;
  }

  /** Agents that are here and connected to another process later. */
  async takenOver(): Promise<string[]> {
    // Twice over each turn: at the first look a connection of ours may just be getting its own.
    const [before, last] = this.#looked;
    const newer = await this.#store.activity.read
      .selectFrom('agent_presence')
      .select(['agent_id', 'turn'])
      .where('turn', '>', before)
      .where('process_id', 'is not', this.processId)
      .execute();
    this.#looked = [last, newer.reduce((most, row) => Math.max(most, row.turn), last)];
    // One that has no turn yet will get a later one.
    return newer
      .filter((row) => row.turn > (this.#held.get(row.agent_id)?.turn ?? Number.POSITIVE_INFINITY))
      .map((row) => row.agent_id);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const written = (this.#writing ?? Promise.resolve()).then(() => this.#flush());
    await Promise.race([written, sleep(CLOSE_MS, undefined, { ref: false })]);
    this.#closed = true;
  }

  #due(): boolean {
    return this.#waiting.size > 0 || (this.#held.size > 0 && performance.now() - this.#beatAt >= BEAT_EVERY_MS);
  }

  /** Writes what is waiting. One at a time: what comes meanwhile is written by the next. */
  #flush(): Promise<void> {
    if (this.#closed || !this.#due()) return Promise.resolve();
    this.#writing ??= this.#write()
      .catch(this.#failed)
      .finally(() => {
        this.#writing = undefined;
      });
    return this.#writing;
  }

  async #write(): Promise<void> {
    const rows = [...this.#waiting.values()];
    this.#waiting.clear();
    const fresh = rows.filter((row) => row.held && row.turn === undefined);
    try {
      const first = await this.#store.activity.write.transaction().execute(async (tx) => {
        const now = this.#now();
        await sql`insert into companion_process (id, beat_at) values (${this.processId}, ${now})
          on conflict (id) do update set beat_at = excluded.beat_at`.execute(tx);
        await sql`delete from companion_process where abs(beat_at - ${now}) > ${FORGET_MS}`.execute(tx);
        const { last } = await tx
          .updateTable('agent_turn')
          .set((is) => ({ last: is('last', '+', fresh.length) }))
          .returning('last')
          .executeTakeFirstOrThrow();
        const turns = new Map(fresh.map((row, i) => [row, last - i]));
        if (rows.length) await this.#upsert(rows, turns).execute(tx);
        return turns;
      });
      for (const [row, turn] of first) row.turn = turn;
      this.#beatAt = performance.now();
    } catch (error) {
      // Put back what nothing newer has replaced: the next round writes it.
      for (const row of rows) if (!this.#waiting.has(row.agentId)) this.#waiting.set(row.agentId, row);
      throw error;
    }
  }

  /**
   * All rows in one statement. A row of a later connection is left alone, and one that somebody holds also by a connection
   * that ended before it was ever written.
   */
  #upsert(rows: readonly SeenAgent[], turns: ReadonlyMap<SeenAgent, number>): RawBuilder<unknown> {
    const json = JSON.stringify(
      rows.map((r) => ({
        a: r.agentId,
        w: r.workspaceId,
        p: r.held ? this.processId : null,
        c: r.connectedAt,
        s: r.lastSeenAt,
        v: r.report.version ?? null,
        h: r.report.hostName ?? null,
        f: r.report.platform ?? null,
        i: r.ip,
        t: r.turn ?? turns.get(r) ?? 0,
      })),
    );
    return sql`insert into agent_presence
        (agent_id, workspace_id, process_id, connected_at, last_seen_at, version, host_name, platform, ip, turn)
      select value ->> 'a', value ->> 'w', value ->> 'p', value ->> 'c', value ->> 's', value ->> 'v', value ->> 'h',
        value ->> 'f', value ->> 'i', value ->> 't' from json_each(${json}) where true
      on conflict (agent_id) do update set process_id = excluded.process_id, connected_at = excluded.connected_at,
        last_seen_at = excluded.last_seen_at, version = excluded.version, host_name = excluded.host_name,
        platform = excluded.platform, ip = excluded.ip, turn = max(agent_presence.turn, excluded.turn)
      where excluded.turn >= agent_presence.turn or (excluded.turn = 0 and agent_presence.process_id is null)`;
  }
}
