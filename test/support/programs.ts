import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs that tests run, by the name of Debian's package, with the names that they may have. */
const PROGRAMS = {
  chromium: ['chromium', 'chromium-browser', 'google-chrome-for-testing', 'google-chrome-stable', 'google-chrome'],
  'firefox-esr': ['firefox', 'firefox-esr'],
  'nginx-light': ['nginx'],
  caddy: ['caddy'],
  sqlite3: ['sqlite3'],
  strace: ['strace'],
} as const;
export type Program = keyof typeof PROGRAMS;

/** Where else than on the path: programs for administrators, and applications of other systems. */
const ELSEWHERE: Partial<Record<Program, readonly string[]>> = {
  chromium: [
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  ],
  'firefox-esr': ['/Applications/Firefox.app/Contents/MacOS/firefox'],
  'nginx-light': ['/usr/sbin/nginx'],
};
const NAMED: Partial<Record<Program, string>> = { chromium: 'CHROME_PATH', 'firefox-esr': 'FIREFOX_PATH' };

function usable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where a program is, or undefined. An environment variable that names it comes first. */
export function findProgram(program: Program): string | undefined {
  const variable = NAMED[program];
  const named = variable && process.env[variable];
  if (named) {
    if (usable(named)) return named;
    throw new Error(`${variable} is ${named}, which is not a program that can be run.`);
  }
  const folders = (process.env.PATH ?? '').split(delimiter);
  const onPath = PROGRAMS[program].flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, ...(ELSEWHERE[program] ?? [])].find(usable);
}

/**
 * Installs what is missing from Debian's packages, where that is possible: as root, with apt.
 * @throws Error in CI when something is missing still: there, every test must run
 */
export function installMissing(programs: readonly Program[]): void {
  const missing = () => programs.filter((program) => !findProgram(program));
  if (!missing().length) return;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.error(`Installing from Debian's packages: ${missing().join(', ')}…`);
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...missing()]]) {
      spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', '-qq', ...args], {
        stdio: ['ignore', 2, 2],
        // A package that starts its service at installation would take a port.
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      });
    }
  }
  if (!missing().length) return;
  const message = `Not every test can run: install ${missing().join(', ')}.`;
  if (process.env.CI) throw new Error(message);
  console.error(`\n!!! ${message}\n`);
}

/** A Chromium for the browser tests. */
export function chromiumPath(): string {
  const found = findProgram('chromium');
  if (found) return found;
  throw new Error(
    'The browser tests need Chromium or Chrome. Install one, or run `npx @puppeteer/browsers install chrome@stable` and set CHROME_PATH to the path that it prints.',
  );
}
