import { spawnSync } from 'node:child_process';

/** Everything that has to hold, the quickest first. Arguments go to vitest: `npm test -- --project fast keys`. */
const steps: [string, string[]][] = [
  ['tsc', ['--noEmit']],
  ['biome', ['ci', '--error-on-warnings', '.']],
  ['knip', []],
  ['vitest', ['run', ...process.argv.slice(2)]],
];
for (const [command, args] of steps) {
  const started = performance.now();
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  console.log(`${command}: ${status === 0 ? 'ok' : 'failed'}, ${Math.round(performance.now() - started)} ms`);
  if (status !== 0) process.exit(status ?? 1);
}
