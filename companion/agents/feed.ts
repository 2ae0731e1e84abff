import type Database from 'better-sqlite3';
import { createFeed } from '../store/feed.ts';
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
  readonly #timer: NodeJS.Timeout;

  /** @param changed called with each agent that was changed or removed, and `undefined` when the feed has a gap: look at all */
  constructor(file: string, changed: (agentId: string | undefined) => void, failed: (error: unknown) => void) {
    this.#db = openReader(file);
    this.#find = this.#db.prepare('select id, workspace_id, name, public_key, removed_at from agent where id = ?');
    const feed = createFeed(
      this.#db,
      (changes) => {
        for (const { kind, id } of changes) if (kind === 'agent') changed(id);
      },
      () => changed(undefined),
    );
    this.#timer = setInterval(() => {
      try {
        feed.catchUp();
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
}
