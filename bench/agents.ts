import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newCredential } from '../examples/agent/credential.ts';
import { enrol } from '../examples/agent/enrol.ts';
import { ENROL_PERMISSION } from '../shared/agent-protocol.ts';
import { freePort } from '../test/support/port.ts';

/**
 * What idle agents cost a companion, and how it takes all of them coming back at once.
 * `node bench/agents.ts [1000,2000,5000]`. Linux only (it reads /proc). Companion and agents share the machine.
 */
const SIZES = (process.argv[2] ?? '1000,2000,5000').split(',').map(Number);
const IDLE_SECONDS = 40;
const MAIN = join(import.meta.dirname, '../companion/main.ts');

const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const folder = mkdtempSync(join(tmpdir(), 'heex-bench-'));

async function startCompanion(): Promise<ChildProcess> {
  const env = {
    PATH: process.env.PATH ?? '',
    HEEX_PORT: String(port),
    HEEX_DATA: folder,
    HEEX_SETUP_TOKEN: 'setup-token-for-bench',
  };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((done) => {
    let text = '';
    child.stdout?.on('data', (chunk) => {
      if (text.length < 10_000) text += chunk;
      if (text.includes('is ready on')) done();
    });
  });
  return child;
}

const ended = (child: ChildProcess) => new Promise((done) => child.once('exit', done));
const status = (child: ChildProcess, field: string) =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
/** Seconds of processor time that a process has used; a tick is 10 ms on Linux. */
const cpuSeconds = (child: ChildProcess) => {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

async function call(method: string, path: string, token: string | undefined, body: unknown) {
  const answer = await fetch(url + path, {
    method,
    headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function installerKey(): Promise<string> {
  const made = await call('POST', '/v1/setup', undefined, {
    token: 'setup-token-for-bench',
    workspace: 'Bench',
    name: 'Bench',
    email: 'bench@acme.example',
    password: 'correct horse battery',
  });
  const [token, W] = [made.session.token, `/v1/workspaces/${made.workspace.id}`];
  const group = await call('POST', `${W}/groups`, token, { name: 'Installers', permissions: [ENROL_PERMISSION] });
  const body = { name: 'installer', environment: 'production', groupId: group.id };
  return (await call('POST', `${W}/keys`, token, body)).secret;
}

/** Sorted times in milliseconds, said in three numbers. */
function spread(times: number[]): string {
  const sorted = times.sort((a, b) => a - b);
  const at = (q: number) => (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}

/** Agents in a process of their own, so that their memory is not the companion's. */
class Fleet {
  readonly #child = fork(join(import.meta.dirname, 'agents-fleet.ts'));
  #connected = 0;
  #welcomes: number[] = [];
  constructor() {
    this.#child.on('message', (message: { connected: number; welcomes: number[] }) => {
      this.#connected = message.connected;
      this.#welcomes.push(...message.welcomes);
    });
  }
  add(credentials: object[]) {
    this.#child.send(credentials);
  }
  async all(count: number): Promise<number[]> {
    while (this.#connected < count) await sleep(20);
    const welcomes = this.#welcomes;
    this.#welcomes = [];
    return welcomes;
  }
  async none() {
    while (this.#connected > 0) await sleep(5);
    this.#welcomes = [];
  }
  end() {
    this.#child.kill();
  }
}

async function enrolMany(secret: string, count: number): Promise<object[]> {
  const made: object[] = [];
  const started = performance.now();
  const one = async () => {
    while (made.length < count) {
      const credential = newCredential(url);
      made.push({ url, x: credential.x, jwk: credential.privateKey.export({ format: 'jwk' }), agentId: '' });
      const mine = made.at(-1) as { agentId: string };
      mine.agentId = (await enrol(credential, secret, undefined)).id;
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
  const seconds = (performance.now() - started) / 1000;
  console.log(`enrolled ${count} agents in ${seconds.toFixed(1)} s (${Math.round(count / seconds)}/s)`);
  return made;
}

async function storm(old: ChildProcess, fleet: Fleet, count: number, signal: NodeJS.Signals): Promise<ChildProcess> {
  old.kill(signal);
  const stopping = performance.now();
  await ended(old);
  const stopMs = performance.now() - stopping;
  await fleet.none();
  const companion = await startCompanion();
  const ready = Date.now();
  const latencies: number[] = [];
  let done = false;
  const asking = (async () => {
    while (!done) {
      const began = performance.now();
      await fetch(`${url}/readyz`).then((r) => r.text());
      latencies.push(performance.now() - began);
      await sleep(20);
    }
  })();
  const back = (await fleet.all(count)).map((at) => Math.max(0, at - ready)).sort((a, b) => a - b);
  done = true;
  await asking;
  const q = (f: number) => ((back[Math.min(back.length - 1, Math.floor(f * back.length))] ?? 0) / 1000).toFixed(1);
  console.log(
    `${signal}: stopped in ${(stopMs / 1000).toFixed(1)} s; back after ready: half ${q(0.5)} s, 99 % ${q(0.99)} s, all ${q(1)} s; ` +
      `${cpuSeconds(companion).toFixed(1)} s of CPU in all; GET /readyz meanwhile: ${spread(latencies)}; peak RSS ${status(companion, 'VmHWM').toFixed(0)} MB`,
  );
  return companion;
}

console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}`);
let companion = await startCompanion();
const fleet = new Fleet();
try {
  const secret = await installerKey();
  let count = 0;
  await sleep(2_000);
  console.log(`0 agents: RSS ${status(companion, 'VmRSS').toFixed(0)} MB`);
  for (const size of SIZES) {
    fleet.add(await enrolMany(secret, size - count));
    count = size;
    await fleet.all(count);
    await sleep(5_000);
    const [cpu, rss] = [cpuSeconds(companion), () => status(companion, 'VmRSS').toFixed(0)];
    await sleep(IDLE_SECONDS * 1000);
    const percent = ((cpuSeconds(companion) - cpu) / IDLE_SECONDS) * 100;
    console.log(`${count} idle agents: RSS ${rss()} MB, ${percent.toFixed(1)} % of one core`);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) companion = await storm(companion, fleet, count, signal);
    await sleep(10_000);
    console.log(`${count} agents after the storms: RSS ${rss()} MB`);
  }
} finally {
  fleet.end();
  companion.kill();
  await ended(companion);
  rmSync(folder, { recursive: true, force: true });
}
