import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Running {
  url: string;
  pid: number;
  /** Milliseconds from the start to being ready. */
  startMs: number;
  /** Resident memory, in MB (Linux). */
  memory(): number;
  /** CPU time so far, in seconds (Linux). */
  cpu(): number;
  stop(): Promise<void>;
}

const ticks = 100;

/** A process that prints `ready on http://…` once it listens. */
export async function run(file: string, env: Record<string, string>, args: string[] = []): Promise<Running> {
  const began = performance.now();
  const child: ChildProcess = spawn(process.execPath, [file, ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  let said = '';
  const url = await new Promise<string>((done, fail) => {
    child.stdout?.on('data', (piece) => {
      // Logs go on afterwards; they are read so that the pipe never fills.
      if (said.length > 10_000) return;
      said += piece;
      const ready = /ready on (http\S+)/.exec(said);
      if (ready?.[1]) done(ready[1]);
    });
    void gone.then(() => fail(new Error(`${file} ended: ${said}`)));
  });
  const startMs = performance.now() - began;
  const pid = child.pid ?? 0;
  return {
    url,
    pid,
    startMs,
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    cpu() {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / ticks;
    },
    async stop() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}
