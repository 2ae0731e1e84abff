import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { SETUP_TOKEN } from '../support/companion.ts';
import { type CompanionProcess, scratchFolder, startProcess } from '../support/process.ts';
import { orphans, remains, rowsIn, type WrittenMember } from '../support/rows.ts';

/** Each is one removal against seven other changes. More by hand: `RACE_ROUNDS=5000`. */
const ROUNDS = Number(process.env.RACE_ROUNDS ?? 500);
const AT_ONCE = 8;
/** What the removed one does meanwhile. */
const KINDS = ['create', 'rotate', 'enable', 'edit', 'disable'] as const;
type Kind = (typeof KINDS)[number];

/** One request between its sending and its answer, in milliseconds of this process. */
interface Span {
  sent: number;
  answered: number;
  process: CompanionProcess;
}
interface Change extends Span {
  kind: Kind;
  status: number;
  detail: string | undefined;
}
/** What came of the changes of one kind whose request was under way while the removal's was. */
interface Overlaps {
  /** Done before the removal, and then revoked with everything else. */
  won: number;
  /** Refused, because the removal came first. */
  lost: number;
  /** Of those, let in while the member was there and refused only inside the change. */
  late: number;
  /** On the other of the two processes. */
  apart: number;
}

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

const either = () => (Math.random() < 0.5 ? a : b) as CompanionProcess;
const W = (path: string) => `/v1/workspaces/${workspaceId}${path}`;
const later = (ms: number) => new Promise((done) => setTimeout(done, Math.random() * ms));

/** A request to either process, with when it was under way. */
async function timed(method: string, path: string, token: string, body?: unknown) {
  const process = either();
  const sent = performance.now();
  const answer = await call(process.url, method, W(path), { token, body });
  return { answer, span: { sent, answered: performance.now(), process } satisfies Span };
}

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

/** One removal while the member creates, rotates, edits, enables and disables, each on either process. */
async function round(person: WrittenMember, overlaps: Map<Kind, Overlaps>) {
  const [first, second] = person.keys as [{ id: string; secret: string }, { id: string; secret: string }];
  const secrets = [first.secret, second.secret];
  const mine = async (kind: Kind, method: string, path: string, body?: unknown): Promise<Change> => {
    await later(12);
    const { answer, span } = await timed(method, path, person.token, body);
    if (answer.body?.secret) secrets.push(answer.body.secret);
    return { ...span, kind, status: answer.status, detail: answer.body?.detail };
  };
  const changes = [
    mine('create', 'POST', '/keys', { name: 'made in the race', environment: 'production' }),
    mine('create', 'POST', '/keys', { name: 'made as well', environment: 'production' }),
    mine('rotate', 'POST', `/keys/${first.id}/rotate`, { overlapSeconds: 3600 }),
    mine('edit', 'PATCH', `/keys/${first.id}`, { name: 'renamed in the race' }),
    mine('edit', 'PATCH', `/keys/${second.id}`, { ipAllowlist: ['192.0.2.0/24'] }),
    mine('enable', 'POST', `/keys/${second.id}/enable`),
    mine('disable', 'POST', `/keys/${first.id}/disable`),
  ];
  await later(12);
  const { answer: removed, span: removal } = await timed('DELETE', `/members/${person.membershipId}`, owner);
  expect([removed.status, removed.body.endedSessions]).toEqual([200, 1]);
  // Acknowledged: from here on nothing of theirs works, on either process.
  const known = [...secrets];
  const [codes, sessions] = await Promise.all([
    verifyEverywhere(known),
    Promise.all([a, b].map((one) => call(one?.url ?? '', 'GET', '/v1/me', { token: person.token }))),
  ]);
  expect(new Set(codes)).toEqual(new Set(['revoked']));
  expect(sessions.map((answer) => answer.status)).toEqual([401, 401]);
  for (const change of await Promise.all(changes)) count(change, removal, overlaps);
  return secrets;
}

function count(change: Change, removal: Span, overlaps: Map<Kind, Overlaps>): void {
  const won = change.status < 300;
  // Whoever was removed has no session, or no membership where that is looked for first.
  if (!won) expect([change.kind, change.status]).toEqual([change.kind, change.status === 404 ? 404 : 401]);
  // Nothing is done for somebody who was removed before they asked.
  if (won) expect(change.sent).toBeLessThan(removal.answered);
  if (change.sent >= removal.answered || removal.sent >= change.answered) return;
  const seen = overlaps.get(change.kind) ?? { won: 0, lost: 0, late: 0, apart: 0 };
  seen[won ? 'won' : 'lost']++;
  if (change.detail === 'The session has ended.') seen.late++;
  if (change.process !== removal.process) seen.apart++;
  overlaps.set(change.kind, seen);
}

test('no change to a key gets past a removal that runs at the same time, on either of two processes', {
  timeout: 600_000,
}, async () => {
  const rows = rowsIn(folder);
  const overlaps = new Map<Kind, Overlaps>();
  const members = rows.members(ROUNDS, 2);
  for (let i = 0; i < ROUNDS; i += AT_ONCE) {
    const secrets = await Promise.all(members.slice(i, i + AT_ONCE).map((person) => round(person, overlaps)));
    expect(new Set(await verifyEverywhere(secrets.flat()))).toEqual(new Set(['revoked']));
    expect(orphans(rows.db)).toEqual([]);
  }
  for (const member of members)
    expect(remains(rows.db, member)).toEqual({
      ...{ memberships: 0, sessions: 0, live: 0, left: 2, audited: 1, keysAudited: 2 },
    });
  expect(rows.db.prepare('select distinct revoked_reason from api_key').pluck().all()).toEqual(['member_left']);
  const chain = await call(a?.url ?? '', 'GET', W('/audit/verify'), { token: owner });
  expect(chain.body.valid).toBe(true);
  rows.close();
  // It was a race, for each kind of change: they were under way together, on one process and on two, and either came first.
  expect([...overlaps.keys()].sort()).toEqual([...KINDS].sort());
  for (const [kind, seen] of overlaps)
    for (const [what, times] of Object.entries(seen))
      expect([kind, what, times > ROUNDS / 25]).toEqual([kind, what, true]);
  const all = [...overlaps.values()].reduce((sum, { won, lost }) => sum + won + lost, 0);
  expect(all).toBeGreaterThan(2 * ROUNDS);
});

type Act = (by: WrittenMember, whom: WrittenMember, url: string) => Promise<{ status: number }>;
const at = (whom: WrittenMember) => W(`/members/${whom.membershipId}`);
const RIVALRIES: [string, Act, number[]][] = [
  ['demote', ({ token }, whom, url) => call(url, 'PATCH', at(whom), { token, body: { role: 'member' } }), [403]],
  ['suspend', ({ token }, whom, url) => call(url, 'POST', `${at(whom)}/suspend`, { token }), [403]],
  // Who was removed has no session any more.
  ['remove', ({ token }, whom, url) => call(url, 'DELETE', at(whom), { token }), [401, 404]],
];
test.each(RIVALRIES)(
  'two owners on two processes who %s each other at once leave one who can act',
  async (_, act, refused) => {
    const rows = rowsIn(folder);
    // Nobody else is an owner: one of the two has to stay.
    rows.db.prepare(`update membership set role = 'admin' where role = 'owner'`).run();
    const winners = new Set<number>();
    for (let i = 0; i < 20; i++) {
      const [one, two] = rows.members(2, 1) as [WrittenMember, WrittenMember];
      const both = [one, two].map((w) => w.membershipId);
      rows.db.prepare(`update membership set role = 'owner' where id in (?, ?)`).run(...both);
      const answers = await Promise.all([act(one, two, a?.url ?? ''), act(two, one, b?.url ?? '')]);
      const [won, lost] = answers[0]?.status === 200 ? [0, 1] : [1, 0];
      expect(answers[won]?.status).toBe(200);
      expect(refused).toContain(answers[lost]?.status);
      winners.add(won);
      const left = rows.db.prepare(`select id from membership where role = 'owner' and suspended_at is null`);
      expect(left.pluck().all()).toEqual([both[won]]);
      expect(orphans(rows.db)).toEqual([]);
      rows.db.prepare(`update membership set role = 'admin' where role = 'owner'`).run();
    }
    rows.close();
  },
);
