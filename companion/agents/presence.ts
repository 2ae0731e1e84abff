import { sql } from 'kysely';
import type { AgentReport } from '../../shared/agent-protocol.ts';
import { BEAT_STALE_MS } from '../domain/agent.ts';
import type { Store } from '../store/store.ts';

/** One live connection, as it is written down. */
export interface Seen {
  agentId: string;
  workspaceId: string;
  connectedAt: number;
  lastSeenAt: number;
  ip: string | null;
  report: AgentReport;
}

/** Presence is written this often, in one transaction of the activity file, however many agents there are. */
const WRITE_EVERY_MS = 400;
const BEAT_EVERY_MS = 1_000;
/** A process that has not beaten for this long is forgotten. */
const FORGET_MS = 3_600_000;

/**
 * Writes down which agents are connected to this process. A row says by which process it is held; one that crashed stops
 * beating and so holds nothing, without anybody tidying up.
 */
export class PresenceWriter {
  readonly #store: Store;
  readonly #processId: string;
  readonly #now: () => number;
  readonly #failed: (error: unknown) => void;
  /** What is to be written; `held` is whether the connection is still there. */
  readonly #waiting = new Map<string, Seen & { held: boolean }>();
  readonly #timer: NodeJS.Timeout;
  #writing: Promise<void> = Promise.resolve();
  #beatAt = Number.NEGATIVE_INFINITY;
  readonly #held = new Set<string>();
  #lookedAt = 0;

  constructor(store: Store, processId: string, now: () => number, failed: (error: unknown) => void) {
    this.#store = store;
    this.#processId = processId;
    this.#now = now;
    this.#failed = failed;
    this.#timer = setInterval(() => {
      if (this.#due()) this.flush().catch(this.#failed);
    }, WRITE_EVERY_MS);
    this.#timer.unref();
  }

  /** The connection is there, and its agent was heard of at `lastSeenAt`. */
  note(seen: Seen): void {
    this.#held.add(seen.agentId);
    this.#waiting.set(seen.agentId, { ...seen, held: true });
  }

  /** The connection has ended. */
  ended(seen: Seen): void {
    this.#held.delete(seen.agentId);
    this.#waiting.set(seen.agentId, { ...seen, held: false });
  }

  /** Writes what is waiting. One at a time, so that a later state is never overtaken by an earlier one. */
  flush(): Promise<void> {
    const next = this.#writing.then(() => this.#write());
    this.#writing = next.catch(() => {});
    return next;
  }

  /**
   * Agents that are here and connected to another process later.
   * @param connectedAt when the agent connected to this process, if it did
   */
  async takenOver(connectedAt: (agentId: string) => number | undefined): Promise<string[]> {
    const now = this.#now();
    const { read } = this.#store.activity;
    const others = await read
      .selectFrom('companion_process')
      .select('id')
      .where('id', '<>', this.#processId)
      .where('beat_at', '>', now - BEAT_STALE_MS)
      .execute();
    const ids = others.map((other) => other.id);
    if (!ids.length) return [];
    const held = await read
      .selectFrom('agent_presence')
      .select(['agent_id', 'connected_at'])
      .where('process_id', 'in', ids)
      .where('connected_at', '>', this.#lookedAt - BEAT_STALE_MS)
      .execute();
    this.#lookedAt = now;
    return held
      .filter((h) => h.connected_at > (connectedAt(h.agent_id) ?? Number.POSITIVE_INFINITY))
      .map((h) => h.agent_id);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  #due(): boolean {
    return this.#waiting.size > 0 || (this.#held.size > 0 && this.#now() - this.#beatAt >= BEAT_EVERY_MS);
  }

  async #write(): Promise<void> {
    if (!this.#due()) return;
    const now = this.#now();
    const rows = [...this.#waiting.values()];
    this.#waiting.clear();
    try {
      await this.#store.activity.write.transaction().execute(async (tx) => {
        await sql`insert into companion_process (id, beat_at) values (${this.#processId}, ${now})
          on conflict (id) do update set beat_at = excluded.beat_at`.execute(tx);
        await sql`delete from companion_process where beat_at < ${now - FORGET_MS}`.execute(tx);
        if (rows.length) await this.#upsert(rows).execute(tx);
      });
      this.#beatAt = now;
    } catch (error) {
      // Put back what nothing newer has replaced: the next round writes it.
      for (const row of rows) if (!this.#waiting.has(row.agentId)) this.#waiting.set(row.agentId, row);
      throw error;
    }
  }

  /** All rows in one statement. A row that another process wrote for a later connection is left alone. */
  #upsert(rows: readonly (Seen & { held: boolean })[]) {
    const json = JSON.stringify(
      rows.map((r) => ({
        a: r.agentId,
        w: r.workspaceId,
        p: r.held ? this.#processId : null,
        c: r.connectedAt,
        s: r.lastSeenAt,
        v: r.report.version ?? null,
        h: r.report.hostName ?? null,
        f: r.report.platform ?? null,
        i: r.ip,
      })),
    );
    return sql`insert into agent_presence
        (agent_id, workspace_id, process_id, connected_at, last_seen_at, version, host_name, platform, ip)
      select value ->> 'a', value ->> 'w', value ->> 'p', value ->> 'c', value ->> 's', value ->> 'v', value ->> 'h',
        value ->> 'f', value ->> 'i' from json_each(${json}) where true
      on conflict (agent_id) do update set process_id = excluded.process_id, connected_at = excluded.connected_at,
        last_seen_at = excluded.last_seen_at, version = excluded.version, host_name = excluded.host_name,
        platform = excluded.platform, ip = excluded.ip
      where agent_presence.process_id is ${this.#processId} or agent_presence.connected_at <= excluded.connected_at`;
  }
}
