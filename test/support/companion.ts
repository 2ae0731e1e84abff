import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDueJobs } from '../../companion/app/jobs/runner.ts';
import { type Config, readConfig } from '../../companion/config.ts';
import { createLog } from '../../companion/http/log.ts';
import { type Companion, startCompanion } from '../../companion/start.ts';

export interface TestCompanion extends Companion {
  folder: string;
  /** Every line that it logged. */
  lines: string[];
  /** Moves its clock forward. */
  pass(ms: number): void;
  /** Does what is due in the background now. */
  runJobs(): Promise<void>;
  /** Stops it and starts it again on the same folder. @param between what is done to the folder meanwhile */
  restart(between?: () => void): Promise<void>;
  /** Stops it and removes the folder. */
  end(): Promise<void>;
}

export const SETUP_TOKEN = 'setup-token-for-tests';

/** A real companion in this process: real sockets, real database files in a folder of its own, a clock that tests can move. */
export async function testCompanion(env: Record<string, string> = {}): Promise<TestCompanion> {
  const folder = mkdtempSync(join(tmpdir(), 'heex-'));
  const config: Config = readConfig({
    HEEX_PORT: '0',
    HEEX_DATA: folder,
    HEEX_SETUP_TOKEN: SETUP_TOKEN,
    HEEX_KEY_LIMIT: '1000',
    ...env,
  });
  const lines: string[] = [];
  let ahead = 0;
  const start = () =>
    startCompanion(
      config,
      createLog((line) => lines.push(line)),
      () => Date.now() + ahead,
    );
  const companion: TestCompanion = {
    ...(await start()),
    folder,
    lines,
    pass(ms) {
      ahead += ms;
    },
    runJobs() {
      return runDueJobs(this.deps);
    },
    async restart(between) {
      await this.stop();
      between?.();
      Object.assign(this, await start());
    },
    async end() {
      await this.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return companion;
}
