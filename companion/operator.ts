import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PLANS } from '../shared/contract/workspace.ts';
import { type Capacity, listWorkspaces, setCapacity, type WorkspaceFacts } from './app/operate.ts';
import { BadConfig, readConfig } from './config.ts';
import { openDataFolder } from './store/data-folder.ts';
import { DatabaseRefused } from './store/migrate.ts';
import { StoreBusy } from './store/sqlite.ts';
import { openStore } from './store/store.ts';

/** The operator's command line. It works on the data folder itself, also beside a running companion. Exit code 2: refused. */
const USAGE = `Usage:
  workspace [--id ID]                                    show plan, limit and keys in use
  workspace [--id ID] [--plan starter|team] [--keys N]   set plan and key limit

Reads HEEX_DATA and HEEX_HASH_KEY as the companion does.`;

class BadUsage extends Error {}

function readCapacity(plan: string | undefined, keys: string | undefined): Capacity {
  const known = PLANS.find((p) => p === plan);
  if (plan !== undefined && !known) throw new BadUsage(`--plan must be starter or team, not "${plan}"`);
  if (keys !== undefined && !(/^\d{1,7}$/.test(keys) && Number(keys) <= 1_000_000))
    throw new BadUsage(`--keys must be a whole number from 0 to 1000000, not "${keys}"`);
  return { ...(known && { plan: known }), ...(keys !== undefined && { keyLimit: Number(keys) }) };
}

function choose(all: readonly WorkspaceFacts[], id: string | undefined): WorkspaceFacts {
  const [first, second] = id === undefined ? all : all.filter((w) => w.id === id);
  if (!first)
    throw new BadUsage(id ? `there is no workspace ${id}` : 'there is no workspace yet: open the setup link first');
  if (second) throw new BadUsage(`name one with --id: ${all.map((w) => w.id).join(', ')}`);
  return first;
}

const say = (w: WorkspaceFacts) =>
  console.log(`${w.name} (${w.id}): plan ${w.plan}, ${w.keysUsed} of ${w.keyLimit} keys in use`);

async function workspace(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { id: { type: 'string' }, plan: { type: 'string' }, keys: { type: 'string' } },
  });
  const wanted = readCapacity(values.plan, values.keys);
  const { dataFolder, hashKey } = readConfig(process.env);
  // Opening would make a new database: only the companion does that.
  if (!existsSync(join(dataFolder, 'heex.sqlite')))
    throw new BadUsage(`there is no database in ${dataFolder}; set HEEX_DATA`);
  const store = openStore(openDataFolder(dataFolder, hashKey, randomBytes));
  try {
    const { id } = choose(await listWorkspaces(store, Date.now()), values.id);
    if (Object.keys(wanted).length) await setCapacity(store, id, wanted, Date.now());
    say(choose(await listWorkspaces(store, Date.now()), id));
  } finally {
    await store.close();
  }
}

process.umask(0o077);
const [command, ...args] = process.argv.slice(2);
try {
  if (command !== 'workspace') throw new BadUsage(command ? `there is no command ${command}` : 'name a command');
  await workspace(args);
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  const expected = [BadUsage, BadConfig, DatabaseRefused, StoreBusy].some((kind) => error instanceof kind);
  if (!expected && !code?.startsWith('ERR_PARSE_ARGS')) throw error;
  console.error(`${message}\n\n${USAGE}`);
  process.exit(2);
}
