import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { SETUP_TOKEN } from '../support/companion.ts';
import { type CompanionProcess, scratchFolder, startProcess } from '../support/process.ts';
import { orphans, rowsIn, type WrittenMember } from '../support/rows.ts';

/** Each is one removal against six other changes. More by hand: `RACE_ROUNDS=5000`. */
const ROUNDS = Number(process.env.RACE_ROUNDS ?? 500);
const AT_ONCE = 8;

let [a, b]: CompanionProcess[] = [];
let workspaceId: string;
let owner: string;
let verifier: string;
let folder: string;

beforeAll(async () => {
  folder = scratchFolder();
  const env = { HEEX_KEY_LIMIT: '1000000' };
  a = await startProcess(folder, env);
  const setup = await call(a.url, 'POST', '/v1/setup', {
    body: {
      token: SETUP_TOKEN,
      workspace: 'Acme',
      name: 'O',
      email: 'o@acme.example',
      password: 'correct horse battery',
    },
  });
  [workspaceId, owner] = [setup.body.workspace.id, setup.body.session.token];
  const body = { name: 'gateway', environment: 'production' };
  verifier = (await call(a.url, 'POST', `/v1/workspaces/${workspaceId}/verifiers`, { token: owner, body })).body.secret;
  b = await startProcess(folder, env);
});
afterAll(() => Promise.all([a?.end(), b?.end()]));

const either = () => ((Math.random() < 0.5 ? a : b) as CompanionProcess).url;
const W = (path: string) => `/v1/workspaces/${workspaceId}${path}`;
const later = (ms: number) => new Promise((done) => setTimeout(done, Math.random() * ms));

async function verifyEverywhere(secrets: readonly string[]): Promise<string[]> {
  const answers = await Promise.all(
    [a, b].map((companion) =>
      call(companion?.url ?? '', 'POST', '/v1/verify/batch', {
        token: verifier,
        body: { items: secrets.map((key) => ({ key })) },
      }),
    ),
  );
  return answers.flatMap((answer) => answer.body.results.map((result: { code: string }) => result.code));
}

/** One removal while the member creates, rotates, edits, enables, disables and renames, each on either process. */
async function round(person: WrittenMember, outcomes: Map<string, number>) {
  const [first, second] = person.keys as [{ id: string; secret: string }, { id: string; secret: string }];
  const secrets = [first.secret, second.secret];
  const mine = async (method: string, path: string, body?: unknown) => {
    await later(12);
    const answer = await call(either(), method, W(path), { token: person.token, body });
    if (answer.body?.secret) secrets.push(answer.body.secret);
    const ok = answer.status < 300 ? 'done' : `refused ${answer.status}`;
    outcomes.set(ok, (outcomes.get(ok) ?? 0) + 1);
  };
  const changes = [
    mine('POST', '/keys', { name: 'made in the race', environment: 'production' }),
    mine('POST', '/keys', { name: 'made as well', environment: 'production' }),
    mine('POST', `/keys/${first.id}/rotate`, { overlapSeconds: 3600 }),
    mine('PATCH', `/keys/${first.id}`, { name: 'renamed in the race' }),
    mine('POST', `/keys/${second.id}/enable`),
    mine('POST', `/keys/${first.id}/disable`),
  ];
  await later(12);
  const removed = await call(either(), 'DELETE', W(`/members/${person.membershipId}`), { token: owner });
  expect(removed.status).toBe(200);
  // Acknowledged: from here on nothing of theirs works, on either process.
  const known = [...secrets];
  const [codes, sessions] = await Promise.all([
    verifyEverywhere(known),
    Promise.all([a, b].map((one) => call(one?.url ?? '', 'GET', '/v1/me', { token: person.token }))),
  ]);
  expect(new Set(codes)).toEqual(new Set(['revoked']));
  expect(sessions.map((answer) => answer.status)).toEqual([401, 401]);
  await Promise.all(changes);
  return secrets;
}

test('no change to a key, on either of two processes, gets past a removal', { timeout: 600_000 }, async () => {
  const rows = rowsIn(folder);
  const outcomes = new Map<string, number>();
  const members = rows.members(ROUNDS, 2);
  for (let i = 0; i < ROUNDS; i += AT_ONCE) {
    const secrets = await Promise.all(members.slice(i, i + AT_ONCE).map((person) => round(person, outcomes)));
    expect(new Set(await verifyEverywhere(secrets.flat()))).toEqual(new Set(['revoked']));
    expect(orphans(rows.db)).toEqual([]);
  }
  const gone = members.map((m) => m.membershipId);
  const reasons = rows.db.prepare('select distinct revoked_reason from api_key').pluck().all();
  const half = rows.db
    .prepare('select count(*) from audit where action = ? and json_extract(target, ?) like ?')
    .pluck()
    .get('member.removed', '$.id', 'mem_w%');
  expect(reasons).toEqual(['member_left']);
  expect(half).toBe(gone.length);
  const chain = await call(a?.url ?? '', 'GET', W('/audit/verify'), { token: owner });
  expect(chain.body.valid).toBe(true);
  rows.close();
  // The race was one: many changes came before the removal, many after it.
  const refused = [...outcomes].filter(([what]) => what !== 'done').reduce((sum, [, n]) => sum + n, 0);
  expect(
    [...outcomes.keys()].filter((what) => !['done', 'refused 401', 'refused 404', 'refused 409'].includes(what)),
  ).toEqual([]);
  expect(outcomes.get('done')).toBeGreaterThan(ROUNDS);
  expect(refused).toBeGreaterThan(ROUNDS / 2);
});

test('two owners on two processes who demote, suspend or remove each other at once leave one who can act', async () => {
  const rows = rowsIn(folder);
  const [one, two] = rows.members(2, 0) as [WrittenMember, WrittenMember];
  const actions = [
    (by: WrittenMember, whom: WrittenMember, url: string) =>
      call(url, 'PATCH', W(`/members/${whom.membershipId}`), { token: by.token, body: { role: 'member' } }),
    (by: WrittenMember, whom: WrittenMember, url: string) =>
      call(url, 'POST', W(`/members/${whom.membershipId}/suspend`), { token: by.token }),
  ];
  const reset = rows.db.prepare(
    `update membership set role = case when id in (?, ?) then 'owner' else 'admin' end, suspended_at = null`,
  );
  for (let i = 0; i < 20; i++) {
    reset.run(one.membershipId, two.membershipId);
    const action = actions[i % actions.length] as (typeof actions)[number];
    const answers = await Promise.all([action(one, two, a?.url ?? ''), action(two, one, b?.url ?? '')]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 403]);
    const left = rows.db.prepare(`select count(*) from membership where role = 'owner' and suspended_at is null`);
    expect(left.pluck().get()).toBe(1);
  }
  rows.close();
});
