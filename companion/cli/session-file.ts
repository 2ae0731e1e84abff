import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as z from 'zod/mini';
import { isToken } from '../../shared/key-format.ts';
import { Refused } from './io.ts';

/** The session of this command line. It is good for the server that issued it, and is sent to no other. */
const session = z.object({
  origin: z.string(),
  // One that was spoiled is no token, and must not get into the words of an error.
  token: z.string().check(z.refine((text) => isToken('session', text))),
  expiresAt: z.string(),
  email: z.string(),
});
export type StoredSession = z.infer<typeof session>;

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the session is kept: below the XDG configuration folder, or `%APPDATA%`. */
export function sessionFile(env: Environment): string {
  const base =
    env.XDG_CONFIG_HOME || (process.platform === 'win32' && env.APPDATA) || join(env.HOME || homedir(), '.config');
  return join(base, 'heex', 'session.json');
}

/** The stored session, or undefined where there is none that can be read. */
export function readSession(env: Environment): StoredSession | undefined {
  const file = sessionFile(env);
  try {
    const parsed = session.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    // Copied about, it may have become readable by others.
    if (process.platform !== 'win32' && statSync(file).mode & 0o077) chmodSync(file, 0o600);
    return parsed.data;
  } catch {
    return undefined;
  }
}

/** Keeps it for this user alone, whole or not at all. @throws Refused with the path, where it can't be written */
export function writeSession(env: Environment, value: StoredSession): void {
  const file = sessionFile(env);
  beside(file, `${JSON.stringify(value)}\n`, (fresh) => renameSync(fresh, file));
}

/** Whether a session could be kept, before one is asked for. @throws Refused as `writeSession` would */
export function checkSessionFile(env: Environment): void {
  const file = sessionFile(env);
  beside(file, '', () => {
    // A folder of that name is what no file can take the place of.
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw new Refused(`${file} is a folder.`);
  });
}

/** Writes a file beside that one, and leaves nothing of it behind. */
function beside(file: string, text: string, then: (fresh: string) => void): void {
  const fresh = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // Of a process of the same number, which was stopped half-way.
    rmSync(fresh, { force: true });
    writeFileSync(fresh, text, { mode: 0o600, flag: 'wx' });
    then(fresh);
  } catch (error) {
    const why = error instanceof Refused ? error.message : `The system says ${(error as NodeJS.ErrnoException).code}.`;
    throw new Refused(
      `The session can't be kept in ${file}. ${why} Make that possible, or set XDG_CONFIG_HOME to a folder of yours.`,
    );
  } finally {
    if (existsSync(fresh)) rmSync(fresh);
  }
}

export function forgetSession(env: Environment): void {
  rmSync(sessionFile(env), { force: true });
}
