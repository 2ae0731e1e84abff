import { afterAll, expect, test } from 'vitest';
import { playHistory, STARTS } from '../../scripts/demo/history.ts';
import { LENA, PASSWORD, PEOPLE } from '../../scripts/demo/people.ts';
import { World } from '../../scripts/demo/world.ts';

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
