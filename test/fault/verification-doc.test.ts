import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { SETUP_TOKEN } from '../support/companion.ts';
import { scratchFolder, startProcess } from '../support/process.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/verification.md'), 'utf8');
/** Every command, with the answer that stands right below it. */
const commands = [...text.matchAll(/```sh\n([\s\S]*?)```(?:\n\n```json\n([\s\S]*?)```)?/g)].map(
  ([, command = '', answer]) => ({ command, answer }),
);

/** What a shell prints, until a stream has shown what is asked for. */
async function print(command: string, env: Record<string, string>, enough: RegExp | undefined): Promise<string> {
  const child = spawn('sh', ['-eu', '-c', `exec ${command}`], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (piece) => {
    printed += piece;
    if (enough?.test(printed)) child.kill();
  });
  const code = await new Promise((done) => child.once('close', done));
  if (!enough) expect([command, code]).toEqual([command, 0]);
  return printed;
}

/** What a document promises of an answer: its members, their types, and every value that is a decision. */
function shape(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => shape(item));
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([member, its]) => [member, shape(its, member)]));
  const decided = typeof value === 'boolean' || value === null || ['code', 'outcome', 'scope', 'name'].includes(name);
  return decided ? value : typeof value;
}

test('every command of the document on verification runs as it stands, and answers what stands below it', async () => {
  expect(commands.length).toBeGreaterThan(6);
  const companion = await startProcess(scratchFolder());
  const { url } = companion;
  const { body } = await call(url, 'POST', '/v1/setup', {
    body: {
      token: SETUP_TOKEN,
      workspace: 'Acme',
      name: 'Ada',
      email: 'ada@acme.example',
      password: 'correct horse battery',
    },
  });
  const token = body.session.token;
  const made = async (path: string, given: object) =>
    (await call(url, 'POST', `/v1/workspaces/${body.workspace.id}${path}`, { token, body: given })).body;
  const { id: groupId } = await made('/groups', { name: 'Readers', permissions: ['customers:read'] });
  const rateLimit = { limit: 100, windowSeconds: 60 };
  const key = await made('/keys', { name: 'prod-main-app', environment: 'production', groupId, rateLimit });
  const env: Record<string, string> = {
    HEEX_URL: url,
    SESSION: token,
    WORKSPACE: body.workspace.id,
    HEEX_API_KEY: key.secret,
  };
  for (const { command, answer } of commands) {
    const printed = await print(command, env, command.includes('/stream') ? /event: tick/ : undefined);
    expect(printed).not.toBe('');
    if (answer === undefined) continue;
    const given = JSON.parse(printed);
    expect({ command, answer: shape(given) }).toEqual({ command, answer: shape(JSON.parse(answer)) });
    // What later commands are about.
    if (given.secret) env.HEEX_VERIFIER = given.secret;
    if (command.includes('/v1/verify"')) env.REQUEST_ID = given.requestId;
  }
  await companion.end();
});
