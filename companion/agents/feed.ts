import type Database from 'better-sqlite3';
import { openReader } from '../store/sqlite.ts';

/** How often another process's change is looked for: `PRAGMA data_version` takes about a microsecond. */
const LOOK_EVERY_MS = 200;

export interface KnownAgent {
  id: string;
  workspaceId: string;
  name: string;
  /** `x` of its JWK. */
  publicKey: string;
  removed: boolean;
}

interface Row {
  id: string;
  workspace_id: string;
  name: string;
  public_key: string;
  removed_at: number | null;
}

/**
 * The agents as they are committed, read at once and without waiting on a handle of its own, and the news of those that were
 * removed, whichever process did it.
 */
export class AgentRegister {
  readonly #db: Database.Database;
  readonly #find: Database.Statement<[string], Row>;
  readonly #news: Database.Statement<[number], { seq: number; kind: string; id: string }>;
  readonly #timer: NodeJS.Timeout;
  #version: number;
  #seq: number;

  /** @param changed called with each agent that was changed or removed, and `undefined` when the feed has a gap: look at all */
  constructor(file: string, changed: (agentId: string | undefined) => void, failed: (error: unknown) => void) {
    this.#db = openReader(file);
    this.#find = this.#db.prepare('select id, workspace_id, name, public_key, removed_at from agent where id = ?');
    this.#news = this.#db.prepare('select seq, kind, id from change where seq > ? order by seq');
    this.#version = this.#dataVersion();
    this.#seq = this.#db.prepare('select coalesce(max(seq), 0) from change').pluck().get() as number;
    this.#timer = setInterval(() => {
      try {
        this.#look(changed);
      } catch (error) {
        failed(error);
      }
    }, LOOK_EVERY_MS);
    this.#timer.unref();
  }

  find(agentId: string): KnownAgent | undefined {
    const row = this.#find.get(agentId);
    return (
      row && {
        id: row.id,
        workspaceId: row.workspace_id,
        name: row.name,
        publicKey: row.public_key,
        removed: row.removed_at !== null,
      }
    );
  }

  close(): void {
    clearInterval(this.#timer);
    this.#db.close();
  }

  #dataVersion = () => this.#db.pragma('data_version', { simple: true }) as number;

  #look(changed: (agentId: string | undefined) => void): void {
    const version = this.#dataVersion();
    if (version === this.#version) return;
    const rows = this.#news.all(this.#seq);
    this.#version = version;
    // Old rows of the feed may be cleared away: then nothing tells what this process has missed.
    if (rows[0] && rows[0].seq !== this.#seq + 1) changed(undefined);
    for (const row of rows) if (row.kind === 'agent') changed(row.id);
    this.#seq = rows.at(-1)?.seq ?? this.#seq;
  }
}
