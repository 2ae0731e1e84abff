import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentsOf, connected, enrolGroup, enrolled, rawSocket, running, until } from '../support/agents.ts';
import { freePort } from '../support/port.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let secret: string;
let groupId: string;
beforeAll(async () => {
  s = await scenario({ HEEX_PORT: String(await freePort()), HEEX_AGENT_HEARTBEAT_SECONDS: '1' });
  groupId = await enrolGroup(s.url, s.workspaceId, s.owner.token);
  secret = (await s.key(s.owner, { groupId })).secret;
});
afterAll(() => s.end());

const { seen, state } = agentsOf(() => s);

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

test('a companion that stops says so to its agents', async () => {
  const raw = await connected(await enrolled(s.url, secret));
  const waiting = rawSocket(s.url);
  await waiting.next();
  await s.companion.restart();
  expect([(await raw.closed).code, (await waiting.closed).code]).toEqual([1012, 1012]);
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
