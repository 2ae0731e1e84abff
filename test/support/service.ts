import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { scratchFolder } from './process.ts';

const root = join(import.meta.dirname, '../..');

export interface ServiceProcess {
  url: string;
  /** Tells it to stop and answers the exit code. */
  end(): Promise<number | null>;
}

/** A folder of somebody else's service: one example, `shared`, and no packages but these. */
function foreignFolder(example: string, packages: readonly string[]): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  cpSync(join(root, 'shared'), join(folder, 'shared'), { recursive: true });
  cpSync(join(root, 'examples', example), join(folder, 'examples', example));
  for (const name of packages) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link);
  }
  return join(folder, 'examples', example);
}

/** Runs an example of a service away from the companion's code, once it says where it listens. */
export async function startService(
  example: string,
  packages: readonly string[],
  env: Record<string, string>,
): Promise<ServiceProcess> {
  const child: ChildProcess = spawn(process.execPath, [foreignFolder(example, packages)], {
    env: { PATH: process.env.PATH ?? '', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  const url = await new Promise<string>((done, fail) => {
    child.stdout?.on('data', (chunk) => {
      const found = /on (http\S+)/.exec(String(chunk))?.[1];
      if (found) done(found);
    });
    void ended.then((code) => fail(new Error(`${example} ended with ${code}`)));
  });
  return {
    url,
    end() {
      child.kill();
      return ended;
    },
  };
}
