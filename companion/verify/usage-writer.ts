import type Database from 'better-sqlite3';
import type { Environment } from '../../shared/key-format.ts';

/** The uses of one secret in one hour, by outcome. */
export interface UsageCount {
  secretId: string;
  keyId: string;
  workspaceId: string;
  environment: Environment;
  /** Hours since 1970-01-01 UTC. */
  hour: number;
  valid: number;
  unauthorized: number;
  forbidden: number;
  rate_limited: number;
  /** Of the last one that was let through; 0 where there was none. */
  lastAt: number;
  lastIp: string | null;
  lastUserAgent: string | null;
}
export interface UsageBatch {
  counts: UsageCount[];
  /** The fields of all rows of the request log, one after another: a flat list crosses to another thread cheaply. */
  rows: (string | number | null)[];
  /** A batch that a service may send again: it is counted once. */
  once?: { verifierId: string; name: string };
}

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
const NOTE = `
insert into request (request_id, workspace_id, key_id, secret_id, prefix, at, outcome, code, purpose, verifier_id, ip, user_agent)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const SEEN = `
insert into verifier_use (verifier_id, last_at) values (?, ?)
on conflict (verifier_id) do update set last_at = max(last_at, excluded.last_at)`;
const ONCE = 'insert into usage_batch (verifier_id, name, at) values (?, ?, ?) on conflict do nothing';
/** Fields of one row in `UsageBatch.rows`. */
export const ROW_FIELDS = 12;

type HourCount = Omit<UsageCount, 'secretId' | 'keyId' | 'lastAt' | 'lastIp' | 'lastUserAgent'>;

/** The counts of a workspace's environment in an hour, over all of its keys: one row to write instead of one for each key. */
function byHour(counts: readonly UsageCount[]): Iterable<HourCount> {
  const hours = new Map<string, HourCount>();
  for (const c of counts) {
    const name = `${c.workspaceId} ${c.environment} ${c.hour}`;
    const sum = hours.get(name);
    if (!sum) {
      hours.set(name, { ...c });
      continue;
    }
    sum.valid += c.valid;
    sum.unauthorized += c.unauthorized;
    sum.forbidden += c.forbidden;
    sum.rate_limited += c.rate_limited;
  }
  return hours.values();
}

/** Writes a batch in one transaction: all of it or nothing, so that no use is counted twice. */
export function createBatchWriter(db: Database.Database): (batch: UsageBatch) => void {
  const use = db.prepare(COUNT_USE);
  const day = db.prepare(COUNT_DAY);
  const hour = db.prepare(COUNT_HOUR);
  const note = db.prepare(NOTE);
  const seen = db.prepare(SEEN);
  const once = db.prepare(ONCE);
  const write = db.transaction((batch: UsageBatch) => {
    if (batch.once && !once.run(batch.once.verifierId, batch.once.name, Date.now()).changes) return;
    const verifiers = new Map<string, number>();
    for (const c of batch.counts) {
      if (c.valid) use.run(c.secretId, c.keyId, c.valid, c.lastAt, c.lastIp, c.lastUserAgent);
      const outcomes = [c.valid, c.unauthorized, c.forbidden, c.rate_limited];
      day.run(c.keyId, c.workspaceId, Math.floor(c.hour / 24), ...outcomes);
    }
    for (const h of byHour(batch.counts))
      hour.run(h.workspaceId, h.environment, h.hour, h.valid, h.unauthorized, h.forbidden, h.rate_limited);
    for (let i = 0; i < batch.rows.length; i += ROW_FIELDS) {
      const row = batch.rows.slice(i, i + ROW_FIELDS);
      note.run(row);
      if (row[9] !== null) verifiers.set(String(row[9]), Number(row[5]));
    }
    for (const [id, at] of verifiers) seen.run(id, at);
  });
  return (batch) => write.immediate(batch);
}
