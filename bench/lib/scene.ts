import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Running, run } from './processes.ts';
import { type Seeded, seed } from './seed.ts';
import { authLoad, verifyLoad } from './wrk.ts';

const bench = join(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'heex-bench-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

export interface Scene {
  seeded: Seeded;
  companion: Running;
}

/** A companion process on a folder of so many keys. */
export async function companionOn(seeded: Seeded): Promise<Running> {
  // The load comes as from a gateway, which forwards its client's address.
  const env = { HEEX_PORT: '0', HEEX_DATA: seeded.folder, HEEX_TRUSTED_PROXIES: '127.0.0.1' };
  return run(join(bench, '../companion/main.ts'), env);
}

/** @param limited whether the keys have a rate limit */
export async function open(count: number, limited = true): Promise<Scene> {
  const folder = join(scratch, `${count}${limited ? '' : '-unlimited'}`);
  mkdirSync(folder);
  const seeded = await seed(folder, count, limited);
  return { seeded, companion: await companionOn(seeded) };
}

export const verifying = ({ seeded, companion }: Scene) => verifyLoad(companion.url, seeded.keysFile, seeded.verifier);
export const gating = ({ seeded, companion }: Scene) => authLoad(companion.url, seeded.keysFile, seeded.verifier);

const body = (key: string) =>
  JSON.stringify({ key, permissions: ['customers:read'], ip: '10.1.2.3', userAgent: 'nightly/1.4' });

/** Asks `/v1/verify` about a key. */
export async function verifyOnce(url: string, verifier: string, key: string): Promise<Response> {
  const headers = { Authorization: `Bearer ${verifier}`, 'Content-Type': 'application/json' };
  return fetch(`${url}/v1/verify`, { method: 'POST', headers, body: body(key) });
}

/** Asks `/v1/auth` about a key. */
export async function authOnce(url: string, verifier: string, key: string): Promise<Response> {
  const headers = { 'X-Heex-Verifier': verifier, 'X-API-Key': key, 'X-Forwarded-For': '10.1.2.3' };
  return fetch(`${url}/v1/auth?permission=customers:read`, { headers });
}

/** A refusal is an answer like any other, and cheaper: none of what was measured may be one. @throws Error */
export async function allWereValid({ companion }: Scene): Promise<void> {
  const text = await (await fetch(`${companion.url}/metrics`)).text();
  const counts = [...text.matchAll(/^heex_checks_total\{code="(\w+)"\} (\d+)$/gm)];
  const refused = counts.filter(([, code, count]) => code !== 'valid' && count !== '0');
  if (!counts.length || refused.length) throw new Error(`checks were refused: ${refused.map(([line]) => line).join()}`);
}

const BATCH = 100;
const AT_ONCE = 4;

/**
 * Asks once about every key, in batches, so that all of them are in memory.
 * @returns keys a second
 */
export async function warm({ seeded, companion }: Scene): Promise<number> {
  const headers = { Authorization: `Bearer ${seeded.verifier}`, 'Content-Type': 'application/json' };
  const began = performance.now();
  let next = 0;
  const ask = async () => {
    while (next < seeded.keys.length) {
      const items = seeded.keys.slice(next, next + BATCH).map((key) => ({ key, ip: '10.1.2.3' }));
      next += BATCH;
      const response = await fetch(`${companion.url}/v1/verify/batch`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ items }),
      });
      if (!response.ok) throw new Error(`a batch was refused: ${response.status} ${await response.text()}`);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return (seeded.keys.length / (performance.now() - began)) * 1_000;
}

async function sample(response: Response) {
  if (response.status !== 200) throw new Error(`a sample was refused: ${response.status} ${await response.text()}`);
  const {
    'transfer-encoding': _,
    connection: __,
    date: ___,
    'keep-alive': ____,
    ...headers
  } = Object.fromEntries(response.headers);
  return { status: 200, headers, body: await response.text() };
}

/** The bare server: Hono routes that parse the same requests and answer the same bytes. */
export async function bare({ seeded, companion }: Scene): Promise<Running> {
  const key = seeded.keys[0] as string;
  const samples = {
    verify: await sample(await verifyOnce(companion.url, seeded.verifier, key)),
    auth: await sample(await authOnce(companion.url, seeded.verifier, key)),
  };
  return run(join(bench, 'bare.ts'), { SAMPLES: JSON.stringify(samples) });
}

/** better-auth with so many keys of its own. @returns it, and the file with its keys */
export async function betterAuth(count: number): Promise<{ server: Running; keysFile: string }> {
  const installed = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: bench,
    stdio: ['ignore', 2, 2],
  });
  if (installed.status !== 0) throw new Error('better-auth could not be installed');
  const folder = join(scratch, 'better-auth');
  mkdirSync(folder);
  const server = await run(join(bench, 'better-auth.mjs'), { FOLDER: folder, COUNT: String(count) });
  return { server, keysFile: join(folder, 'keys.txt') };
}

/** `verifyApiKey` over HTTP. */
export function betterAuthLoad(url: string, keysFile: string, keyLength: number) {
  const [open, close] = ['{"key":"', '"}'];
  const length = open.length + close.length + keyLength;
  const head = [
    'POST /verify HTTP/1.1',
    `Host: ${new URL(url).host}`,
    'Content-Type: application/json',
    `Content-Length: ${length}`,
  ];
  return { url, keysFile, before: `${head.join('\r\n')}\r\n\r\n${open}`, after: close };
}
