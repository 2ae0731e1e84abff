import { copyFileSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createVerifier, type Verifier } from '../../shared/verifier/index.ts';
import { until } from '../support/agents.ts';
import { type TestCompanion, testCompanion } from '../support/companion.ts';
import { type KeyBench, keyBench } from '../support/keys.ts';
import { type Line, line } from '../support/tcp-proxy.ts';
import { atOnce } from '../support/verifier.ts';

let companion: TestCompanion;
let bench: KeyBench;
let wire: Line;
let verifier: Verifier;
beforeAll(async () => {
  // The line has a port that stays, whichever the companion has.
  wire = await line(() => companion.url);
  companion = await testCompanion({ HEEX_PUBLIC_URL: wire.url });
  bench = await keyBench(companion);
  verifier = createVerifier({ url: wire.url, secret: (await bench.verifier()).secret, maxSilenceMs: 60_000 });
  expect(await verifier.ready()).toBe(true);
});
afterAll(async () => {
  await verifier.close();
  wire.close();
  await companion.end();
});

/** Restarts the companion, and waits until the service follows it again. */
async function restart(between?: () => void): Promise<void> {
  await companion.restart(between);
  await until(() => verifier.state.live);
}

test('a restart makes services forget nothing; a database that was restored makes them forget what the one before it said', async () => {
  const { id, secret: key } = await bench.key();
  await bench.edit(id, { disabled_at: 1 });
  const file = companion.deps.store.files.database;
  const backup = `${file}.backup`;
  const source = new Database(file, { readonly: true });
  await source.backup(backup);
  source.close();

  await bench.edit(id, { disabled_at: null });
  expect((await verifier.check({ key })).code).toBe('valid');
  await restart();
  expect(atOnce(verifier.check({ key })).code).toBe('valid');

  await restart(() => {
    for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
    copyFileSync(backup, file);
    // Until they are connected again, the numbers pass the last one that they know.
    const db = new Database(file);
    for (let i = 0; i < 50; i++) db.exec(`update verifier set name = 'orders ${i}'`);
    db.close();
  });
  expect((await verifier.check({ key })).code).toBe('disabled');
});
