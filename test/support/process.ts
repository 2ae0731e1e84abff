import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SETUP_TOKEN } from './companion.ts';

const main = join(import.meta.dirname, '../../companion/main.ts');

export interface CompanionProcess {
  url: string;
  folder: string;
  child: ChildProcess;
  /** Everything that it printed so far. */
  output(): string;
  /** Sends a signal and answers the exit code, or the signal that ended it. */
  end(signal?: NodeJS.Signals): Promise<number | string | null>;
}

const scratch: string[] = [];
process.on('exit', () => {
  for (const folder of scratch) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is gone after the test file. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'heex-'));
  scratch.push(folder);
  return folder;
}

/** Runs the companion until it ends by itself: for starts that are refused. */
export async function runToEnd(
  env: Record<string, string>,
): Promise<{ code: number | null; stderr: string; stdout: string }> {
  const child = spawnCompanion(env);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  // Not `exit`, at which what it printed may still be on its way.
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, stdout: stdout(), stderr: stderr() };
}

/** The companion as a process of its own, once it says that it is ready. */
export async function startProcess(folder: string, env: Record<string, string> = {}): Promise<CompanionProcess> {
  const child = spawnCompanion({ HEEX_DATA: folder, HEEX_SETUP_TOKEN: SETUP_TOKEN, HEEX_KEY_LIMIT: '1000', ...env });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const ended = new Promise<number | string | null>((done) =>
    child.once('close', (code, signal) => done(code ?? signal)),
  );
  const url = await new Promise<string>((done, fail) => {
    child.stdout?.on('data', () => {
      const ready = /is ready on (http\S+)/.exec(stdout());
      if (ready?.[1]) done(ready[1]);
    });
    void ended.then((code) => fail(new Error(`the companion ended with ${code}: ${stderr()}`)));
  });
  return {
    url,
    folder,
    child,
    output: () => stdout() + stderr(),
    end(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

function spawnCompanion(env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH ?? '', HEEX_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.on('data', (chunk) => {
    text += chunk;
  });
  return () => text;
}
