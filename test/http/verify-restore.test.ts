import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createVerifier } from '../../shared/verifier/index.ts';
import { until } from '../support/agents.ts';
import { type TestCompanion, testCompanion } from '../support/companion.ts';
import { type KeyBench, keyBench } from '../support/keys.ts';

let companion: TestCompanion;
let bench: KeyBench;
beforeAll(async () => {
  companion = await testCompanion();
  bench = await keyBench(companion);
});
afterAll(() => companion.end());

/** Puts a backup in the place of the database while the companion runs, as `.restore` of the sqlite3 shell does. */
async function restoreUnderneath(backup: string): Promise<void> {
  const source = new Database(backup, { readonly: true });
  await source.backup(companion.deps.store.files.database);
  source.close();
}

async function backUp(): Promise<string> {
  const file = companion.deps.store.files.database;
  const source = new Database(file, { readonly: true });
  await source.backup(`${file}.backup`);
  source.close();
  return `${file}.backup`;
}

test('what changes after a backup was restored underneath is in force, whatever number it has', async () => {
  const { secret } = await bench.verifier();
  const [few, many] = [await bench.key(), await bench.key()];
  const backup = await backUp();
  for (let i = 0; i < 5; i++) await bench.group(['a:b']);
  for (const { secret: key } of [few, many]) expect(await bench.codeOf(secret, { key })).toBe('valid');
  await restoreUnderneath(backup);

  // A number that was given out before, and then the one that the companion would wait for.
  await bench.edit(few.id, { disabled_at: 1 });
  expect(await bench.codeOf(secret, { key: few.secret })).toBe('disabled');
  for (let i = 0; i < 9; i++) await bench.edit(many.id, { disabled_at: i || null });
  expect(await bench.codeOf(secret, { key: many.secret })).toBe('disabled');
});

test('numbers that have passed the last known one before anybody looked do not hide it', async () => {
  const { secret } = await bench.verifier();
  const [before, key] = [await bench.key(), await bench.key()];
  await bench.edit(key.id, { disabled_at: 1 });
  const backup = await backUp();
  await bench.edit(key.id, { disabled_at: null });
  expect(await bench.codeOf(secret, { key: key.secret })).toBe('valid');
  await restoreUnderneath(backup);
  for (let i = 0; i < 5; i++) await bench.edit(before.id, { description: `${i}` });
  expect(await bench.codeOf(secret, { key: key.secret })).toBe('disabled');
});

test('a service that follows the changes forgets what it was told before, and is told what comes', async () => {
  const { secret } = await bench.verifier();
  const key = await bench.key();
  const backup = await backUp();
  for (let i = 0; i < 5; i++) await bench.group(['a:b']);
  const verifier = createVerifier({ url: companion.url, secret });
  expect(await verifier.ready()).toBe(true);
  expect((await verifier.check({ key: key.secret })).code).toBe('valid');
  expect(verifier.state.keys).toBe(1);
  await restoreUnderneath(backup);
  await bench.edit(key.id, { disabled_at: 1 });
  await until(async () => (await verifier.check({ key: key.secret })).code === 'disabled');
  await verifier.close();
});
