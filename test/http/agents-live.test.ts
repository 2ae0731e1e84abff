import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentsOf, connected, enrolGroup, enrolled, running, until } from '../support/agents.ts';
import { call } from '../support/client.ts';
import { freePort } from '../support/port.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let mia: Person;
let secret: string;
let groupId: string;
beforeAll(async () => {
  s = await scenario({ HEEX_PORT: String(await freePort()), HEEX_AGENT_HEARTBEAT_SECONDS: '1' });
  groupId = await enrolGroup(s.url, s.workspaceId, s.owner.token);
  mia = await s.member('Mia');
  secret = (await s.key(mia, { groupId })).secret;
});
afterAll(() => s.end());

const { seen, state } = agentsOf(() => s);

test('an agent that connects is shown with what it says of itself, and when it has gone', async () => {
  const c = await enrolled(s.url, secret, 'edge-lyon-01');
  const agent = running(c, { version: '2.9.1', hostName: 'lyon', platform: 'Ubuntu 24.04 · arm64' });
  const shown = await state(c.agentId, 'connected');
  expect(shown).toMatchObject({
    name: 'edge-lyon-01',
    version: '2.9.1',
    hostName: 'lyon',
    platform: 'Ubuntu 24.04 · arm64',
    ip: '127.0.0.1',
  });
  expect(Date.now() - Date.parse(shown.connectedAt as string)).toBeLessThan(60_000);
  // The heartbeat moves it.
  await until(
    () => seen(c.agentId),
    (a) => (a.lastSeenAt as string) > (shown.lastSeenAt as string),
  );
  const list = await s.as(mia, 'GET', 'W/agents?state=connected');
  expect(list.body).toMatchObject({ items: [{ id: c.agentId }], counts: { connected: 1, keyGone: 0 } });
  expect(await agent.stop()).toBe('stopped');
  const gone = await state(c.agentId, 'disconnected');
  expect(gone).toMatchObject({ connectedAt: null, version: '2.9.1', ip: '127.0.0.1' });
  expect((await s.as(mia, 'GET', 'W/agents?state=disconnected')).body.items).toMatchObject([{ id: c.agentId }]);
});

test('what a suspended owner enrolled runs on, counts as without a key, and is found by the name of its machine', async () => {
  const owner = await s.member('Suspended');
  const c = await enrolled(s.url, (await s.key(owner, { groupId })).secret);
  const agent = running(c, { hostName: 'Reims-Vault-7' });
  await state(c.agentId, 'connected');
  const counts = async () => (await s.as(s.owner, 'GET', 'W/agents')).body.counts;
  const before = (await counts()).keyGone;
  await s.as(s.owner, 'POST', `W/members/${owner.membershipId}/suspend`);
  expect((await counts()).keyGone).toBe(before + 1);
  expect((await s.as(s.owner, 'GET', 'W/agents?q=reims-vault')).body.items).toMatchObject([{ id: c.agentId }]);
  expect((await call(s.url, 'GET', '/metrics')).body).toMatch(/^heex_agents_connected [1-9]/m);
  await agent.stop();
});

test('a report changes what is shown, and text that hides is not taken', async () => {
  const c = await enrolled(s.url, secret);
  const raw = await connected(c);
  raw.socket.send(JSON.stringify({ type: 'report', report: { version: '2.0.0', hostName: 'renamed' } }));
  await until(
    () => seen(c.agentId),
    (a) => a.version === '2.0.0' && a.hostName === 'renamed',
  );
  raw.socket.send(JSON.stringify({ type: 'report', report: { version: '3\u202e0' } }));
  expect((await raw.closed).code).toBe(4400);
});

test('the newest connection wins, and the old one is told why', async () => {
  const c = await enrolled(s.url, secret);
  const old = await connected(c);
  const fresh = await connected(c);
  expect((await old.closed).code).toBe(4409);
  const shown = await seen(c.agentId);
  expect([shown.state, shown.version]).toEqual(['connected', '1']);
  fresh.socket.close();
});

test('of two processes with one credential the one that was there first gives up, and the other stays', async () => {
  const c = await enrolled(s.url, secret);
  const [old, fresh] = [running(c), running(c, { version: 'fresh' })];
  await Promise.race([old.outcome, fresh.outcome]);
  await until(
    () => seen(c.agentId),
    (a) => a.state === 'connected',
  );
  const outcomes = await Promise.all([old, fresh].map((agent) => agent.stop()));
  expect(outcomes.sort()).toEqual(['replaced', 'stopped']);
});

test('what a process held that crashed before the clock was set back counts for nothing', async () => {
  const c = await enrolled(s.url, secret);
  const { write } = s.companion.deps.store.activity;
  const later = Date.now() + 3_600_000;
  await write.insertInto('companion_process').values({ id: 'prc_dead', beat_at: later }).execute();
  await write
    .insertInto('agent_presence')
    .values({
      agent_id: c.agentId,
      workspace_id: s.workspaceId,
      process_id: 'prc_dead',
      connected_at: later,
      last_seen_at: later,
      version: 'dead',
      host_name: null,
      platform: null,
      ip: null,
      turn: 0,
    })
    .execute();
  expect((await seen(c.agentId)).state).toBe('disconnected');
  const agent = running(c);
  expect(await state(c.agentId, 'connected')).toMatchObject({ version: '1.2.3' });
  // It is written down as held by this process, for others to read.
  const row = () => write.selectFrom('agent_presence').selectAll().where('agent_id', '=', c.agentId).executeTakeFirst();
  await until(row, (written) => written?.process_id === s.companion.deps.agents.processId);
  await new Promise((done) => setTimeout(done, 2_500));
  expect(agent.said).toEqual(['connected']);
  await agent.stop();
});
