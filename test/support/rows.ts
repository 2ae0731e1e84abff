import { createHash, createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type Environment, makeKey, makeToken, prefixOf } from '../../shared/key-format.ts';

export interface WrittenKey {
  id: string;
  secret: string;
}
export interface WrittenMember {
  userId: string;
  membershipId: string;
  token: string;
  keys: WrittenKey[];
}

let written = 0;

/**
 * Members with sessions and keys, written by plain SQL in one go: for tests that use up thousands of them. The handle is a
 * process's own view of the file, as the `sqlite3` shell would have it, but with foreign keys as given.
 */
export function rowsIn(folder: string, foreignKeys = true) {
  const db = new Database(join(folder, 'heex.sqlite'), { timeout: 10_000 });
  db.pragma(`foreign_keys = ${foreignKeys ? 'ON' : 'OFF'}`);
  const hashKey = Buffer.from(readFileSync(join(folder, 'hash.key'), 'utf8').trim(), 'base64');
  const workspaceId = db.prepare('select id from workspace').pluck().get() as string;
  const now = Date.now();

  function writeKey(membershipId: string, name: string, overrides: { disabled?: boolean; environment?: Environment }) {
    const id = `key_w${++written}`;
    const environment = overrides.environment ?? 'production';
    const secret = makeKey(environment, randomBytes);
    db.prepare(
      `insert into api_key (id, workspace_id, membership_id, created_by, name, name_folded, description, environment, customers,
         ip_allowlist, created_at, disabled_at) values (?, ?, ?, '{}', ?, ?, '', ?, '[]', '[]', ?, ?)`,
    ).run(id, workspaceId, membershipId, name, name, environment, now, overrides.disabled ? now : null);
    db.prepare(
      'insert into api_key_secret (id, key_id, prefix, hash, created_at, current) values (?, ?, ?, ?, ?, 1)',
    ).run(`sec_w${written}`, id, prefixOf(secret), createHmac('sha256', hashKey).update(secret).digest('hex'), now);
    return { id, secret };
  }

  function writeMember(keys: number): WrittenMember {
    const n = ++written;
    const [userId, membershipId, token] = [`usr_w${n}`, `mem_w${n}`, makeToken('session', randomBytes)];
    db.prepare('insert into user (id, name, email, created_at) values (?, ?, ?, ?)').run(
      userId,
      `W ${n}`,
      `w${n}@acme.example`,
      now,
    );
    db.prepare(`insert into membership (id, workspace_id, user_id, role, joined_at) values (?, ?, ?, 'member', ?)`).run(
      membershipId,
      workspaceId,
      userId,
      now,
    );
    db.prepare(
      `insert into session (id, user_id, token_hash, client, label, created_at, last_used_at, expires_at, authenticated_at)
       values (?, ?, ?, 'api', 'Test', ?, ?, ?, ?)`,
    ).run(`ses_w${n}`, userId, createHash('sha256').update(token).digest('hex'), now, now, now + 86_400_000, now);
    return {
      userId,
      membershipId,
      token,
      // Every second one starts disabled.
      keys: Array.from({ length: keys }, (_, i) => writeKey(membershipId, `key ${i}`, { disabled: i % 2 === 1 })),
    };
  }

  return {
    db,
    workspaceId,
    members: (count: number, keys: number): WrittenMember[] =>
      db.transaction(() => Array.from({ length: count }, () => writeMember(keys)))(),
    close: () => db.close(),
  };
}

/** Keys that live without a live member of their workspace: there must never be one. */
export function orphans(db: Database.Database): string[] {
  return db
    .prepare(
      `select k.id from api_key k left join membership m on m.id = k.membership_id and m.workspace_id = k.workspace_id
         left join user u on u.id = m.user_id left join workspace w on w.id = m.workspace_id
       where k.revoked_at is null and (m.id is null or u.id is null or w.id is null)`,
    )
    .pluck()
    .all() as string[];
}

/** What is left of a member. */
export function remains(db: Database.Database, member: WrittenMember) {
  const count = (sql: string, id: string) => db.prepare(sql).pluck().get(id) as number;
  const ids = member.keys.map((key) => key.id);
  const keys = db
    .prepare(`select revoked_reason from api_key where id in (${ids.map(() => '?').join()})`)
    .pluck()
    .all(...ids) as (string | null)[];
  return {
    memberships: count('select count(*) from membership where id = ?', member.membershipId),
    sessions: count('select count(*) from session where user_id = ?', member.userId),
    live: keys.filter((reason) => reason === null).length,
    left: keys.filter((reason) => reason === 'member_left').length,
    audited: count(
      `select count(*) from audit where action = 'member.removed' and json_extract(target, '$.id') = ?`,
      member.membershipId,
    ),
    keysAudited: db
      .prepare(
        `select count(*) from audit where action = 'key.revoked' and json_extract(target, '$.id') in (${ids.map(() => '?').join()})`,
      )
      .pluck()
      .get(...ids) as number,
  };
}
