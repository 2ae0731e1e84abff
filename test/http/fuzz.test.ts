import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { endpoints } from '../../shared/contract/index.ts';
import { call } from '../support/client.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
const heldKeys: string[] = [];
let verifier = '';
let scim = '';
/** Ids of things that are there, by the name of the path's parameter. */
const known: Record<string, string[]> = {};
beforeAll(async () => {
  s = await scenario({ HEEX_KEY_LIMIT: '100000' });
  const groups = await Promise.all(
    [0, 1, 2].map((i) => s.as(s.owner, 'POST', 'W/groups', { name: `group ${i}`, permissions: ['events:read'] })),
  );
  known.workspaceId = [s.workspaceId];
  known.groupId = groups.map((answer) => answer.body.id);
  known.memberId = [s.owner.membershipId, (await s.member('Ada')).membershipId];
  known.keyId = [];
  for (let i = 0; i < 20; i++) known.keyId.push((await s.key(s.owner, { groupId: known.groupId[0] })).id);
  for (let i = 0; i < 5; i++) heldKeys.push((await s.key(s.owner)).secret);
  verifier = await s.verifier();
  scim = (await s.as(s.owner, 'POST', 'W/scim/tokens', { name: 'Okta' })).body.secret;
});
afterAll(() => s.end());

interface JsonSchema {
  type?: string;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
}

const TEXTS = [
  '',
  ' ',
  '\u0000',
  '\u202e',
  '\ud800',
  'x'.repeat(5000),
  '%',
  "'; drop table api_key; --",
  '../..',
  '__proto__',
  '2026-02-30T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '0000-01-01T00:00:00+23:59',
  '2027-01-01T00:00:00Z',
  '::1/0',
  '10.0.0.0/8',
  '1e309',
  'NaN',
  '-1',
  'MTIz',
  'all',
  'events:read',
  'ada@acme.example',
];
const NUMBERS = [0, -1, 1, 0.5, 1e21, -1e308, Number.MAX_SAFE_INTEGER, 2 ** 31, 100, 101];
const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...TEXTS, ...NUMBERS, null, true, [], {}, [[]], { a: { b: null } }),
  fc.string({ maxLength: 40 }),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Values that mostly fit the schema, so that they get past the first check, and now and then don't. */
function near(schema: JsonSchema): fc.Arbitrary<unknown> {
  const fitting = fittingValue(schema);
  return fc.oneof({ weight: 5, arbitrary: fitting }, { weight: 1, arbitrary: anything });
}
function fittingValue(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(near));
  if (schema.type === 'object')
    return fc.record(
      Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, near(inner)])),
      { requiredKeys: [] },
    );
  if (schema.type === 'array') return fc.array(near(schema.items ?? {}), { maxLength: 4 });
  if (schema.type === 'integer' || schema.type === 'number') return fc.oneof(fc.constantFrom(...NUMBERS), fc.integer());
  if (schema.type === 'boolean') return fc.boolean();
  return fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'grapheme', maxLength: 30 }));
}

const toSchema = (schema: z.ZodMiniType | undefined) =>
  schema && (z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
/** A segment of a path that is still one after the client has read the URL. */
const segment = fc
  .oneof(
    fc.constantFrom('x', 'all', 'current', '%00', '%ff', '%2e%2e%2f', "'", '日本'),
    fc.string({ minLength: 1, maxLength: 30 }),
  )
  .map((text) => (/^%[0-9a-f]{2}/.test(text) ? text : encodeURIComponent(text.toWellFormed())))
  .filter((text) => text !== '.' && text !== '..');

function token(credential: string): string {
  // A key of its own for each: giving one up must not spoil it for the next.
  if (credential === 'key') return heldKeys.pop() ?? '';
  if (credential === 'scim') return scim;
  return credential === 'verifier' ? verifier : s.owner.token;
}

const ERROR_TYPES = {
  problem: 'application/problem+json',
  oauth: 'application/json',
  scim: 'application/scim+json',
};

describe('a request that is nearly right never finds a fault of ours', () => {
  // The one call that would end the session that the others need.
  const asked = endpoints.filter((e) => e.id !== 'endSession');
  test.each(asked)('$id', async (endpoint) => {
    const body = toSchema(endpoint.body);
    const query = toSchema(endpoint.query);
    const requests = fc.record({
      params: fc.array(segment, { minLength: 3, maxLength: 3 }),
      ours: fc.nat(40),
      body: body
        ? fc.oneof({ weight: 9, arbitrary: fittingValue(body) }, { weight: 1, arbitrary: anything })
        : fc.constant(undefined),
      query: query ? fittingValue(query) : fc.constant({}),
      idempotencyKey: fc.option(fc.constantFrom('a', 'b', ''), { nil: undefined }),
    });
    const used = token(endpoint.credential);
    await fc.assert(
      fc.asyncProperty(requests, async (r) => {
        let i = 0;
        const path = endpoint.path.replace(/:(\w+)/g, (_, name: string) =>
          r.ours && known[name] ? (known[name][r.ours % known[name].length] as string) : (r.params[i++] ?? 'x'),
        );
        const search = new URLSearchParams(
          Object.entries(r.query as object).flatMap(([name, value]) =>
            [value].flat().map((one): [string, string] => [name, typeof one === 'string' ? one : JSON.stringify(one)]),
          ),
        );
        const answer = await call(s.url, endpoint.method, search.size ? `${path}?${search}` : path, {
          token: used,
          body: r.body,
          headers: r.idempotencyKey === undefined ? {} : { 'Idempotency-Key': r.idempotencyKey },
        });
        expect(answer.status, JSON.stringify([path, r, answer.body])).toBeLessThan(500);
        if (answer.status >= 400)
          expect(answer.headers.get('content-type')).toBe(ERROR_TYPES[endpoint.errors ?? 'problem']);
      }),
      { numRuns: 60 },
    );
  });
});
