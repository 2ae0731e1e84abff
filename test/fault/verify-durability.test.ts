import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { startProcess } from '../support/process.ts';

/** What is in the file: what was counted, and what waits to be. */
const usesOf = (folder: string, keyId: string): number => {
  const db = new Database(join(folder, 'activity.sqlite'), { readonly: true, timeout: 5_000 });
  const uses = db
    .prepare(`select coalesce(sum(uses), 0) from (select key_id, uses from secret_use
      union all select key_id, uses from use_pending, use_fold
        where outcome = 'valid' and purpose = 'direct' and not (id <= upto and key_id <= coalesce(through, 'z')))
      where key_id = ?`)
    .pluck()
    .get(keyId) as number;
  db.close();
  return uses;
};

test('kill -9 loses at most a second of counts, and never invents one', async () => {
  const arena = await Arena.open();
  const { key, secret } = await arena.as(0, 'POST', '/keys', { name: 'counted', environment: 'production' });
  const folder = arena.companions[0]?.folder ?? '';
  let victim = await startProcess(folder);
  let [certain, possible] = [0, 0];
  const headers = { authorization: `Bearer ${arena.verifier}` };
  for (let round = 0; round < 3; round++) {
    const answered: number[] = [];
    let killed = false;
    let sent = 0;
    const callers = Array.from({ length: 4 }, async () => {
      while (!killed) {
        sent++;
        const answer = await arena.client
          .ask(`${victim.url}/v1/verify`, 'POST', headers, { key: secret })
          .catch(() => undefined);
        if (answer?.status === 200) answered.push(performance.now());
      }
    });
    await sleep(1_700);
    const at = performance.now();
    await victim.end('SIGKILL');
    killed = true;
    await Promise.all(callers);
    // What was answered more than a second before the end is counted; what was never asked is not.
    certain += answered.filter((t) => t < at - 1_000).length;
    possible += sent;
    victim = await startProcess(folder);
    const uses = usesOf(folder, key.id);
    expect(uses).toBeGreaterThanOrEqual(certain);
    expect(uses).toBeLessThanOrEqual(possible);
    certain = uses;
    possible = uses;
  }
  // A clean end loses nothing.
  for (let i = 0; i < 50; i++) await arena.client.ask(`${victim.url}/v1/verify`, 'POST', headers, { key: secret });
  expect(await victim.end()).toBe(0);
  expect(usesOf(folder, key.id)).toBe(certain + 50);
  await arena.end();
}, 60_000);

test('under a foreign lock on either file verification goes on, and nothing that was counted is lost', async () => {
  const arena = await Arena.open();
  const folder = arena.companions[0]?.folder ?? '';
  const { key, secret } = await arena.as(0, 'POST', '/keys', { name: 'counted', environment: 'production' });
  const locks = ['heex.sqlite', 'activity.sqlite'].map((file) => {
    const db = new Database(join(folder, file), { timeout: 5_000 });
    db.exec('begin immediate');
    return db;
  });
  const until = performance.now() + 2_500;
  let asked = 0;
  // Longer than any wait for a lock, asked while both are held.
  while (performance.now() < until) {
    expect(await arena.isGood('auth', asked % 2, secret)).toBe(false);
    expect(await arena.isGood('introspect', asked % 2, secret)).toBe(false);
    const { text } = await arena.client.ask(
      `${arena.url(asked % 2)}/v1/verify`,
      'POST',
      { authorization: `Bearer ${arena.verifier}` },
      { key: secret },
    );
    expect(JSON.parse(text).code).toBe('valid');
    asked++;
  }
  for (const db of locks) {
    db.exec('rollback');
    db.close();
  }
  // Both end cleanly, which writes what was waiting.
  await arena.end();
  // Introspection is a use, too; the gateway's question was refused for want of a permission.
  expect(usesOf(folder, key.id)).toBe(2 * asked);
}, 60_000);

test('a stop under a foreign lock on the counts, with a request that never ends, still ends within ten seconds, cleanly', async () => {
  const arena = await Arena.open();
  const folder = arena.companions[0]?.folder ?? '';
  const { secret } = await arena.as(0, 'POST', '/keys', { name: 'counted', environment: 'production' });
  const db = new Database(join(folder, 'activity.sqlite'), { timeout: 5_000 });
  db.exec('begin immediate');
  await arena.isGood('verify', 0, secret);
  const slow = connect(Number(new URL(arena.url(0)).port), '127.0.0.1').on('error', () => {});
  await new Promise((sent) =>
    slow.write(`POST /v1/verify HTTP/1.1\r\nHost: ${new URL(arena.url(0)).host}\r\nContent-Length: 9\r\n\r\n{`, sent),
  );
  // So that its request was begun.
  await arena.isGood('verify', 0, secret);
  expect(await Promise.race([arena.companions[0]?.end(), sleep(10_000, 'still there')])).toBe(0);
  slow.destroy();
  db.exec('rollback');
  db.close();
  await arena.companions[1]?.end();
  arena.client.close();
}, 60_000);
