import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type AuditEntry, audit } from '../../companion/app/audit.ts';
import { call } from './client.ts';
import { SETUP_TOKEN, type TestCompanion, testCompanion } from './companion.ts';

/** A companion with a workspace, its audit log, and ways to write to that past the companion. */
export interface AuditLog {
  companion: TestCompanion;
  workspaceId: string;
  token: string;
  /** Asks for what is below the path of the log. */
  get(path: string): ReturnType<typeof call>;
  /** The report on the chain. */
  verify(query?: string): Promise<{
    valid: boolean;
    entries: number;
    pending: number;
    head: { seq: number; hash: string };
    brokenAt?: number;
  }>;
  /** Rows as the use cases write them, each by a change of its own. */
  write(count: number, entry?: Partial<AuditEntry>): Promise<void>;
  /** Plain SQL, as the `sqlite3` shell would run it; `tamper` first takes the triggers of the log away. */
  sql(text: string, tamper?: boolean): void;
  end(): Promise<void>;
}

export async function auditLog(): Promise<AuditLog> {
  const companion = await testCompanion();
  const { body } = await call(companion.url, 'POST', '/v1/setup', {
    body: { token: SETUP_TOKEN, workspace: 'Acme', name: 'Ada', email: 'ada@acme.example', password: 'correct horse' },
  });
  const [token, workspaceId]: [string, string] = [body.session.token, body.workspace.id];
  const get = (path: string) => call(companion.url, 'GET', `/v1/workspaces/${workspaceId}/audit${path}`, { token });
  return {
    companion,
    workspaceId,
    token,
    get,
    verify: async (query = '') => (await get(`/verify${query}`)).body,
    async write(count, entry = {}) {
      for (let i = 0; i < count; i++)
        await companion.deps.store.transact((tx) =>
          audit(tx, {
            workspaceId,
            at: companion.deps.now(),
            actor: { type: 'member', id: 'mem_1', name: 'ada@acme.example' },
            action: 'group.created',
            target: { type: 'group', id: `grp_${i}`, name: `Group ${i}` },
            after: { permissions: ['customers:read'] },
            origin: undefined,
            client: 'api',
            ...entry,
          }),
        );
    },
    sql(text, tamper = false) {
      const db = new Database(join(companion.folder, 'heex.sqlite'));
      if (tamper) {
        const triggers = db
          .prepare(`select name from sqlite_master where type = 'trigger' and tbl_name = 'audit'`)
          .pluck();
        for (const name of triggers.all()) db.exec(`drop trigger ${name}`);
      }
      try {
        db.exec(text);
      } finally {
        db.close();
      }
    },
    end: () => companion.end(),
  };
}
