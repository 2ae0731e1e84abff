import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as z from 'zod/mini';

/** The session of this command line. It is good for the server that issued it, and is sent to no other. */
const session = z.object({
  origin: z.string(),
  token: z.string(),
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

/** Keeps it for this user alone, whole or not at all. */
export function writeSession(env: Environment, value: StoredSession): void {
  const file = sessionFile(env);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(value)}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(fresh, file);
}

export function forgetSession(env: Environment): void {
  rmSync(sessionFile(env), { force: true });
}
