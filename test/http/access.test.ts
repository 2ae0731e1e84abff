import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../shared/contract/endpoint.ts';
import { endpoints } from '../../shared/contract/index.ts';
import { call } from '../support/client.ts';
import { scenario } from '../support/scenario.ts';
import { ACCESS, type Asked, CALLERS, type CallerKind, type World } from './access-table.ts';

let world: World;
beforeAll(async () => {
  const s = await scenario({ HEEX_KEY_LIMIT: '100000' });
  let joined = 0;
  const join = () => s.member(`Person ${++joined}`);
  const [ada, other, admin, suspended, gone] = [
    await s.member('Ada'),
    await s.member('Ben'),
    await s.member('Anna', 'admin'),
    await join(),
    await join(),
  ];
  await s.as(admin, 'POST', `W/members/${suspended.membershipId}/suspend`);
  await s.as(admin, 'DELETE', `W/members/${gone.membershipId}`);
  const tokens: World['tokens'] = {
    none: undefined,
    // Whoever was removed may sign in again, and then is somebody without a membership.
    outsider: await s.signIn(gone),
    member: ada.token,
    other: other.token,
    suspended: await s.signIn(suspended),
    admin: admin.token,
    owner: s.owner.token,
    key: (await s.key(ada)).secret,
    verifier: await s.verifier(),
    scim: (await s.as(s.owner, 'POST', 'W/scim/tokens', { name: 'Okta' })).body.secret,
    removed: gone.token,
  };
  world = { s, ada, admin, tokens, join };
});
afterAll(() => world.s.end());

test('every endpoint of the contract has its row of callers, and no other has', () => {
  expect(Object.keys(ACCESS).sort()).toEqual(endpoints.map((e) => e.id).sort());
});

function pathOf(endpoint: Endpoint, { params, query }: Asked): string {
  const values: Record<string, string> = { workspaceId: world.s.workspaceId, ...params };
  const path = endpoint.path.replace(/:(\w+)/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${endpoint.id}: the row says nothing of :${name}`);
    return value;
  });
  return query ? `${path}?${query}` : path;
}

async function ask(endpoint: Endpoint, caller: CallerKind) {
  const asked = (await ACCESS[endpoint.id]?.ask?.(world, caller)) ?? {};
  const token = asked.token ?? world.tokens[caller];
  return call(world.s.url, endpoint.method, pathOf(endpoint, asked), {
    token,
    body: asked.body,
    headers: asked.headers ?? {},
  });
}

describe.each(endpoints.filter((e) => ACCESS[e.id]))('$id', (endpoint) => {
  test.each(CALLERS)('answers %s as the table says', async (caller) => {
    const answer = await ask(endpoint, caller);
    const expected = ACCESS[endpoint.id]?.expect[caller];
    expect(answer.status, JSON.stringify(answer.body)).toBe(expected);
    if (answer.status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
    const schema = endpoint.answers[answer.status];
    if (schema && !endpoint.produces) expect(schema.safeParse(answer.body).error).toBeUndefined();
    if (endpoint.secret && answer.status < 300) expect(answer.headers.get('cache-control')).toBe('no-store');
  });
});
