import type Database from 'better-sqlite3';
import type { SecretRef } from '../app/deps.ts';
import { countsOf, notesOf, type Outcome, outcomeOf, type UsageBatch, type UseCount } from './batch.ts';

const ADD = `
insert into use_pending (key_id, secret_id, workspace_id, day, purpose, outcome, ip, user_agent, uses, at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
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

type HourCount = Pick<SecretRef, 'workspaceId' | 'environment'> & Pick<UseCount, 'hour'> & Record<Outcome, number>;

/** The counts of a workspace's environment in an hour, over all of its keys: one row to write instead of one for each key. */
class Hours {
  readonly #sums = new Map<string, HourCount>();
  add({ secret: { workspaceId, environment }, hour, outcome, uses }: UseCount): void {
    const name = `${workspaceId} ${environment} ${hour}`;
    let sum = this.#sums.get(name);
    if (!sum) {
      sum = { workspaceId, environment, hour, valid: 0, unauthorized: 0, forbidden: 0, rate_limited: 0 };
      this.#sums.set(name, sum);
    }
    sum[outcome] += uses;
  }
  [Symbol.iterator]() {
    return this.#sums.values();
  }
}

/**
 * Writes a batch in one transaction: all of it or nothing, so that no use is counted twice. What is counted for each key goes
 * to `use_pending`, from where `Folder` adds it to the counts.
 */
export function createBatchWriter(db: Database.Database): (batch: UsageBatch, now: number) => void {
  const add = db.prepare(ADD);
  const countHour = db.prepare(COUNT_HOUR);
  const note = db.prepare(NOTE);
  const seen = db.prepare(SEEN);
  const once = db.prepare(ONCE);

  function writeCounts(batch: UsageBatch): void {
    const hours = new Hours();
    for (const count of countsOf(batch)) {
      const { secret, hour, outcome, purpose, ip, userAgent, uses, at } = count;
      const day = Math.floor(hour / 24);
      add.run(secret.keyId, secret.secretId, secret.workspaceId, day, purpose, outcome, ip, userAgent, uses, at);
      // An enrolment says nothing about how much a key is used.
      if (purpose === 'direct') hours.add(count);
    }
    for (const h of hours)
      countHour.run(h.workspaceId, h.environment, h.hour, h.valid, h.unauthorized, h.forbidden, h.rate_limited);
  }

  function writeNotes(batch: UsageBatch): void {
    const verifiers = new Map<string, number>();
    for (const { requestId, secret, at, code, purpose, verifierId, ip, userAgent } of notesOf(batch)) {
      const { workspaceId, keyId, secretId, prefix } = secret;
      const outcome = outcomeOf(code);
      note.run(requestId, workspaceId, keyId, secretId, prefix, at, outcome, code, purpose, verifierId, ip, userAgent);
      if (verifierId !== null) verifiers.set(verifierId, at);
    }
    for (const [id, at] of verifiers) seen.run(id, at);
  }

  const write = db.transaction((batch: UsageBatch, now: number) => {
    if (batch.once && !once.run(batch.once.verifierId, batch.once.name, now).changes) return;
    writeCounts(batch);
    writeNotes(batch);
  });
  return (batch, now) => write.immediate(batch, now);
}
