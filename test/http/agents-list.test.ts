import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Agent } from '../../shared/contract/agents.ts';
import { enrolGroup, enrolled, running, until } from '../support/agents.ts';
import { call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let mia: Person;
let groupId: string;
beforeAll(async () => {
  s = await scenario();
  groupId = await enrolGroup(s.url, s.workspaceId, s.owner.token);
  mia = await s.member('Mia');
  const { secret } = await s.key(mia, { groupId });
  for (const name of ['truck-17', 'truck-22']) await enrolled(s.url, secret, name);
});
afterAll(() => s.end());

const connected = (person: Person) =>
  s.as(person, 'GET', 'W/agents?state=connected').then(({ body }) => body.items.length as number);

test('a member sees their own agents, an admin all of them with counts, an outsider none', async () => {
  const [ben, adam] = [await s.member('Ben'), await s.member('Adam', 'admin')];
  const bens = await s.key(ben, { groupId });
  const agent = await enrolled(s.url, bens.secret, "ben's truck");
  const own = await s.as(ben, 'GET', 'W/agents');
  expect(own.body).toMatchObject({ items: [{ id: agent.agentId }], counts: { total: 1, connected: 0, keyGone: 0 } });
  expect((await s.as(mia, 'GET', `W/agents?owner=${ben.membershipId}`)).body.items).toEqual([]);
  const all = await s.as(adam, 'GET', 'W/agents');
  expect(all.body.items.length).toBeGreaterThan(2);
  expect(all.body.counts.total).toBe(all.body.items.length);
  const ids = async (query: string) =>
    (await s.as(adam, 'GET', `W/agents?${query}`)).body.items.map((a: { id: string }) => a.id);
  expect(await ids(`owner=${ben.membershipId}`)).toEqual([agent.agentId]);
  expect(await ids(`key=${bens.id}`)).toEqual([agent.agentId]);
  expect(await ids("q=BEN'S")).toEqual([agent.agentId]);
  expect(await ids('q=%25')).toEqual([]);
  expect(await ids('state=connected')).toEqual([]);
  expect((await ids('state=never_connected')).length).toBe(all.body.items.length);
  const first = await s.as(adam, 'GET', 'W/agents?limit=2');
  const rest = await s.as(adam, 'GET', `W/agents?cursor=${first.body.nextCursor}`);
  expect([...first.body.items, ...rest.body.items]).toEqual(all.body.items);
  expect((await s.as(adam, 'GET', 'W/agents?state=sleeping')).status).toBe(400);
  expect((await s.as(undefined, 'GET', 'W/agents')).status).toBe(401);
  expect((await call(s.url, 'GET', '/v1/workspaces/ws_other/agents', { token: mia.token })).status).toBe(404);
});

test('agents are found by their version and by what has become of their key; each sees the versions of their own agents', async () => {
  const [lou, max] = [await s.member('Lou'), await s.member('Max')];
  const [active, ends, revoked] = [
    await s.key(lou, { groupId }),
    await s.key(lou, { groupId, expiresAt: new Date(Date.now() + 3 * 86_400_000).toISOString() }),
    await s.key(lou, { groupId }),
  ];
  const [one, two, three] = [
    await enrolled(s.url, active.secret),
    await enrolled(s.url, ends.secret),
    await enrolled(s.url, revoked.secret),
  ];
  const maxs = await enrolled(s.url, (await s.key(max, { groupId })).secret);
  const agents = [
    running(one, { version: '2.9.1' }),
    running(two, { version: '2.10.0 "beta"' }),
    running(maxs, { version: '7.7.7' }),
  ];
  await until(
    () => connected(s.owner),
    (n) => n === 3,
  );
  await s.as(lou, 'POST', `W/keys/${revoked.id}/revoke`);
  const list = async (person: Person, query = '') => (await s.as(person, 'GET', `W/agents?${query}`)).body;
  const ids = async (query: string) => (await list(lou, query)).items.map((a: Agent) => a.id);
  expect((await list(lou)).versions).toEqual(['2.10.0 "beta"', '2.9.1']);
  expect((await list(max)).versions).toEqual(['7.7.7']);
  expect((await list(s.owner)).versions).toEqual(expect.arrayContaining(['7.7.7', '2.10.0 "beta"', '2.9.1']));
  expect(await ids('version=2.9.1')).toEqual([one.agentId]);
  expect(await ids('version=2.9')).toEqual([]);
  expect(await ids('keyStatus=active')).toEqual([one.agentId]);
  expect(await ids('keyStatus=expiring_soon')).toEqual([two.agentId]);
  expect(await ids('keyStatus=revoked')).toEqual([three.agentId]);
  expect(await ids('keyStatus=revoked&version=2.9.1')).toEqual([]);
  await s.as(lou, 'POST', `W/keys/${active.id}/disable`);
  expect(await ids('keyStatus=disabled')).toEqual([one.agentId]);
  await s.as(lou, 'DELETE', `W/agents/${one.agentId}`);
  expect((await list(lou)).versions).toEqual(['2.10.0 "beta"']);
  expect((await s.as(lou, 'GET', 'W/agents?keyStatus=dead')).status).toBe(400);
  await Promise.all(agents.map((a) => a.stop()));
});
