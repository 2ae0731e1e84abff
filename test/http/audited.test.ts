import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Selectable } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditRow } from '../../companion/store/tables.ts';
import type { Endpoint } from '../../shared/contract/endpoint.ts';
import { endpoints } from '../../shared/contract/index.ts';
import { type Answer, call } from '../support/client.ts';
import { ACCESS, makeWorld, pathOf, type World } from './access-table.ts';
import { AUDITED, type Audited, callerOf } from './audited-table.ts';

let world: World;
let db: Database.Database;
beforeAll(async () => {
  world = await makeWorld();
  // What is done in the background at the start is done: nothing but the calls changes anything.
  await world.s.companion.runJobs();
  db = new Database(join(world.s.companion.folder, 'heex.sqlite'));
});
afterAll(async () => {
  db.close();
  await world.s.end();
});

const changing = endpoints.filter((e) => e.method !== 'GET');
const audited = changing.filter((e) => 'rows' in (AUDITED[e.id] ?? {}));
/** Everything that an answer ever showed to one caller alone. */
const shown = new Set<string>();

const rowsAfter = (seq: number) =>
  db.prepare<[number], Selectable<AuditRow>>('select * from audit where seq > ? order by seq').all(seq);
const lastSeq = () => db.prepare('select coalesce(max(seq), 0) from audit').pluck().get() as number;

function collect(value: unknown): void {
  if (typeof value === 'string') {
    for (const [secret] of value.matchAll(/heex[a-z]?_(?:\w+_)?[0-9A-Za-z]{46}|(?<=#)[\w-]{20,}/g)) shown.add(secret);
  } else if (value && typeof value === 'object') for (const inner of Object.values(value)) collect(inner);
}

/** Prepares the call, which may write rows of its own, and returns what makes it. */
async function prepared(endpoint: Endpoint): Promise<() => Promise<Answer>> {
  const entry = AUDITED[endpoint.id] as Audited;
  const caller = callerOf(endpoint.id, entry);
  const asked = (await (entry.ask?.(world) ?? ACCESS[endpoint.id]?.ask?.(world, caller))) ?? {};
  collect(asked);
  return async () => {
    const answer = await call(world.s.url, endpoint.method, pathOf(world, endpoint, asked), {
      token: asked.token ?? world.tokens[caller],
      body: asked.body,
      headers: asked.headers ?? {},
    });
    collect(answer.body);
    return answer;
  };
}

test('every endpoint that changes something says what it leaves in the audit log', () => {
  expect(Object.keys(AUDITED).sort()).toEqual(changing.map((e) => e.id).sort());
  for (const [id, entry] of Object.entries(AUDITED)) {
    if (!('shownIn' in entry)) continue;
    const file = join(import.meta.dirname, '..', entry.shownIn);
    expect(existsSync(file) && readFileSync(file, 'utf8').includes(entry.action), `${id}: ${entry.action}`).toBe(true);
  }
});

describe.each(audited)('$id', (endpoint) => {
  test('leaves one row for each thing that it changed, with who did it and from where', async () => {
    const send = await prepared(endpoint);
    const before = lastSeq();
    const answer = await send();
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    const rows = rowsAfter(before);
    expect(rows.map((row) => row.action)).toEqual((AUDITED[endpoint.id] as Audited).rows);
    for (const row of rows) {
      expect(JSON.parse(row.actor)).toMatchObject({ type: expect.any(String), id: expect.any(String) });
      expect(JSON.parse(row.target)).toMatchObject({ id: expect.any(String), name: expect.any(String) });
      expect([row.ip, row.workspace_id]).toEqual(['127.0.0.1', world.s.workspaceId]);
      expect(row.client).toBe(clientOf(endpoint.id));
      expect([row.before !== null, row.after !== null], row.action).toEqual(told(row.action));
      expect(row.before, row.action).not.toBe(row.after);
      expect(row.hash).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  test('does not happen when the row can’t be written', async () => {
    const send = await prepared(endpoint);
    db.exec(`create trigger blocked before insert on audit begin select raise(abort, 'blocked'); end`);
    try {
      const before = contents();
      const answer = await send();
      expect(answer.status).toBe(500);
      expect(JSON.stringify(answer.body)).not.toContain('blocked');
      expect(contents()).toEqual(before);
    } finally {
      db.exec('drop trigger blocked');
    }
  });
});

/** The kind of client: that of the session, made or used. */
function clientOf(id: string): string {
  const entry = AUDITED[id] as Audited;
  return entry.client ?? (callerOf(id, entry) === 'scim' ? 'scim' : 'api');
}

/** Whether a row says what was before, and what after: of what is new only the one, of what is gone only the other. */
function told(action: string): [before: boolean, after: boolean] {
  // Of a password nothing can be told.
  if (action.startsWith('password.')) return [false, true];
  if (/[._](created|joined|connected|enrolled)$/.test(action)) return [false, true];
  if (/[._](removed|deleted|withdrawn|ended|unlinked)$/.test(action)) return [true, false];
  return [true, true];
}

/** What is in the database, but for the notes on when something was last used. */
function contents(): Record<string, unknown[]> {
  const names = db.prepare(`select name from sqlite_master where type = 'table' and name not like 'sqlite_%'`).pluck();
  const withoutUse = (row: Record<string, unknown>) => ({ ...row, last_used_at: undefined });
  return Object.fromEntries(
    (names.all() as string[]).map((name) => [
      name,
      (db.prepare(`select * from "${name}"`).all() as Record<string, unknown>[]).map(withoutUse),
    ]),
  );
}

test('no row has a secret, a token, a password or a hash of one', () => {
  const log = JSON.stringify(rowsAfter(0));
  const hashes = [
    'api_key_secret.hash',
    'session.token_hash',
    'verifier.hash',
    'scim_token.hash',
    'user.password_hash',
  ];
  for (const column of hashes) {
    const [table, name] = column.split('.');
    for (const hash of db.prepare(`select ${name} from "${table}" where ${name} is not null`).pluck().all())
      expect(log.includes(hash as string), column).toBe(false);
  }
  expect(shown.size).toBeGreaterThan(10);
  for (const secret of [...shown, world.s.owner.password, 'another horse battery'])
    expect(log.includes(secret), secret.slice(0, 12)).toBe(false);
});

test('every row of the log, however it came about, says from where and by which client', () => {
  const kinds = new Set(['web', 'extension', 'cli', 'api', 'scim']);
  const rows = rowsAfter(0);
  expect(rows[0]).toMatchObject({ action: 'workspace.created', ip: '127.0.0.1', client: 'api' });
  for (const row of rows)
    expect([row.action, row.ip, kinds.has(row.client ?? '')]).toEqual([row.action, '127.0.0.1', true]);
});

test('after all of it the chain holds', async () => {
  const { body } = await world.s.as(world.admin, 'GET', 'W/audit/verify');
  expect(body).toMatchObject({ valid: true, pending: 0 });
});
