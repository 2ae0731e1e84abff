import { createHash, createHmac, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { openDataFolder } from '../../companion/store/data-folder.ts';
import { makeKey, makeToken, prefixOf } from '../../shared/key-format.ts';

export interface Seeded {
  folder: string;
  /** One key a line. */
  keysFile: string;
  keys: string[];
  verifier: string;
  /** The owner's session token, just signed in. */
  session: string;
}

/** The same bytes on every run, as fast as a hash gives them. */
function drawFrom(seed: string): (n: number) => Uint8Array {
  let count = 0;
  return (n) => {
    const parts: Buffer[] = [];
    for (let size = 0; size < n; size += 32) parts.push(createHash('sha256').update(`${seed}:${count++}`).digest());
    return Buffer.concat(parts).subarray(0, n);
  };
}

const MEMBERS = 100;
const PERMISSIONS = ['customers:read', 'customers:write', 'invoices:read', 'orders:read', 'reports:read'];

/**
 * A data folder with a workspace of a hundred members and so many keys, each with everything on: a group, an allowlist of two
 * ranges, a rate limit.
 * @param limited whether the keys have a rate limit, which is never reached
 */
export async function seed(folder: string, count: number, limited = true): Promise<Seeded> {
  const { database: db, activity, hashKey } = openDataFolder(folder, undefined, randomBytes);
  db.pragma('synchronous = OFF');
  const draw = drawFrom(String(count));
  const run = (sql: string) => {
    const statement = db.prepare(sql);
    return (...values: (string | number | null)[]) => statement.run(...values);
  };
  const keysFile = join(folder, 'keys.txt');
  const lines = createWriteStream(keysFile);
  const keys: string[] = [];
  const [verifier, session] = [makeToken('verifier', draw), makeToken('session', draw)];
  const hmac = (text: string) => createHmac('sha256', hashKey).update(text).digest('hex');
  db.transaction(() => {
    run("insert into workspace (id, name, plan, key_limit, created_at) values ('ws_1', 'Acme', 'team', 10000000, 1)")();
    const user = run('insert into user (id, name, email, created_at) values (?, ?, ?, 1)');
    const member = run(
      "insert into membership (id, workspace_id, user_id, role, joined_at) values (?, 'ws_1', ?, ?, 1)",
    );
    for (let i = 0; i < MEMBERS; i++) {
      user(`usr_${i}`, `Person ${i}`, `person${i}@acme.example`);
      member(`mem_${i}`, `usr_${i}`, i ? 'member' : 'owner');
    }
    run(
      `insert into authorization_group (id, workspace_id, name, description, permissions, created_at) values ('grp_1', 'ws_1', 'Jobs', '', '${JSON.stringify(PERMISSIONS)}', 1)`,
    )();
    run(
      "insert into verifier (id, workspace_id, name, environment, prefix, hash, created_by, created_at) values ('ver_1', 'ws_1', 'bench', 'production', ?, ?, '{}', 1)",
    )(prefixOf(verifier), hmac(verifier));
    const now = Date.now();
    run(
      `insert into session (id, user_id, token_hash, client, label, created_at, last_used_at, expires_at, authenticated_at)
       values ('ses_1', 'usr_0', ?, 'api', 'bench', ?, ?, ?, ?)`,
    )(createHash('sha256').update(session).digest('hex'), now, now, now + 86_400_000, now);
    const key = run(
      `insert into api_key (id, workspace_id, membership_id, created_by, name, name_folded, description, environment, group_id, customers, ip_allowlist, rate_limit, rate_window_seconds, created_at)
       values (?, 'ws_1', ?, ?, ?, ?, '', 'production', 'grp_1', '[]', '["10.0.0.0/8","2001:db8::/32"]', ${limited ? '1000000, 3600' : 'null, null'}, ?)`,
    );
    const secret = run(
      'insert into api_key_secret (id, key_id, prefix, hash, created_at, current) values (?, ?, ?, ?, 1, 1)',
    );
    for (let i = 0; i < count; i++) {
      const owner = i % MEMBERS;
      const text = makeKey('production', draw);
      const id = createHash('sha256').update(`key ${i}`).digest('hex').slice(0, 20);
      const by = JSON.stringify({
        membershipId: `mem_${owner}`,
        name: `Person ${owner}`,
        email: `person${owner}@acme.example`,
      });
      key(`key_${id}`, `mem_${owner}`, by, `Nightly export ${i}`, `nightly export ${i}`, i);
      secret(`sec_${id}`, `key_${id}`, prefixOf(text), hmac(text));
      keys.push(text);
      lines.write(`${text}\n`);
    }
  }).immediate();
  db.exec('delete from change where seq < (select max(seq) from change)');
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  activity.close();
  lines.end();
  await finished(lines);
  return { folder, keysFile, keys, verifier, session };
}
