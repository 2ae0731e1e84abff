import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test, vi } from 'vitest';
import { newCredential, readCredential, writeCredential } from '../../examples/agent/credential.ts';
import { enrol } from '../../examples/agent/enrol.ts';
import { makeKey } from '../../shared/key-format.ts';
import { enrolled, running } from '../support/agents.ts';
import { call } from '../support/client.ts';
import { scratchFolder } from '../support/process.ts';
import { agentProcess, agentProgram, workplace } from '../support/workplace.ts';

test('an agent lives on when the key that installed it is revoked and the companion is killed, until it is removed', async () => {
  const w = await workplace();
  const file = join(w.folder, 'agent', 'agent.json');
  const installed = agentProcess(['install', '--name', 'truck-17', '--file', file], {
    HEEX_URL: w.companion.url,
    HEEX_API_KEY: w.secret,
  });
  expect([await installed.code, installed.out()]).toEqual([0, expect.stringContaining('no longer needed')]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).not.toContain(w.secret);
  expect(installed.out()).not.toContain(w.secret);
  const id = readCredential(file).agentId as string;

  // Installing again changes nothing, and needs no key.
  const twice = agentProcess(['install', '--file', file], {});
  expect([await twice.code, twice.out()]).toEqual([0, expect.stringContaining(`already agent ${id}`)]);

  const runs = agentProcess(['run'], { HEEX_AGENT_FILE: file });
  await w.state(w.companion, id, 'connected');
  const revoked = await call(w.companion.url, 'POST', `${w.W}/keys/${w.key.id}/revoke`, { token: w.token, body: {} });
  expect(revoked.status).toBe(200);
  await w.companion.end('SIGKILL');
  const companion = await w.again();
  expect(await w.state(companion, id, 'connected')).toMatchObject({
    name: 'truck-17',
    version: '1.0.0',
    enrolledKey: { status: 'revoked' },
  });
  expect((await call(companion.url, 'DELETE', `${w.W}/agents/${id}`, { token: w.token })).status).toBe(204);
  expect(await runs.code).toBe(3);
  const lines = runs
    .out()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({ level: 'error', exit: 3 });
  expect(await agentProcess(['run'], { HEEX_AGENT_FILE: file }).code).toBe(3);
  expect(await companion.end()).toBe(0);
});

test('what one companion knows of an agent holds in another on the same data', async () => {
  const w = await workplace();
  const other = await w.second();
  const c = await enrolled(w.companion.url, w.secret);
  const first = running(c);
  expect((await w.state(other, c.agentId, 'connected'))?.ip).toBe('127.0.0.1');

  // The newest connection wins, wherever it is.
  const second = running({ ...c, url: other.url });
  expect(await first.outcome).toBe('replaced');
  await w.state(w.companion, c.agentId, 'connected');
  await w.state(other, c.agentId, 'connected');

  const removed = await call(w.companion.url, 'DELETE', `${w.W}/agents/${c.agentId}`, { token: w.token });
  expect(removed.status).toBe(204);
  expect(await second.outcome).toBe('removed');
  expect([await other.end(), await w.companion.end()]).toEqual([0, 0]);
});

test('agents of a companion that was killed are not shown as connected', async () => {
  const w = await workplace();
  const c = await enrolled(w.companion.url, w.secret);
  const held = running(c);
  await w.state(w.companion, c.agentId, 'connected');
  const other = await w.second();
  await w.state(other, c.agentId, 'connected');
  await w.companion.end('SIGKILL');
  const gone = await w.state(other, c.agentId, 'disconnected');
  expect(gone?.lastSeenAt).not.toBeNull();
  await held.stop();
  await other.end();
});

test('a program that locks the activity file hides no agent, and holds up no stop', async () => {
  const w = await workplace();
  const c = await enrolled(w.companion.url, w.secret);
  const lock = new Database(join(w.folder, 'activity.sqlite'));
  lock.exec('begin immediate');
  const held = running(c);
  expect(await w.state(w.companion, c.agentId, 'connected')).toMatchObject({ version: '1.2.3' });
  // Long enough for many writes to come due.
  await new Promise((done) => setTimeout(done, 7_000));
  expect((await w.state(w.companion, c.agentId, 'connected'))?.lastSeenAt).not.toBeNull();
  const stuck = new Promise((done) => setTimeout(done, 12_000, 'still running').unref());
  expect(await Promise.race([w.companion.end(), stuck])).toBe(0);
  lock.exec('rollback');
  lock.close();
  await held.stop();
});

test('an agent outlives a crash after which the clock is set back', async () => {
  const ahead = join(scratchFolder(), 'ahead.mjs');
  writeFileSync(ahead, 'const now = Date.now; Date.now = () => now() + 500_000;');
  const w = await workplace({ NODE_OPTIONS: `--import ${ahead}` });
  const c = await enrolled(w.companion.url, w.secret);
  const held = running(c);
  await w.state(w.companion, c.agentId, 'connected');
  await w.companion.end('SIGKILL');
  const companion = await w.again({ NODE_OPTIONS: '' });
  expect((await w.state(companion, c.agentId, 'connected'))?.connectedAt).not.toBeNull();
  // Two looks at what other processes hold.
  await new Promise((done) => setTimeout(done, 2_500));
  await w.state(companion, c.agentId, 'connected');
  expect(held.said.filter((message) => message === 'connected')).toHaveLength(2);
  expect(await held.stop()).toBe('stopped');
  await companion.end();
});

test('an agent that freezes is shown as gone, and comes back when it thaws', async () => {
  const w = await workplace();
  const c = await enrolled(w.companion.url, w.secret);
  const file = join(w.folder, 'agent.json');
  writeCredential(file, c, false);
  const runs = agentProcess(['run', '--file', file], {});
  await w.state(w.companion, c.agentId, 'connected');
  runs.child.kill('SIGSTOP');
  await w.state(w.companion, c.agentId, 'disconnected');
  runs.child.kill('SIGCONT');
  await w.state(w.companion, c.agentId, 'connected');
  runs.child.kill('SIGTERM');
  expect(await runs.code).toBe(0);
  expect(await w.companion.end()).toBe(0);
});

test('an installation that was cut off is finished with the same key pair', async () => {
  const w = await workplace();
  const file = join(w.folder, 'agent.json');
  const pending = newCredential(w.companion.url);
  writeCredential(file, pending, false);
  // The companion had answered, but the answer was never written down.
  const { id } = await enrol(pending, w.secret, 'rig-5');
  const unfinished = agentProcess(['run', '--file', file], {});
  expect([await unfinished.code, unfinished.out()]).toEqual([2, expect.stringContaining('not finished')]);
  const installed = agentProcess(['install', '--file', file], { HEEX_URL: w.companion.url, HEEX_API_KEY: w.secret });
  expect([await installed.code, installed.out()]).toEqual([0, expect.stringContaining(`Enrolled as rig-5 (${id})`)]);
  expect(readCredential(file)).toMatchObject({ agentId: id, x: pending.x });
  await w.companion.end();
});

test('a credential that others can read is not used, and nothing is installed with less than it takes', async () => {
  const folder = scratchFolder();
  const file = join(folder, 'agent.json');
  const key = { HEEX_API_KEY: 'heex_prod_0000000000000000000000000000000000000000000000' };
  const refused = async (args: string[], env: Record<string, string>, said: string) => {
    const p = agentProcess([...args, '--file', file], env);
    expect([await p.code, p.out()]).toEqual([2, expect.stringContaining(said)]);
    expect(p.out()).not.toContain(key.HEEX_API_KEY);
  };
  await refused(['run'], {}, 'heex-agent install');
  await refused(['install'], {}, 'HEEX_URL is not set');
  await refused(['install'], { HEEX_URL: 'https://keys.example.com' }, 'HEEX_API_KEY is not set');
  await refused(['install'], { HEEX_URL: 'http://keys.example.com', ...key }, 'in clear');
  await refused(['install'], { HEEX_URL: 'http://127.0.0.1:9', ...key }, 'not an API key');
  await refused(['dance'], {}, 'heex-agent install');
  writeCredential(file, { ...newCredential('http://127.0.0.1:9'), agentId: 'agt_1' }, false);
  chmodSync(file, 0o640);
  await refused(['run'], {}, 'can be read by others');
  await refused(['install'], {}, 'can be read by others');
  writeFileSync(file, '{"url":"http', { mode: 0o600 });
  chmodSync(file, 0o600);
  await refused(['install'], {}, 'move it away');
});

test('neither an empty file, as a full disk leaves it, nor a short host name stands in the way of an installation', async () => {
  const w = await workplace();
  const home = scratchFolder();
  const file = join(home, 'heex-agent', 'agent.json');
  mkdirSync(join(home, 'heex-agent'));
  writeFileSync(file, '', { mode: 0o600 });
  const env = { HEEX_URL: w.companion.url, HEEX_API_KEY: w.secret, XDG_CONFIG_HOME: home };
  const installed = agentProcess(['install', '--name', 'rig-6'], env);
  expect([await installed.code, installed.out()]).toEqual([0, expect.stringContaining('Enrolled as rig-6')]);
  expect(readCredential(file).agentId).toMatch(/^agt_/);
  expect(readdirSync(join(home, 'heex-agent'))).toEqual(['agent.json']);
  // A machine whose own name is too short for one gets the default.
  const short = join(home, 'short.mjs');
  const rename = "os.hostname = () => 'x'; syncBuiltinESMExports();";
  writeFileSync(short, `import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module'; ${rename}`);
  const unnamed = agentProcess(['install', '--file', join(home, 'x.json')], {
    ...env,
    NODE_OPTIONS: `--import ${short}`,
  });
  expect([await unnamed.code, unnamed.out()]).toEqual([0, expect.stringMatching(/^Enrolled as agent-/)]);
  await w.companion.end();
});

test('what a server says cannot write to the terminal of who installs', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(403, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ detail: 'no\u001b[2J\u009b31m\u202e\nheex-agent: Enrolled' }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const secret = makeKey('production', randomBytes);
  const p = agentProcess(['install', '--file', join(scratchFolder(), 'agent.json')], {
    HEEX_URL: url,
    HEEX_API_KEY: secret,
  });
  expect(await p.code).toBe(2);
  expect(p.out().trimEnd()).toMatch(/^heex-agent: \P{C}+$/u);
  server.close();
});

test('a full disk or a crash in the middle of writing leaves no part of a credential', () => {
  const folder = scratchFolder();
  const file = join(folder, 'agent.json');
  const c = { ...newCredential('http://127.0.0.1:9'), agentId: 'agt_1' };
  writeCredential(file, c, false);
  const before = readFileSync(file, 'utf8');
  // Never in the place of one that is there, and nothing else is left in the folder.
  expect(() => writeCredential(file, newCredential('http://127.0.0.1:9'), false)).toThrow('is there');
  expect([readFileSync(file, 'utf8'), readdirSync(folder)]).toEqual([before, ['agent.json']]);
  // A file size limit stands for the full disk.
  const text = `
    import { newCredential, writeCredential } from ${JSON.stringify(join(agentProgram, '../credential.ts'))};
    process.on('SIGXFSZ', () => {});
    writeCredential(process.argv[1], newCredential('http://127.0.0.1:9'), false);`;
  const fresh = join(folder, 'fresh.json');
  const command = 'ulimit -f 0; exec "$0" --input-type=module-typescript -e "$1" "$2"';
  const write = (how: string) => spawnSync('sh', ['-c', how, process.execPath, text, fresh]).status;
  expect(write(command)).not.toBe(0);
  expect(existsSync(fresh)).toBe(false);
  expect(write(command.replace('ulimit -f 0; ', ''))).toBe(0);
  expect(readCredential(fresh).agentId).toBeNull();
});

test('a device whose clock is two days off enrols by the time of the companion', async () => {
  const w = await workplace();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * 86_400_000 });
  try {
    expect((await enrolled(w.companion.url, w.secret)).agentId).toMatch(/^agt_/);
  } finally {
    vi.useRealTimers();
  }
  await w.companion.end();
});
