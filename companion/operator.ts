import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PLANS } from '../shared/contract/workspace.ts';
import { type Capacity, listWorkspaces, makeOwner, setCapacity, type WorkspaceFacts } from './app/operate.ts';
import { operatorResetLink } from './app/reset.ts';
import { BadConfig, readConfig } from './config.ts';
import type { ChainHead } from './store/audit-chain.ts';
import { openDataFolder } from './store/data-folder.ts';
import { DatabaseRefused } from './store/migrate.ts';
import { StoreBusy } from './store/sqlite.ts';
import { openStore, type Store } from './store/store.ts';

/**
 * The operator's command line. It works on the data folder itself, also beside a running companion. Exit codes: 1 the audit chain is
 * broken, 2 refused.
 */
const USAGE = `Usage:
  workspace [--id ID]                                    show plan, limit and keys in use
  workspace [--id ID] [--plan starter|team] [--keys N]   set plan and key limit
  audit verify [--id ID] [--seq N --hash HASH]           check the audit chain; with a head that was kept, also against it
  owner EMAIL [--id ID]                                  make a member an owner, for a workspace that has lost its own
  reset EMAIL [--id ID]                                  make a link that sets a member's password, for who can't sign in

Reads HEEX_DATA, HEEX_HASH_KEY and (for reset) HEEX_PUBLIC_URL as the companion does.`;

class BadUsage extends Error {}
/** The command is right; what it asks for is not done. How to use it would only hide the reason. */
class Refused extends Error {}

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

async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
  const { dataFolder, hashKey } = readConfig(process.env);
  // Opening would make a new database: only the companion does that.
  if (!existsSync(join(dataFolder, 'heex.sqlite')))
    throw new BadUsage(`there is no database in ${dataFolder}; set HEEX_DATA`);
  const store = openStore(openDataFolder(dataFolder, hashKey, randomBytes));
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

async function workspace(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { id: { type: 'string' }, plan: { type: 'string' }, keys: { type: 'string' } },
  });
  const wanted = readCapacity(values.plan, values.keys);
  await withStore(async (store) => {
    const { id } = choose(await listWorkspaces(store, Date.now()), values.id);
    if (Object.keys(wanted).length) await setCapacity(store, id, wanted, Date.now());
    say(choose(await listWorkspaces(store, Date.now()), id));
  });
}

function readAnchor(seq: string | undefined, hash: string | undefined): ChainHead | undefined {
  if (seq === undefined && hash === undefined) return undefined;
  if (!/^[1-9]\d{0,14}$/.test(seq ?? '') || !/^[0-9a-f]{64}$/.test(hash ?? ''))
    throw new BadUsage(
      '--seq and --hash go together: the number and the 64 hexadecimal digits of a head that was kept',
    );
  return { seq: Number(seq), hash: hash as string };
}

async function audit(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { id: { type: 'string' }, seq: { type: 'string' }, hash: { type: 'string' } },
  });
  if (positionals.join(' ') !== 'verify') throw new BadUsage('say `audit verify`');
  const anchor = readAnchor(values.seq, values.hash);
  await withStore(async (store) => {
    const { id, name } = choose(await listWorkspaces(store, Date.now()), values.id);
    const { valid, entries, pending, head, brokenAt } = await store.verifyAudit(id, anchor);
    const waiting = pending ? `, ${pending} to be sealed by the next change` : '';
    if (valid) console.log(`${name} (${id}): the chain of ${entries} entries holds${waiting}`);
    else console.log(`${name} (${id}): the chain breaks at entry ${brokenAt} (${entries} entries${waiting})`);
    if (head) console.log(`head: --seq ${head.seq} --hash ${head.hash}`);
    if (!valid) process.exitCode = 1;
  });
}

async function owner(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { id: { type: 'string' } } });
  const [email, more] = positionals;
  if (!email || more !== undefined) throw new BadUsage('name one e-mail address');
  await withStore(async (store) => {
    const { id, name } = choose(await listWorkspaces(store, Date.now()), values.id);
    const now = await makeOwner(store, id, email.toLowerCase(), Date.now());
    if (now === 'no member') throw new Refused(`${email} is no member of ${name}`);
    if (now === 'suspended') throw new Refused(`${email} is suspended in ${name}: name somebody who can act`);
    if (now === 'shut out')
      throw new Refused(`the identity provider took the access of ${email} to ${name} away: activate them there first`);
    const how = now === 'reinstated owner' ? ', and was reinstated: nobody else could do that' : '';
    console.log(`${email} is an owner of ${name} (${id})${how}`);
  });
}

async function reset(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { id: { type: 'string' } } });
  const [email, more] = positionals;
  if (!email || more !== undefined) throw new BadUsage('name one e-mail address');
  const { publicUrl, host, port } = readConfig(process.env);
  await withStore(async (store) => {
    const { id, name } = choose(await listWorkspaces(store, Date.now()), values.id);
    const base = publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
    const link = await operatorResetLink(store, id, email.toLowerCase(), base, Date.now());
    if (link === 'no member') throw new Refused(`${email} is no member of ${name}`);
    if (link === 'closed')
      throw new Refused(`the identity provider closed the account of ${email}: activate them there first`);
    console.log(`Sets a password for ${email}, once, within an hour:\n${link}`);
  });
}

const COMMANDS = new Map(Object.entries({ workspace, audit, owner, reset }));

process.umask(0o077);
const [command, ...args] = process.argv.slice(2);
try {
  const run = COMMANDS.get(command ?? '');
  if (!run) throw new BadUsage(command ? `there is no command ${command}` : 'name a command');
  await run(args);
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  const expected = [BadUsage, Refused, BadConfig, DatabaseRefused, StoreBusy].some((kind) => error instanceof kind);
  if (!expected && !code?.startsWith('ERR_PARSE_ARGS')) throw error;
  console.error(error instanceof Refused ? message : `${message}\n\n${USAGE}`);
  process.exit(2);
}
