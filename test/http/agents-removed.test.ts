import { afterAll, beforeAll, expect, test } from 'vitest';
import { activityRetention } from '../../companion/app/jobs/retention.ts';
import { newCredential } from '../../examples/agent/credential.ts';
import { agentsOf, connected, enrolGroup, enrolled, hello, rawSocket, running, until } from '../support/agents.ts';
import { freePort } from '../support/port.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let secret: string;
beforeAll(async () => {
  s = await scenario({ HEEX_PORT: String(await freePort()), HEEX_AGENT_HEARTBEAT_SECONDS: '1' });
  const groupId = await enrolGroup(s.url, s.workspaceId, s.owner.token);
  secret = (await s.key(s.owner, { groupId })).secret;
});
afterAll(() => s.end());

const { state } = agentsOf(() => s);

test('when an agent was removed, where it was is forgotten', async () => {
  const { deps } = s.companion;
  const rows = (id: string) =>
    deps.store.activity.read.selectFrom('agent_presence').select('agent_id').where('agent_id', '=', id).execute();
  const [gone, stays] = [await enrolled(s.url, secret), await enrolled(s.url, secret)];
  for (const c of [gone, stays]) {
    const raw = await connected(c);
    raw.socket.close();
    await until(
      () => rows(c.agentId),
      (found) => found.length === 1,
    );
    await state(c.agentId, 'disconnected');
  }
  await s.as(s.owner, 'DELETE', `W/agents/${gone.agentId}`);
  await activityRetention.run(deps);
  expect([await rows(gone.agentId), await rows(stays.agentId)]).toEqual([[], [{ agent_id: stays.agentId }]]);
});

test('from the answer to a removal on, nothing that the agent says counts', async () => {
  const c = await enrolled(s.url, secret);
  const raw = await connected(c);
  await state(c.agentId, 'connected');
  await s.as(s.owner, 'DELETE', `W/agents/${c.agentId}`);
  raw.socket.send(JSON.stringify({ type: 'report', report: { version: 'after' } }));
  expect((await raw.closed).code).toBe(4403);
  const { read } = s.companion.deps.store.activity;
  const row = () => read.selectFrom('agent_presence').selectAll().where('agent_id', '=', c.agentId).executeTakeFirst();
  expect((await until(row, (found) => found?.process_id === null))?.version).toBe('1');
});

test('removing an agent ends its connection at once and for good', async () => {
  const c = await enrolled(s.url, secret);
  const agent = running(c);
  await state(c.agentId, 'connected');
  expect((await s.as(s.owner, 'DELETE', `W/agents/${c.agentId}`)).status).toBe(204);
  expect(await agent.outcome).toBe('removed');
  const again = rawSocket(s.url);
  await hello(again, c);
  expect(await again.closed).toEqual({ code: 4403, reason: 'This agent was removed' });
  await s.companion.restart();
  expect(await running(c).outcome).toBe('removed');
  // Whoever has not its key does not learn that it was there.
  const guess = rawSocket(s.url);
  await hello(guess, { ...newCredential(s.url), agentId: c.agentId });
  expect((await guess.closed).code).toBe(4401);
});

test('a removal by plain SQL, as by another process, ends the connection too', async () => {
  const c = await enrolled(s.url, secret);
  const agent = running(c);
  await state(c.agentId, 'connected');
  await s.companion.deps.store.transact(async (tx) => {
    await tx.updateTable('agent').set({ removed_at: 1 }).where('id', '=', c.agentId).execute();
  });
  expect(await agent.outcome).toBe('removed');
});

test('a removed agent can neither be brought back nor deleted, by whatever SQL', async () => {
  const c = await enrolled(s.url, secret);
  const { store } = s.companion.deps;
  const sql = (work: Parameters<typeof store.transact>[0]) => store.transact(work);
  await expect(sql((tx) => tx.deleteFrom('agent').where('id', '=', c.agentId).execute())).rejects.toThrow('removed_at');
  await s.as(s.owner, 'DELETE', `W/agents/${c.agentId}`);
  for (const change of [{ removed_at: null }, { removed_at: 5 }])
    await expect(
      sql((tx) => tx.updateTable('agent').set(change).where('id', '=', c.agentId).execute()),
    ).rejects.toThrow('stays removed');
  await expect(
    sql((tx) => tx.updateTable('agent').set({ public_key: 'x' }).where('id', '=', c.agentId).execute()),
  ).rejects.toThrow('identity');
});
