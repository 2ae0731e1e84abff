import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { SETUP_TOKEN } from '../support/companion.ts';
import { runToEnd, scratchFolder, startProcess } from '../support/process.ts';

const owner = {
  token: SETUP_TOKEN,
  workspace: 'Acme',
  name: 'Ada',
  email: 'ada@acme.example',
  password: 'correct horse battery',
};

/** A data folder that a companion has made and left. */
async function usedFolder(): Promise<string> {
  const folder = scratchFolder();
  const companion = await startProcess(folder);
  expect((await call(companion.url, 'POST', '/v1/setup', { body: owner })).status).toBe(201);
  expect(await companion.end()).toBe(0);
  return folder;
}

async function refused(env: Record<string, string>): Promise<string> {
  const { code, stderr } = await runToEnd(env);
  expect(code).toBe(2);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  return stderr;
}

test.each([
  ['HEEX_PORT', '99999'],
  ['HEEX_PORT', '80a'],
  ['HEEX_HOST', 'no host'],
  ['HEEX_HOST', '999.1.1.1'],
  ['HEEX_PUBLIC_URL', 'keys.example.com'],
  ['HEEX_PUBLIC_URL', 'https://keys.example.com/path'],
  ['HEEX_HASH_KEY', 'c2hvcnQ='],
  ['HEEX_PLAN', 'gold'],
  ['HEEX_KEY_LIMIT', '-1'],
  ['HEEX_SETUP_TOKEN', 'short'],
  ['HEEX_DATABASE_URL', 'postgres://x'],
])('a bad %s=%s stops the start with one line that names it', async (name, value) => {
  expect(await refused({ HEEX_DATA: scratchFolder(), [name]: value })).toContain(name);
});

test('the hash key is made on first start, for the owner of the process alone, like every file beside it', async () => {
  const folder = await usedFolder();
  for (const file of ['hash.key', 'heex.sqlite', 'activity.sqlite'])
    expect(statSync(join(folder, file)).mode & 0o077, file).toBe(0);
  expect(statSync(folder).mode & 0o022).toBe(0);
});

test('a start is refused when the hash key is missing, wrong, or there without its database', async () => {
  const folder = await usedFolder();
  const [key, database] = [join(folder, 'hash.key'), join(folder, 'heex.sqlite')];
  renameSync(key, `${key}.kept`);
  expect(await refused({ HEEX_DATA: folder })).toContain('hash.key is missing');
  expect(existsSync(key)).toBe(false);
  writeFileSync(key, Buffer.alloc(32, 1).toString('base64'));
  expect(await refused({ HEEX_DATA: folder })).toContain('does not belong');
  rmSync(key);
  mkdirSync(key);
  expect(await refused({ HEEX_DATA: folder })).toContain("hash.key can't be read");
  rmSync(key, { recursive: true });
  writeFileSync(key, 'not a key');
  expect(await refused({ HEEX_DATA: folder })).toContain('not a hash key');
  copyFileSync(`${key}.kept`, key);
  renameSync(database, `${database}.kept`);
  expect(await refused({ HEEX_DATA: folder })).toContain('is missing');
  renameSync(`${database}.kept`, database);
  const companion = await startProcess(folder);
  expect(
    (await call(companion.url, 'POST', '/v1/sessions', { body: { email: owner.email, password: owner.password } }))
      .status,
  ).toBe(201);
  await companion.end();
});

test('a start is refused on an empty, truncated, corrupt or foreign database and on one from a newer version', async () => {
  const folder = await usedFolder();
  const file = join(folder, 'heex.sqlite');
  const good = readFileSync(file);
  const spoil = async (change: () => void, says: string) => {
    change();
    const spoilt = readFileSync(file);
    expect(await refused({ HEEX_DATA: folder })).toContain(says);
    expect(readFileSync(file).equals(spoilt), 'a file that is refused stays as it is').toBe(true);
    for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
    writeFileSync(file, good);
  };
  await spoil(() => truncateSync(file, 0), 'is empty');
  await spoil(() => truncateSync(file, good.length / 2), 'corrupt');
  await spoil(() => writeFileSync(file, 'not a database at all, whatever its name says'), 'corrupt or not a database');
  await spoil(() => {
    const torn = Buffer.from(good);
    torn.fill(0xff, 4096, 8192);
    writeFileSync(file, torn);
  }, 'corrupt');
  await spoil(() => {
    const db = new Database(file);
    db.pragma('user_version = 9999');
    db.close();
  }, 'newer version');
  await spoil(() => {
    rmSync(file);
    new Database(file).exec('create table other (x)').close();
  }, 'not a database of Heex Keys');
  await spoil(() => {
    const db = new Database(file);
    db.pragma('application_id = 1');
    db.close();
  }, 'not a database of Heex Keys');
});

// Root may write everywhere.
test.skipIf(process.getuid?.() === 0)('a start is refused on a folder that can not be written', async () => {
  const folder = scratchFolder();
  chmodSync(folder, 0o500);
  expect(await refused({ HEEX_DATA: folder })).toContain("can't be written");
});

test('a folder below a file is refused', async () => {
  const file = join(scratchFolder(), 'file');
  writeFileSync(file, '');
  expect(await refused({ HEEX_DATA: join(file, 'data') })).toContain('HEEX_DATA');
});

test('a first start that was cut off between its two files is finished by the next', async () => {
  const folder = await usedFolder();
  renameSync(join(folder, 'hash.key'), join(folder, 'hash.key.new'));
  const companion = await startProcess(folder);
  expect(await companion.end()).toBe(0);
  expect(existsSync(join(folder, 'hash.key'))).toBe(true);
});

test('two companions that start at once on an empty folder share what one of them made', async () => {
  const folder = scratchFolder();
  const [a, b] = await Promise.all([startProcess(folder), startProcess(folder)]);
  const made = await call(a.url, 'POST', '/v1/setup', { body: owner });
  expect(made.status).toBe(201);
  expect((await call(b.url, 'GET', '/v1/me', { token: made.body.session.token })).status).toBe(200);
  expect(await Promise.all([a.end(), b.end()])).toEqual([0, 0]);
});

test('the setup link is printed until there is an owner, and secrets are never logged', async () => {
  const folder = scratchFolder();
  const first = await startProcess(folder, { HEEX_SETUP_TOKEN: '' });
  const token = /\/setup#(\w+)/.exec(first.output())?.[1];
  const made = await call(first.url, 'POST', '/v1/setup', { body: { ...owner, token } });
  expect(made.status).toBe(201);
  await call(first.url, 'GET', `/v1/me?token=${made.body.session.token}`, { token: made.body.session.token });
  expect(await first.end()).toBe(0);
  expect(first.output()).toContain('"message":"request"');
  for (const secret of [made.body.session.token, owner.password]) expect(first.output()).not.toContain(secret);
  const second = await startProcess(folder, { HEEX_SETUP_TOKEN: '' });
  expect(second.output()).not.toContain('/setup#');
  await second.end();
});
