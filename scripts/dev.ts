import { type ChildProcess, spawn } from 'node:child_process';

/** The companion, started again at every change, beside the extension's own development server. Ctrl-C ends both. */
const started: ChildProcess[] = [
  spawn(process.execPath, ['--watch', '--watch-preserve-output', 'companion/main.ts'], { stdio: 'inherit' }),
  spawn('wxt', process.argv.slice(2), { stdio: 'inherit', shell: process.platform === 'win32' }),
];
for (const child of started) child.once('exit', () => started.forEach((other) => void other.kill()));
