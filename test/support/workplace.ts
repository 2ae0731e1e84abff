import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import type { Agent } from '../../shared/contract/agents.ts';
import { enrolGroup, until } from './agents.ts';
import { call } from './client.ts';
import { SETUP_TOKEN } from './companion.ts';
import { freePort } from './port.ts';
import { type CompanionProcess, scratchFolder, startProcess } from './process.ts';

export const agentProgram = join(import.meta.dirname, '../../examples/agent/heex-agent.ts');
const HEARTBEAT = { HEEX_AGENT_HEARTBEAT_SECONDS: '1' };

interface Program {
  child: ChildProcess;
  out(): string;
  code: Promise<number | null>;
}

/**
 * The reference agent as a process of its own, with nothing in its environment but what is given.
 * @param program its file, where it is not that of the checkout; it runs in the folder of that
 */
export function agentProcess(args: string[], env: Record<string, string>, program = agentProgram): Program {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: dirname(program),
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      text += chunk;
    });
  // Not `exit`, at which what it printed may still be on its way.
  return { child, out: () => text, code: new Promise((done) => child.once('close', done)) };
}

/** A companion process with a workspace, and a key that may enrol agents. */
export async function workplace(env: Record<string, string> = {}) {
  const folder = scratchFolder();
  const settings = { HEEX_PORT: String(await freePort()), ...HEARTBEAT, ...env };
  const companion = await startProcess(folder, settings);
  const { url } = companion;
  const person = { name: 'Olga', email: 'olga@acme.example', password: 'correct horse battery' };
  const made = await call(url, 'POST', '/v1/setup', { body: { ...person, token: SETUP_TOKEN, workspace: 'Acme' } });
  const token: string = made.body.session.token;
  const W = `/v1/workspaces/${made.body.workspace.id}`;
  const groupId = await enrolGroup(url, made.body.workspace.id, token);
  const body = { name: 'installer', environment: 'production', groupId };
  const { key, secret } = (await call(url, 'POST', `${W}/keys`, { token, body })).body;
  const one = async (at: CompanionProcess, id: string) => {
    const { items } = (await call(at.url, 'GET', `${W}/agents?limit=100`, { token })).body as { items: Agent[] };
    return items.find((a) => a.id === id);
  };
  return {
    companion,
    folder,
    W,
    token,
    key: key as { id: string },
    secret: secret as string,
    again: (changed: Record<string, string> = {}) => startProcess(folder, { ...settings, ...changed }),
    second: () => startProcess(folder, { ...settings, HEEX_PORT: '0' }),
    state: (at: CompanionProcess, id: string, wanted: Agent['state'] | undefined) =>
      until(
        () => one(at, id),
        (a) => a?.state === wanted,
      ),
  };
}
