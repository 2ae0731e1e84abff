import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { SETUP_TOKEN } from '../support/companion.ts';
import { type CompanionProcess, scratchFolder, startProcess } from '../support/process.ts';

const owner = {
  token: SETUP_TOKEN,
  workspace: 'Acme',
  name: 'Ada',
  email: 'ada@acme.example',
  password: 'correct horse battery',
};
let companion: CompanionProcess;
let token: string;
beforeAll(async () => {
  companion = await startProcess(scratchFolder());
  token = (await call(companion.url, 'POST', '/v1/setup', { body: owner })).body.session.token;
});
afterAll(() => companion.end());

/** Sends bytes as they are and answers what comes back until the other side closes. */
function raw(text: string, close = true): Promise<string> {
  const { hostname, port } = new URL(companion.url);
  return new Promise((done) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on('data', (d) => {
      answer += d;
      if (close) socket.end();
    });
    // What was not read when the companion closed resets the connection; its answer is there by then.
    socket.on('error', () => {});
    socket.on('close', () => done(answer));
  });
}
const host = () => new URL(companion.url).host;

test('only its own host is answered, and repeated or absolute forms are refused', async () => {
  expect(await raw('GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n')).toContain('HTTP/1.1 421');
  expect(await raw(`GET /healthz HTTP/1.1\r\nHost: ${host()}\r\n\r\n`)).toContain('HTTP/1.1 200');
  expect(await raw(`GET /healthz HTTP/1.1\r\nHost: ${host()}\r\nHost: evil.example\r\n\r\n`)).toContain('HTTP/1.1 400');
  expect(await raw(`GET http://evil.example/healthz HTTP/1.1\r\nHost: ${host()}\r\n\r\n`)).toMatch(
    /HTTP\/1\.1 (400|421)/,
  );
  const twice = `GET /v1/me HTTP/1.1\r\nHost: ${host()}\r\nAuthorization: Bearer ${token}\r\nAuthorization: Bearer x\r\n\r\n`;
  expect(await raw(twice)).toContain('HTTP/1.1 400');
});

test('a check of a key is refused the same way, although it takes a shorter way through the server', async () => {
  const verify = (names: string, auth: string) =>
    raw(
      `POST /v1/verify HTTP/1.1\r\n${names}\r\n${auth}\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"key":"k"}`,
    );
  const workspaceId = (await call(companion.url, 'GET', '/v1/me', { token })).body.memberships[0].workspaceId;
  const made = await call(companion.url, 'POST', `/v1/workspaces/${workspaceId}/verifiers`, {
    token,
    body: { name: 'gateway', environment: 'production' },
  });
  const [own, auth] = [`Host: ${host()}`, `Authorization: Bearer ${made.body.secret}`];
  expect(await verify(own, auth)).toContain('HTTP/1.1 200');
  expect(await verify('Host: evil.example', auth)).toContain('HTTP/1.1 421');
  expect(await verify(own, `${auth}\r\nAuthorization: Bearer x`)).toContain('HTTP/1.1 400');
  expect(await verify(own, `Authorization: Bearer x\r\n${auth}`)).toContain('HTTP/1.1 400');
});

test('a slow sender is cut, in its headers and in its body', async () => {
  const body = `POST /v1/setup HTTP/1.1\r\nHost: ${host()}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
  const answers = await Promise.all([raw('GET /healthz HTTP/1.1\r\nHost: ', false), raw(body, false)]);
  for (const answer of answers) {
    const [head = '', problem = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 408 .*\r\nConnection: close/is);
    expect(JSON.parse(problem)).toMatchObject({ code: 'request_timeout', requestId: expect.stringMatching(/^req_/) });
  }
});

test('under a foreign write lock reads go on, and a write answers 503 or waits, never half done', async () => {
  const other = new Database(join(companion.folder, 'heex.sqlite'));
  other.exec('begin immediate');
  const signIn = call(companion.url, 'POST', '/v1/sessions', {
    body: { email: owner.email, password: owner.password },
  });
  for (let i = 0; i < 20; i++) expect((await call(companion.url, 'GET', '/v1/me', { token })).status).toBe(200);
  other.exec('rollback');
  other.close();
  expect((await signIn).status).toBe(201);
});

test('what was begun is answered after SIGTERM, however often it is sent, and the exit is clean', async () => {
  const one = await startProcess(companion.folder);
  const begun = call(one.url, 'POST', '/v1/sessions', { body: { email: owner.email, password: owner.password } });
  // The request is on its way once the connection is there: password hashing keeps it in flight.
  await call(one.url, 'GET', '/healthz');
  const ended = one.end();
  one.child.kill('SIGTERM');
  expect((await begun).status).toBe(201);
  expect(await ended).toBe(0);
});

test('the companion goes on when nobody reads its log any more', async () => {
  const one = await startProcess(companion.folder);
  one.child.stdout?.destroy();
  for (let i = 0; i < 3; i++) expect((await call(one.url, 'GET', '/healthz')).status).toBe(200);
  expect(await one.end()).toBe(0);
});

test('a stop is finished even when nothing else keeps the process alive', async () => {
  const folder = scratchFolder();
  const script = `
    const { readConfig } = await import('./companion/config.ts');
    const { startCompanion } = await import('./companion/start.ts');
    const companion = await startCompanion(readConfig({ HEEX_PORT: '0', HEEX_DATA: ${JSON.stringify(folder)} }), () => {});
    // The thread that counts is started by the first use that is counted.
    companion.deps.usage.report('ver_1', 'batch', [], []).catch(() => {});
    await companion.stop();
    console.log('stopped');`;
  const root = join(import.meta.dirname, '../..');
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: root, encoding: 'utf8' });
  expect([child.status, child.stdout.trim()]).toEqual([0, 'stopped']);
});
