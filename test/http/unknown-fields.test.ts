import { afterAll, beforeAll, expect, test } from 'vitest';
import { endpoints } from '../../shared/contract/index.ts';
import { call } from '../support/client.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let tokens: Record<string, string>;
beforeAll(async () => {
  s = await scenario();
  const key = (await s.key(s.owner)).secret;
  tokens = { key, own: key, verifier: await s.verifier(), session: s.owner.token, optional_session: s.owner.token };
});
afterAll(() => s.end());

/** Where a standard asks for the opposite: OAuth (RFC 6749, 3.2; RFC 7662) and SCIM (RFC 7644, 3.3) ignore what they don't know. */
const LENIENT = ['deviceCode', 'deviceToken', 'introspect'];
const strict = endpoints.filter((e) => e.credential !== 'scim' && !LENIENT.includes(e.id));

/** The one field that is refused, among whatever else is wrong. */
async function namedFor(endpoint: (typeof endpoints)[number], search: string, body: unknown) {
  const path = endpoint.path.replace(/:(\w+)/g, (_, name) => (name === 'workspaceId' ? s.workspaceId : 'current'));
  const headers = { 'x-heex-verifier': tokens.verifier ?? '' };
  const answer = await call(s.url, endpoint.method, path + search, {
    token: tokens[endpoint.credential],
    body,
    headers,
  });
  return [answer.status, answer.body.errors?.find((e: { path: string }) => e.path === 'unheardOf')?.message];
}

// A WebSocket handshake has a query that is not looked at.
test.each(strict.filter((e) => e.id !== 'connectAgent'))(
  '$id refuses a parameter that it does not know by name',
  async (e) => {
    const known = expect.stringMatching(/^is not a known (field|parameter)$/);
    expect(await namedFor(e, '?unheardOf=1', undefined)).toEqual([400, known]);
  },
);

test.each(strict.filter((e) => e.method !== 'GET' && e.method !== 'DELETE'))(
  '$id refuses a field that it does not know by name',
  async (e) => {
    expect(await namedFor(e, '', { unheardOf: 1 })).toEqual([400, 'is not a known field']);
  },
);

test('a field that is not known inside of another one is named with its path', async () => {
  const answer = await s.as(s.owner, 'POST', 'W/keys', {
    name: 'nested',
    environment: 'production',
    rateLimit: { limit: 1, windowSeconds: 1, unheardOf: 1 },
  });
  expect([answer.status, answer.body.errors]).toEqual([
    400,
    [{ path: 'rateLimit.unheardOf', message: 'is not a known field' }],
  ]);
});
