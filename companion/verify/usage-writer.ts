import type Database from 'better-sqlite3';
import type { SecretRef } from '../app/deps.ts';
import { DAY_MS } from '../domain/time.ts';
import { CODES, ENROLMENT, type Outcome, outcomeOf, ROW_FIELDS, type UsageBatch, type UsageCount } from './batch.ts';

const COUNT_USE = `
insert into secret_use (secret_id, key_id, uses, last_at, last_ip, last_user_agent) values (?, ?, ?, ?, ?, ?)
on conflict (secret_id) do update set uses = uses + excluded.uses,
  last_ip = case when excluded.last_at >= last_at then excluded.last_ip else last_ip end,
  last_user_agent = case when excluded.last_at >= last_at then excluded.last_user_agent else last_user_agent end,
  last_at = max(last_at, excluded.last_at)`;
const COUNT_DAY = `
insert into usage_day (key_id, workspace_id, day, valid, unauthorized, forbidden, rate_limited) values (?, ?, ?, ?, ?, ?, ?)
on conflict (key_id, day) do update set valid = valid + excluded.valid, unauthorized = unauthorized + excluded.unauthorized,
  forbidden = forbidden + excluded.forbidden, rate_limited = rate_limited + excluded.rate_limited`;
const COUNT_HOUR = `
insert into usage_hour (workspace_id, environment, hour, valid, unauthorized, forbidden, rate_limited) values (?, ?, ?, ?, ?, ?, ?)
on conflict (workspace_id, hour, environment) do update set valid = valid + excluded.valid,
  unauthorized = unauthorized + excluded.unauthorized, forbidden = forbidden + excluded.forbidden,
  rate_limited = rate_limited + excluded.rate_limited`;
const COUNT_SOURCE = `
insert into key_source (key_id, day, purpose, ip, user_agent, uses, last_at) values (?, ?, ?, ?, ?, ?, ?)
on conflict (key_id, day, purpose, ip, user_agent) do update set uses = uses + excluded.uses, last_at = max(last_at, excluded.last_at)`;
const NOTE = `
insert into request (request_id, workspace_id, key_id, secret_id, prefix, at, outcome, code, purpose, verifier_id, ip, user_agent)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const SEEN = `
insert into verifier_use (verifier_id, last_at) values (?, ?)
on conflict (verifier_id) do update set last_at = max(last_at, excluded.last_at)`;
const ONCE = 'insert into usage_batch (verifier_id, name, at) values (?, ?, ?) on conflict do nothing';

/** Sums by a name, so that the database is asked once for each instead of once for each use. */
class Sums<T extends { uses: number; at: number }> {
  readonly byName = new Map<string, T>();
  add(name: string, uses: number, at: number, make: () => T): void {
    const known = this.byName.get(name);
    if (!known) this.byName.set(name, make());
    else {
      known.uses += uses;
      if (at > known.at) known.at = at;
    }
  }
}

interface Source {
  keyId: string;
  purpose: string;
  ip: string | null;
  userAgent: string | null;
  uses: number;
  at: number;
}

const inOrder = (counts: readonly UsageCount[], secrets: readonly SecretRef[]) => {
  const keyOf = (c: UsageCount) => (secrets[c.secret] as SecretRef).keyId;
  return [...counts].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
};

type HourCount = Pick<SecretRef, 'workspaceId' | 'environment'> & Pick<UsageCount, 'hour' | Outcome>;

/** The counts of a workspace's environment in an hour, over all of its keys: one row to write instead of one for each key. */
function byHour(counts: readonly UsageCount[], secrets: readonly SecretRef[]): Iterable<HourCount> {
  const hours = new Map<string, HourCount>();
  for (const { secret, hour, valid, unauthorized, forbidden, rate_limited } of counts) {
    const { workspaceId, environment } = secrets[secret] as SecretRef;
    const name = `${workspaceId} ${environment} ${hour}`;
    const sum = hours.get(name);
    if (!sum) {
      hours.set(name, { workspaceId, environment, hour, valid, unauthorized, forbidden, rate_limited });
      continue;
    }
    sum.valid += valid;
    sum.unauthorized += unauthorized;
    sum.forbidden += forbidden;
    sum.rate_limited += rate_limited;
  }
  return hours.values();
}

/** Writes a batch in one transaction: all of it or nothing, so that no use is counted twice. */
export function createBatchWriter(db: Database.Database): (batch: UsageBatch, now: number) => void {
  const use = db.prepare(COUNT_USE);
  const day = db.prepare(COUNT_DAY);
  const hour = db.prepare(COUNT_HOUR);
  const source = db.prepare(COUNT_SOURCE);
  const note = db.prepare(NOTE);
  const seen = db.prepare(SEEN);
  const once = db.prepare(ONCE);

  function writeCounts({ counts, secrets }: UsageBatch): void {
    // In the order of the tables, so that neighbours are written together.
    for (const c of inOrder(counts, secrets)) {
      const { secretId, keyId, workspaceId } = secrets[c.secret] as SecretRef;
      const outcomes = [c.valid, c.unauthorized, c.forbidden, c.rate_limited];
      if (c.valid) use.run(secretId, keyId, c.valid, c.lastAt, c.lastIp, c.lastUserAgent);
      day.run(keyId, workspaceId, Math.floor(c.hour / 24), outcomes);
    }
    for (const h of byHour(counts, secrets))
      hour.run(h.workspaceId, h.environment, h.hour, h.valid, h.unauthorized, h.forbidden, h.rate_limited);
  }

  function writeRows({ rows, secrets, texts, sources }: UsageBatch): void {
    const verifiers = new Map<string, number>();
    const from = new Sums<Source>();
    const cameFrom = (
      { keyId }: SecretRef,
      uses: number,
      at: number,
      purpose: string,
      ip: string | null,
      userAgent: string | null,
    ) =>
      from.add(`${keyId}\n${Math.floor(at / DAY_MS)}\n${purpose}\n${ip}\n${userAgent}`, uses, at, () => ({
        keyId,
        purpose,
        ip,
        userAgent,
        uses,
        at,
      }));
    for (let i = 0; i < rows.length; i += ROW_FIELDS) {
      const secret = secrets[rows[i + 1] as number] as SecretRef;
      const at = rows[i + 2] as number;
      const place = rows[i + 3] as number;
      const code = CODES[place % ENROLMENT] as (typeof CODES)[number];
      const purpose = place < ENROLMENT ? 'direct' : 'enrolment';
      const outcome = outcomeOf(code);
      const verifierId = texts[rows[i + 4] as number] as string | null;
      const ip = texts[rows[i + 5] as number] as string | null;
      const userAgent = texts[rows[i + 6] as number] as string | null;
      const { workspaceId, keyId, secretId, prefix } = secret;
      note.run(rows[i], workspaceId, keyId, secretId, prefix, at, outcome, code, purpose, verifierId, ip, userAgent);
      if (verifierId !== null) verifiers.set(verifierId, at);
      // What a removal would break: a script that is over its limit now runs into it all the same.
      if (outcome === 'valid' || outcome === 'rate_limited') cameFrom(secret, 1, at, purpose, ip, userAgent);
    }
    for (const s of sources) cameFrom(secrets[s.secret] as SecretRef, s.uses, s.at, 'direct', s.ip, s.userAgent);
    for (const s of [...from.byName.values()].sort((a, b) => (a.keyId < b.keyId ? -1 : 1)))
      source.run(s.keyId, Math.floor(s.at / DAY_MS), s.purpose, s.ip ?? '', s.userAgent ?? '', s.uses, s.at);
    for (const [id, at] of verifiers) seen.run(id, at);
  }

  const write = db.transaction((batch: UsageBatch, now: number) => {
    if (batch.once && !once.run(batch.once.verifierId, batch.once.name, now).changes) return;
    writeCounts(batch);
    writeRows(batch);
  });
  return (batch, now) => write.immediate(batch, now);
}
