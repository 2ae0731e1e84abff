import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { SETUP_TOKEN } from '../support/companion.ts';
import { type CompanionProcess, scratchFolder, startProcess } from '../support/process.ts';

const folder = scratchFolder();
const operator = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, '../../companion/operator.ts'), ...args],
    { env: { HEEX_DATA: folder }, encoding: 'utf8' },
  );
  return { status, stdout, stderr };
};

let [one, two, token, W] = [] as unknown as [CompanionProcess, CompanionProcess, string, string];
beforeAll(async () => {
  expect(operator('workspace')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('there is no database in'),
  });
  one = await startProcess(folder, { HEEX_KEY_LIMIT: '10' });
  expect(operator('workspace')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('there is no workspace yet'),
  });
  const setup = await call(one.url, 'POST', '/v1/setup', {
    body: {
      token: SETUP_TOKEN,
      workspace: 'Acme',
      name: 'Ada',
      email: 'ada@acme.example',
      password: 'correct horse battery',
    },
  });
  token = setup.body.session.token;
  W = `/v1/workspaces/${setup.body.workspace.id}`;
  two = await startProcess(folder);
});
afterAll(() => Promise.all([one.end(), two.end()]));

let made = 0;
const create = (at: CompanionProcess) =>
  call(at.url, 'POST', `${W}/keys`, { token, body: { name: `key ${++made}`, environment: 'production' } });
const used = async () => (await call(two.url, 'GET', W, { token })).body;
const tally = (answers: { status: number; body: { code?: string } }[]) => {
  const kinds = Map.groupBy(answers, ({ status, body }) => body.code ?? String(status));
  return Object.fromEntries([...kinds].map(([kind, all]) => [kind, all.length]));
};

describe('the key limit', () => {
  test('is not passed by one when a hundred keys are asked for at once in two processes', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => create(i % 2 ? one : two)));
    expect(tally(answers)).toEqual({ 201: 10, key_limit_reached: 90 });
    const refused = answers.find((answer) => answer.status === 409);
    expect(refused?.body.detail).toBe('All 10 keys are in use. Revoke an old one.');
    expect(await used()).toMatchObject({ keyLimit: 10, keysUsed: 10 });
  });

  test('is set by the operator beside running companions, and holds in both at once', async () => {
    expect(operator('workspace', '--keys', '12')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Acme \(ws_\w+\): plan team, 10 of 12 keys in use\n$/),
    });
    expect(tally([await create(one), await create(two), await create(one)])).toEqual({ 201: 2, key_limit_reached: 1 });
    // Keys beyond a lower limit live on.
    operator('workspace', '--keys', '3');
    expect(await used()).toMatchObject({ keyLimit: 3, keysUsed: 12 });
    expect((await create(two)).status).toBe(409);
    operator('workspace', '--keys', '1000');
  });

  test('leaves an audit row of the operator', async () => {
    const rows = (await call(one.url, 'GET', `${W}/audit?action=workspace.capacity_changed`, { token })).body.items;
    expect(rows).toHaveLength(3);
    expect(rows[2]).toMatchObject({ actor: { type: 'operator' }, before: { keyLimit: 10 }, after: { keyLimit: 12 } });
    expect((await call(one.url, 'GET', `${W}/audit/verify`, { token })).body.valid).toBe(true);
  });
});

test('a plan without API access refuses new keys and rotations with 402, and leaves those that are there alone', async () => {
  const { body } = await create(one);
  expect(operator('workspace', '--plan', 'starter').stdout).toContain('plan starter');
  for (const answer of [await create(two), await call(two.url, 'POST', `${W}/keys/${body.key.id}/rotate`, { token })])
    expect([answer.status, answer.body.code]).toEqual([402, 'upgrade_required']);
  const whoami = await call(two.url, 'GET', '/v1/whoami', { token: body.secret });
  expect(whoami.body.key.id).toBe(body.key.id);
  expect((await call(two.url, 'POST', `${W}/keys/${body.key.id}/revoke`, { token })).status).toBe(200);
  operator('workspace', '--plan', 'team');
  expect((await create(two)).status).toBe(201);
});

test.each([
  [['workspace', '--keys', '-1'], '--keys'],
  [['workspace', '--keys', '1e3'], '--keys must be a whole number'],
  [['workspace', '--plan', 'gold'], '--plan must be starter or team, not "gold"'],
  [['workspace', '--id', 'ws_nothing'], 'there is no workspace ws_nothing'],
  [['workspace', '--colour', 'red'], "Unknown option '--colour'"],
  [['keys'], 'there is no command keys'],
  [[], 'name a command'],
])('the operator is told what is wrong with %j', (args, message) => {
  expect(operator(...args)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining(message) });
});
