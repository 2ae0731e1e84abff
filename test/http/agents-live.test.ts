import { afterAll, beforeAll, expect, test } from 'vitest';
import { activityRetention } from '../../companion/app/jobs/retention.ts';
import { newCredential, signText } from '../../examples/agent/credential.ts';
import { connectStatement } from '../../shared/agent-protocol.ts';
import type { Agent } from '../../shared/contract/agents.ts';
import {
  connected,
  type EnrolledAgent,
  enrolGroup,
  enrolled,
  freePort,
  hello,
  rawSocket,
  running,
  until,
} from '../support/agents.ts';
import { call } from '../support/client.ts';
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

const seen = async (id: string): Promise<Agent> => {
  const { items } = (await s.as(s.owner, 'GET', 'W/agents?limit=100')).body as { items: Agent[] };
  return items.find((a) => a.id === id) as Agent;
};
const state = (id: string, wanted: Agent['state']) =>
  until(
    () => seen(id),
    (a) => a.state === wanted,
  );
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

test('a companion that stops says so to its agents', async () => {
  const raw = await connected(await enrolled(s.url, secret));
  const waiting = rawSocket(s.url);
  await waiting.next();
  await s.companion.restart();
  expect([(await raw.closed).code, (await waiting.closed).code]).toEqual([1012, 1012]);
});

test('a connection without a proof ends', async () => {
  const raw = rawSocket(s.url);
  await raw.next();
  expect((await raw.closed).code).toBe(4408);
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

const refusals: [string, (c: EnrolledAgent, other: EnrolledAgent) => [EnrolledAgent, Record<string, unknown>]][] = [
  ['by another key', (c, other) => [{ ...other, agentId: c.agentId }, {}]],
  ['for another agent', (c, other) => [c, { agentId: other.agentId }]],
  ['of an agent that never was', (c) => [c, { agentId: 'agt_never' }]],
  ['over another challenge', (c) => [c, { nonce: 'A'.repeat(43) }]],
  ['for another connection', (c) => [c, { connection: 'con_other' }]],
  ['for another server', (c) => [c, { host: 'evil.example' }]],
];
test.each(refusals)('a proof %s is refused', async (_what, change) => {
  const [c, other] = [await enrolled(s.url, secret), await enrolled(s.url, secret)];
  const raw = rawSocket(s.url);
  const [signer, said] = change(c, other);
  const { connection: _c, nonce: _n, ...sent } = { connection: '', nonce: '', ...said };
  const challenge = await raw.next();
  const host = (said.host as string) ?? new URL(s.url).host;
  const statement = connectStatement({
    host,
    connection: (said.connection ?? challenge.connection) as string,
    nonce: (said.nonce ?? challenge.nonce) as string,
    agentId: c.agentId,
  });
  const message = { type: 'hello', agentId: c.agentId, host, signature: signText(signer, statement), report: {} };
  raw.socket.send(JSON.stringify({ ...message, ...sent }));
  expect((await raw.closed).code).toBe(4401);
  expect((await seen(c.agentId)).state).toBe('never_connected');
});

test('a proof that was heard on one connection is worth nothing on another', async () => {
  const c = await enrolled(s.url, secret);
  const first = rawSocket(s.url);
  const { signature } = await hello(first, c);
  await first.next();
  const second = rawSocket(s.url);
  await second.next();
  const { host } = new URL(s.url);
  second.socket.send(JSON.stringify({ type: 'hello', agentId: c.agentId, host, signature, report: {} }));
  expect((await second.closed).code).toBe(4401);
  expect((await seen(c.agentId)).state).toBe('connected');
  first.socket.close();
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

// A clock that is set back must not make an old connection look newer than a new one.
test('an agent stays connected, and is shown so, when the clock is set back', async () => {
  const c = await enrolled(s.url, secret);
  s.companion.pass(3_600_000);
  const agent = running(c);
  await state(c.agentId, 'connected');
  s.companion.pass(-3_600_000);
  await s.companion.restart();
  await until(
    () => agent.said.filter((message) => message === 'connected').length,
    (n) => n === 2,
  );
  // Two looks at what other processes hold.
  await new Promise((done) => setTimeout(done, 2_500));
  expect((await seen(c.agentId)).state).toBe('connected');
  expect(agent.said.filter((message) => message === 'connected')).toHaveLength(2);
  await agent.stop();
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

// What must never stop an agent. Each is done while it is connected, and then the companion is restarted.
const fates: [string, (keyId: string, owner: Person) => Promise<unknown>, string][] = [
  ['revoking its key', (id, owner) => s.as(owner, 'POST', `W/keys/${id}/revoke`, {}), 'revoked'],
  ['disabling its key', (id, owner) => s.as(owner, 'POST', `W/keys/${id}/disable`), 'disabled'],
  ['rotating its key at once', (id, owner) => s.as(owner, 'POST', `W/keys/${id}/rotate`, {}), 'active'],
  ['suspending its owner', (_, owner) => s.as(s.owner, 'POST', `W/members/${owner.membershipId}/suspend`), 'active'],
  ['removing its owner', (_, owner) => s.as(s.owner, 'DELETE', `W/members/${owner.membershipId}`), 'revoked'],
  // Last, since it moves the clock.
  [
    'the expiry of its key',
    async () => {
      s.companion.pass(3 * 86_400_000);
    },
    'expired',
  ],
];
test.each(fates)('%s changes nothing for an agent, also through a restart', async (what, happen, keyStatus) => {
  const owner = await s.member(`Owner ${what}`);
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
  const key = await s.key(owner, { groupId, ...(keyStatus === 'expired' ? { expiresAt } : {}) });
  const c = await enrolled(s.url, key.secret);
  const agent = running(c);
  await state(c.agentId, 'connected');
  const answer = await happen(key.id, owner);
  expect((answer as { status: number } | undefined)?.status ?? 200).toBe(200);
  // It takes another heartbeat: nothing cut it meanwhile.
  const before = await seen(c.agentId);
  expect(before).toMatchObject({ state: 'connected', enrolledKey: { status: keyStatus } });
  await until(
    () => seen(c.agentId),
    (a) => a.lastSeenAt !== before.lastSeenAt,
  );
  expect(agent.said).toEqual(['connected']);
  await s.companion.restart();
  const after = await state(c.agentId, 'connected');
  expect(after.enrolledKey).toMatchObject({ id: key.id, name: key.name, prefix: key.prefix });
  expect(agent.said.filter((message) => message === 'connected')).toHaveLength(2);
  // And the key itself is as dead as it should be.
  if (keyStatus !== 'active' || what.startsWith('rotating'))
    await expect(enrolled(s.url, key.secret)).rejects.toThrow();
  expect(await agent.stop()).toBe('stopped');
});
