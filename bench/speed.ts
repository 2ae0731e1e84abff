import { readFileSync } from 'node:fs';
import { createVerifier } from '../shared/verifier/index.ts';
import { fixed, machine, median, table, whole } from './lib/report.ts';
import { inTurns } from './lib/rounds.ts';
import {
  allWereValid,
  bare,
  betterAuth,
  betterAuthLoad,
  companionOn,
  gating,
  open,
  type Scene,
  verifying,
  warm,
} from './lib/scene.ts';
import { wrk } from './lib/wrk.ts';

/*
 * What a check costs, as ratios of servers measured in turns in one run. `npm run bench`; Linux with wrk. Load and servers share the
 * machine. BENCH_SECONDS (4) and BENCH_ROUNDS (3) make it longer, BENCH_KEYS (1000,100000,1000000) smaller.
 */
const SIZES = (process.env.BENCH_KEYS ?? '1000,100000,1000000').split(',').map(Number);
const rows: string[][] = [];
const add = (what: string, measured: string, ratio: string, aim: string) => {
  rows.push([what, measured, ratio, aim]);
  console.error(`${what}: ${measured}, ${ratio}`);
};
const rate = (n: number) => `${whole(n)}/s`;

/** 1. Against a bare Hono route that parses the same request and answers the same bytes. */
async function againstBare(scene: Scene): Promise<void> {
  const server = await bare(scene);
  for (const [name, load] of [
    ['POST /v1/verify', verifying(scene)],
    ['GET /v1/auth', gating(scene)],
  ] as const) {
    const [ours, theirs] = await inTurns([load, { ...load, url: server.url }]);
    if (!ours || !theirs) continue;
    const measured = `${rate(ours.perSecond)} (p99 ${fixed(ours.p99Ms)} ms) against ${rate(theirs.perSecond)}`;
    add(
      `${name}, everything on, against a bare Hono route`,
      measured,
      fixed(ours.perSecond / theirs.perSecond),
      '0.85',
    );
  }
  await server.stop();
}

/** 2. Against better-auth's verifyApiKey, over HTTP too, on SQLite too. */
async function againstBetterAuth(scene: Scene): Promise<void> {
  const { server, keysFile } = await betterAuth(1_000);
  const length = readFileSync(keysFile, 'utf8').indexOf('\n');
  const [ours, theirs] = await inTurns([verifying(scene), betterAuthLoad(server.url, keysFile, length)]);
  await server.stop();
  if (!ours || !theirs) return;
  const ratio = `${fixed(ours.perSecond / theirs.perSecond, 1)} times`;
  add(
    'POST /v1/verify against better-auth verifyApiKey',
    `${rate(ours.perSecond)} against ${rate(theirs.perSecond)}`,
    ratio,
    '20 times',
  );
}

/** 3. and 6. The same with more keys; memory and start. */
async function bySize(small: Scene): Promise<void> {
  const scenes = [small];
  for (const size of SIZES.slice(1)) scenes.push(await open(size));
  // What counts is how it is once every key was asked about; what the first check of a key costs has a row of its own.
  for (const [i, scene] of scenes.entries())
    add(`First check of a key, ${whole(SIZES[i] ?? 0)} keys, in batches of 100`, rate(await warm(scene)), '–', '–');
  const results = await inTurns(scenes.map(verifying));
  for (const [i, scene] of scenes.entries()) {
    const [now, least] = [results[i]?.perSecond ?? 0, results[0]?.perSecond ?? 1];
    const keys = `${whole(SIZES[i] ?? 0)} keys`;
    if (i > 0) add(`POST /v1/verify at ${keys} against ${whole(SIZES[0] ?? 0)}`, rate(now), fixed(now / least), '0.90');
    const again = await companionOn(scene.seeded);
    const fresh = again.memory();
    await again.stop();
    add(
      `Start and memory at ${keys}`,
      `ready after ${whole(again.startMs)} ms, ${whole(fresh)} MB; ${whole(scene.companion.memory())} MB with every key in use`,
      '–',
      '–',
    );
  }
  await Promise.all(scenes.map(allWereValid));
  await Promise.all(scenes.slice(1).map((s) => s.companion.stop()));
}

/** 4. In a service's own process. Keys with a rate limit are asked about, so these have none. */
async function inProcess(): Promise<void> {
  const { seeded, companion } = await open(10_000, false);
  const verifier = createVerifier({ url: companion.url, secret: seeded.verifier });
  if (!(await verifier.ready(5_000))) throw new Error('the stream does not come');
  const asks = seeded.keys
    .slice(0, 1_000)
    .map((key) => ({ key, permissions: ['customers:read'], ip: '10.1.2.3', userAgent: 'nightly/1.4' }));
  for (const ask of asks) if (!(await verifier.check(ask)).valid) throw new Error('a good key was refused');
  let checks = 0;
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  while (performance.now() - began < 3_000) {
    // The stream has to be heard, or nothing is decided from memory.
    await new Promise((done) => setImmediate(done));
    for (const ask of asks) {
      const decision = verifier.check(ask);
      if (decision instanceof Promise) throw new Error('was not decided from memory');
      checks++;
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  const perSecond = (checks / (user + system)) * 1e6;
  add('In-process verifier, per second of one core', rate(perSecond), `${fixed(perSecond / 1e6)} million`, '1 million');
  await verifier.close();
  await companion.stop();
}

/** 5. Two processes on one folder, asked at once. */
async function twoProcesses(scene: Scene): Promise<void> {
  const second = await companionOn(scene.seeded);
  const other = verifying({ ...scene, companion: second });
  const ones: number[] = [];
  const twos: number[] = [];
  for (let round = 0; round < 3; round++) {
    ones.push((await wrk(verifying(scene), 4)).perSecond);
    const both = await Promise.all([wrk(verifying(scene), 4), wrk(other, 4)]);
    twos.push(both.reduce((sum, r) => sum + r.perSecond, 0));
  }
  await allWereValid({ ...scene, companion: second });
  await second.stop();
  const [one, two] = [median(ones), median(twos)];
  add('Two companion processes against one', `${rate(two)} against ${rate(one)}`, fixed(two / one), '–');
}

/** 7. Removing a member: the whole request, as an admin waits for it. */
async function removal(): Promise<void> {
  const times: number[] = [];
  const { seeded, companion } = await open(100_000 + 1, false);
  for (let member = 1; member <= 5; member++) {
    const began = performance.now();
    const response = await fetch(`${companion.url}/v1/workspaces/ws_1/members/mem_${member}`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${seeded.session}` },
    });
    times.push(performance.now() - began);
    const { revokedKeys } = (await response.json()) as { revokedKeys: number };
    if (revokedKeys !== 1_000) throw new Error(`${revokedKeys} keys were revoked: ${response.status}`);
  }
  await companion.stop();
  const sorted = times.sort((a, b) => a - b);
  add(
    'Removing a member with 1,000 of 100,000 keys',
    `median ${whole(sorted[2] ?? 0)} ms, slowest ${whole(sorted[4] ?? 0)} ms`,
    '–',
    '–',
  );
}

const scene = await open(SIZES[0] ?? 1_000);
await againstBare(scene);
await againstBetterAuth(scene);
await bySize(scene);
await twoProcesses(scene);
await allWereValid(scene);
await scene.companion.stop();
await inProcess();
await removal();
console.log(`${machine()}\n\n${table(['what', 'measured', 'ratio', 'aim'], rows)}`);
