#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { arch, homedir, hostname, release, type } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { AgentReport } from '../../shared/agent-protocol.ts';
import { name as nameField } from '../../shared/contract/fields.ts';
import { parseKey } from '../../shared/key-format.ts';
import {
  type Credential,
  CredentialRefused,
  findCredential,
  newCredential,
  readCredential,
  writeCredential,
} from './credential.ts';
import { EnrolmentRefused, enrol } from './enrol.ts';
import { printable } from './printable.ts';
import { stayConnected } from './run.ts';

const VERSION = '1.0.0';

/** Exit codes: a process manager should not start it again after 3 and 4. */
const EXIT = { stopped: 0, failed: 1, refused: 2, removed: 3, replaced: 4 } as const;

const USAGE = `heex-agent install [--name NAME] [--file FILE] [--allow-http]
heex-agent run [--file FILE]

install  enrols this machine, once, with HEEX_API_KEY at HEEX_URL; afterwards the key is no longer needed
run      stays connected, with the agent's own credential
FILE     where that credential is: HEEX_AGENT_FILE, or heex-agent/agent.json in XDG_CONFIG_HOME (~/.config)`;

class Refused extends Error {}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

function readUrl(text: string | undefined, allowHttp: boolean): string {
  if (!text) throw new Refused('HEEX_URL is not set: the address of the companion, e.g. https://keys.example.com');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash || url.username)
    throw new Refused(`HEEX_URL must be an origin such as https://keys.example.com, not "${text}"`);
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !allowHttp)
    throw new Refused(
      'HEEX_URL is http: the key would travel in clear. Use https, or --allow-http on a network you trust',
    );
  return url.origin;
}

function readKey(text: string | undefined): string {
  if (!text) throw new Refused('HEEX_API_KEY is not set: a key with the permission agents:enroll, for this one time');
  // The key itself is never repeated.
  if (!parseKey(text)) throw new Refused('HEEX_API_KEY is not an API key: it is cut off or mistyped');
  return text;
}

/** A new credential, in its file before the companion knows of it; of two installations at once, that which was first. */
function prepare(file: string, url: string): Credential {
  const made = newCredential(url);
  try {
    writeCredential(file, made, false);
    return made;
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error;
  }
  const first = findCredential(file);
  // A file without anything in it, as a full disk leaves it, is none.
  if (!first) writeCredential(file, made, true);
  return first ?? made;
}

/** The name of this machine, where the companion takes it for a name. */
function ownName(): string | undefined {
  const parsed = nameField.safeParse(hostname());
  return parsed.success ? parsed.data : undefined;
}

async function install(file: string, name: string | undefined, allowHttp: boolean): Promise<void> {
  // Looked at first: without a key in the environment, too, it is good to hear that all is done.
  const found = findCredential(file);
  if (found?.agentId) {
    console.log(`This is already agent ${found.agentId}, by ${file}. HEEX_API_KEY was not used.`);
    console.log('Was that agent removed? It never comes back: move the file away, and install again for a new one.');
    return;
  }
  const url = readUrl(process.env.HEEX_URL, allowHttp);
  const apiKey = readKey(process.env.HEEX_API_KEY);
  const credential = found ?? prepare(file, url);
  const { id, name: known } = await enrol({ ...credential, url }, apiKey, name ?? ownName());
  writeCredential(file, { ...credential, url, agentId: id }, true);
  console.log(`Enrolled as ${printable(known)} (${printable(id)}).`);
  console.log(`HEEX_API_KEY is no longer needed: remove it from this machine. It was not stored.`);
  console.log(`The agent's own credential is in ${file}, for this user alone. Start it with: heex-agent run`);
}

function platform(): string {
  try {
    const said = readFileSync('/etc/os-release', 'utf8');
    const field = (field: string) => new RegExp(`^${field}="?([^"\\n]+)"?$`, 'm').exec(said)?.[1] ?? '';
    return `${field('NAME').replace(' GNU/Linux', '')} ${field('VERSION_ID')} · ${arch()}`.slice(0, 100);
  } catch {
    return `${type()} ${release()} · ${arch()}`.slice(0, 100);
  }
}

/** Below the XDG configuration folder, or `%APPDATA%`. */
function defaultFile(): string {
  const { XDG_CONFIG_HOME, APPDATA } = process.env;
  const base = XDG_CONFIG_HOME || (process.platform === 'win32' && APPDATA) || join(homedir(), '.config');
  return join(base, 'heex-agent', 'agent.json');
}

async function run(file: string): Promise<number> {
  const credential = readCredential(file);
  if (credential.agentId === null) throw new Refused('the installation was not finished; run heex-agent install again');
  const report: AgentReport = { version: VERSION, hostName: hostname().slice(0, 100), platform: platform() };
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  const log = (level: string, message: string, fields: Record<string, unknown> = {}) =>
    console.log(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }));
  log('info', 'agent', { agent: credential.agentId, url: credential.url, version: VERSION });
  const outcome = await stayConnected(credential, report, log, stop.signal);
  if (outcome === 'removed')
    log('error', 'removed for good: this agent can never connect again; to install a new one, move its file away', {
      exit: EXIT.removed,
      file,
    });
  if (outcome === 'replaced') log('error', 'another process runs with the same credential', { exit: EXIT.replaced });
  return EXIT[outcome];
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      file: { type: 'string' },
      name: { type: 'string' },
      'allow-http': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const file = values.file ?? process.env.HEEX_AGENT_FILE ?? defaultFile();
  const [command, ...more] = positionals;
  if (values.help || more.length || (command !== 'install' && command !== 'run')) {
    console.log(USAGE);
    return values.help ? 0 : EXIT.refused;
  }
  if (command === 'run') return run(file);
  await install(file, values.name, values['allow-http'] ?? false);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const known = error instanceof Refused || error instanceof CredentialRefused || error instanceof EnrolmentRefused;
  console.error(printable(`heex-agent: ${error instanceof Error ? error.message : String(error)}`));
  const usage = String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS');
  process.exitCode = known || usage ? EXIT.refused : EXIT.failed;
}
