import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrolGroup, enrolled, until } from '../support/agents.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
beforeAll(async () => {
  s = await scenario();
});
afterAll(() => s.end());

test('everyone who joined is listed for admins, page by page, and for nobody else', async () => {
  const [ada, mel] = [await s.member('Ada', 'admin'), await s.member('Mel')];
  const all = await s.as(ada, 'GET', 'W/members');
  expect(all.status).toBe(200);
  expect(all.body.items).toEqual([
    expect.objectContaining({ id: s.owner.membershipId, role: 'owner', status: 'active', email: 'olga@acme.example' }),
    expect.objectContaining({ id: ada.membershipId, role: 'admin', name: 'Ada' }),
    expect.objectContaining({ id: mel.membershipId, role: 'member' }),
  ]);
  const first = await s.as(ada, 'GET', 'W/members?limit=2');
  const rest = await s.as(ada, 'GET', `W/members?limit=2&cursor=${first.body.nextCursor}`);
  expect([...first.body.items, ...rest.body.items]).toEqual(all.body.items);
  expect(rest.body.nextCursor).toBeNull();
  expect((await s.as(ada, 'GET', 'W/members?cursor=nonsense')).body.errors).toMatchObject([{ path: 'cursor' }]);
  expect((await s.as(mel, 'GET', 'W/members')).status).toBe(403);
  expect((await s.as(undefined, 'GET', 'W/members')).status).toBe(401);
});

test('an admin changes members but neither touches nor makes owners', async () => {
  const [amy, max] = [await s.member('Amy', 'admin'), await s.member('Max')];
  const role = (who: typeof amy, whom: typeof amy, to: string) =>
    s.as(who, 'PATCH', `W/members/${whom.membershipId}`, { role: to });
  expect((await role(amy, max, 'admin')).body).toMatchObject({ id: max.membershipId, role: 'admin' });
  expect((await role(amy, max, 'owner')).status).toBe(403);
  expect((await role(amy, s.owner, 'member')).status).toBe(403);
  expect((await s.as(amy, 'POST', `W/members/${s.owner.membershipId}/suspend`)).status).toBe(403);
  expect((await s.as(amy, 'DELETE', `W/members/${s.owner.membershipId}`)).status).toBe(403);
  expect((await role(amy, max, 'king')).status).toBe(400);
  expect((await s.as(amy, 'PATCH', 'W/members/mem_nobody', { role: 'admin' })).status).toBe(404);
});

test('the last owner can neither leave, nor be demoted, nor suspend themselves', async () => {
  const path = `W/members/${s.owner.membershipId}`;
  for (const answer of [
    await s.as(s.owner, 'DELETE', path),
    await s.as(s.owner, 'PATCH', path, { role: 'admin' }),
    await s.as(s.owner, 'POST', `${path}/suspend`),
  ])
    expect([answer.status, answer.body.code]).toEqual([409, 'last_owner']);
  // A suspended owner can't act, so does not count.
  const second = await s.member('Second', 'owner');
  const oneself = await s.as(second, 'POST', `W/members/${second.membershipId}/suspend`);
  expect([oneself.status, oneself.body.code]).toEqual([409, 'conflict']);
  expect((await s.as(s.owner, 'POST', `W/members/${second.membershipId}/suspend`)).status).toBe(200);
  expect((await s.as(s.owner, 'DELETE', path)).body.code).toBe('last_owner');
  expect((await s.as(s.owner, 'DELETE', `W/members/${second.membershipId}`)).status).toBe(200);
});

test('two owners who demote each other at once leave one', async () => {
  for (let round = 0; round < 5; round++) {
    const other = await s.member(`Rival ${round}`, 'owner');
    const demote = (who: typeof other, whom: typeof other) =>
      s.as(who, 'PATCH', `W/members/${whom.membershipId}`, { role: 'admin' });
    const answers = await Promise.all([demote(s.owner, other), demote(other, s.owner)]);
    expect(answers.map((a) => a.status).sort()).toEqual([200, 403]);
    const owners = (await s.as(other, 'GET', 'W/members?limit=100')).body.items.filter(
      (m: { role: string }) => m.role === 'owner',
    );
    expect(owners).toHaveLength(1);
    if (owners[0].id === other.membershipId) {
      await s.as(other, 'PATCH', `W/members/${s.owner.membershipId}`, { role: 'owner' });
      await s.as(s.owner, 'PATCH', `W/members/${other.membershipId}`, { role: 'admin' });
    }
  }
});

test('a suspended member is kept out until they are reinstated, and again and again is no error', async () => {
  const sue = await s.member('Sue');
  const path = `W/members/${sue.membershipId}`;
  for (let i = 0; i < 2; i++)
    expect((await s.as(s.owner, 'POST', `${path}/suspend`)).body).toMatchObject({ status: 'suspended' });
  expect((await s.as(sue, 'GET', 'W')).status).toBe(403);
  expect((await s.as(sue, 'GET', '/v1/me')).body.memberships).toMatchObject([{ status: 'suspended' }]);
  for (let i = 0; i < 2; i++)
    expect((await s.as(s.owner, 'POST', `${path}/reinstate`)).body).toMatchObject({ status: 'active' });
  expect((await s.as(sue, 'GET', 'W')).status).toBe(200);
  const rows = await s.companion.deps.store.read.selectFrom('audit').select('action').execute();
  expect(rows.filter((r) => r.action === 'member.suspended' || r.action === 'member.reinstated').length).toBe(
    // Second and Sue were suspended, Sue was reinstated: doing nothing leaves no row.
    3,
  );
});

test('somebody suspended may leave, and see what leaving does, but nothing else', async () => {
  const [sid, other] = [await s.member('Sid', 'admin'), await s.member('Otto')];
  await s.key(sid);
  const [own, others] = [`W/members/${sid.membershipId}`, `W/members/${other.membershipId}`];
  expect((await s.as(s.owner, 'POST', `${own}/suspend`)).status).toBe(200);
  for (const [method, path] of [
    ['DELETE', others],
    ['DELETE', 'W/members/mem_nobody'],
    ['GET', `${others}/removal`],
    ['POST', `${own}/reinstate`],
    ['GET', 'W/members'],
  ] as const) {
    const { status, body } = await s.as(sid, method, path);
    expect([status, body.detail], path).toEqual([403, 'Your membership is suspended.']);
  }
  expect((await s.as(sid, 'GET', `${own}/removal`)).body).toMatchObject({
    member: { status: 'suspended' },
    sessions: 1,
  });
  expect((await s.as(sid, 'DELETE', own)).body).toEqual({
    revokedKeys: 1,
    endedSessions: 1,
    unaffectedAgents: 0,
    knownSecrets: [],
  });
  sid.token = await s.signIn(sid);
  expect((await s.as(sid, 'GET', '/v1/me')).body.memberships).toEqual([]);
});

test('an owner who was suspended as the last one can’t leave either', async () => {
  const { store } = s.companion.deps;
  const suspend = (at: number | null) =>
    store.transact(async (tx) => {
      await tx.updateTable('membership').set({ suspended_at: at }).where('id', '=', s.owner.membershipId).execute();
    });
  await suspend(1);
  expect((await s.as(s.owner, 'DELETE', `W/members/${s.owner.membershipId}`)).body.code).toBe('last_owner');
  await suspend(null);
});

test('a member leaves by themselves, but removes nobody else', async () => {
  const [leo, liv] = [await s.member('Leo'), await s.member('Liv')];
  const other = await s.as(leo, 'DELETE', `W/members/${liv.membershipId}`);
  const nobody = await s.as(leo, 'DELETE', 'W/members/mem_nobody');
  expect([other.status, nobody.status]).toEqual([404, 404]);
  expect({ ...other.body, requestId: '' }).toEqual({ ...nobody.body, requestId: '' });
  await s.signIn(leo);
  const left = await s.as(leo, 'DELETE', `W/members/${leo.membershipId}`);
  expect([left.status, left.body]).toEqual([
    200,
    { revokedKeys: 0, endedSessions: 2, unaffectedAgents: 0, knownSecrets: [] },
  ]);
  expect((await s.as(leo, 'GET', '/v1/me')).status).toBe(401);
});

test('each member is listed with the agents they enrolled, how they can sign in and when they last did something', async () => {
  const [ann, bob] = [await s.member('Ann'), await s.member('Bob')];
  const groupId = await enrolGroup(s.url, s.workspaceId, s.owner.token);
  const { secret } = await s.key(ann, { groupId });
  const [first] = [await enrolled(s.url, secret), await enrolled(s.url, secret)];
  const row = async (who: typeof ann) =>
    (await s.as(s.owner, 'GET', 'W/members?limit=100')).body.items.find(
      (m: { id: string }) => m.id === who.membershipId,
    );
  expect(await row(ann)).toMatchObject({ agents: 2, signsInWith: ['password'] });
  expect((await s.as(s.owner, 'DELETE', `W/agents/${first.agentId}`)).status).toBe(204);
  expect(await row(ann)).toMatchObject({ agents: 1 });
  expect(await row(bob)).toMatchObject({ agents: 0 });
  const before = Date.parse((await row(bob)).lastActiveAt);
  s.companion.pass(3_600_000);
  await s.as(bob, 'GET', '/v1/me');
  await until(row.bind(null, bob), ({ lastActiveAt }) => Date.parse(lastActiveAt) >= before + 3_600_000);
  await s.as(bob, 'DELETE', '/v1/sessions/current');
  expect((await row(bob)).lastActiveAt).toBeNull();
});
