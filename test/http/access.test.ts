import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../shared/contract/endpoint.ts';
import { endpoints } from '../../shared/contract/index.ts';
import { call } from '../support/client.ts';
import { ACCESS, CALLERS, type CallerKind, makeWorld, pathOf, type World } from './access-table.ts';

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.s.end());

test('every endpoint of the contract has its row of callers, and no other has', () => {
  expect(Object.keys(ACCESS).sort()).toEqual(endpoints.map((e) => e.id).sort());
});

async function ask(endpoint: Endpoint, caller: CallerKind) {
  const asked = (await ACCESS[endpoint.id]?.ask?.(world, caller)) ?? {};
  const token = asked.token ?? world.tokens[caller];
  return call(world.s.url, endpoint.method, pathOf(world, endpoint, asked), {
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
