import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { playHistory, STARTS } from '../../scripts/demo/history.ts';
import { LENA, PASSWORD, PEOPLE } from '../../scripts/demo/people.ts';
import { World } from '../../scripts/demo/world.ts';
import { until } from '../support/agents.ts';
import { scratchFolder } from '../support/process.ts';

const fleet = new AbortController();
let world: World | undefined;
afterAll(async () => {
  fleet.abort();
  await world?.close();
});

test('the demo’s six weeks can be played against the companion as it is', async () => {
  world = await World.open('0', STARTS);
  await playHistory(world, () => {}, fleet.signal);
  const { session } = await world.call<{ session: { token: string } }>('POST', '/v1/sessions', undefined, {
    email: LENA.email,
    password: PASSWORD,
  });
  type Me = { memberships: { workspaceId: string }[] };
  const id = (await world.call<Me>('GET', '/v1/me', session.token)).memberships[0]?.workspaceId;
  type Members = { items: { email: string }[] };
  const { items } = await world.call<Members>('GET', `/v1/workspaces/${id}/members`, session.token);
  const staying = PEOPLE.filter((person) => person.left === undefined).map(({ email }) => email);
  expect(items.map(({ email }) => email).sort()).toEqual(staying.sort());
});

const demo = join(import.meta.dirname, '../../scripts/demo/run.ts');
/** Starts the demo with a folder of its own for what it throws away. */
function start() {
  const folder = scratchFolder();
  const env = { PATH: process.env.PATH ?? '', TMPDIR: folder, HEEX_PORT: '0' };
  const child = spawn(process.execPath, [demo], { env });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said += chunk;
    });
  const ended = new Promise<number | string | null>((done) =>
    child.once('exit', (code, signal) => done(code ?? signal)),
  );
  return { child, said: () => said, ended, left: () => readdirSync(folder) };
}

test('the demo leaves nothing behind when it is stopped, whether it is still beginning or has long been running', async () => {
  const [early, late] = [start(), start()];
  await until(early.left, (names) => names.length === 1);
  early.child.kill('SIGINT');
  expect([await early.ended, early.said(), early.left()]).toEqual([0, '', []]);
  await expect.poll(late.said, { timeout: 60_000 }).toContain('To see the popup');
  expect(late.left()).toHaveLength(1);
  late.child.kill('SIGINT');
  expect([await late.ended, late.left()]).toEqual([0, []]);
});
