import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../shared/contract/endpoint.ts';
import { endpoints } from '../../shared/contract/index.ts';
import { call } from '../support/client.ts';
import { anything, fitting, type JsonSchema, segment, spoil, toSchema } from '../support/near-values.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let scim = '';
let verifier = '';
let groupId = '';
/** Secrets of keys that live, for the fields that take one. */
let secret = '';
let keys: { id: string; secret: string }[] = [];
/** Makes names that no other thing has. */
let serial = 0;
const aMember = () => s.member(`Person ${++serial}`);

beforeAll(async () => {
  // Passkeys need a host name.
  s = await scenario({ HEEX_KEY_LIMIT: '100000', HEEX_PUBLIC_URL: 'http://localhost' });
  groupId = (await s.as(s.owner, 'POST', 'W/groups', { name: 'Readers', permissions: ['events:read'] })).body.id;
  scim = (await s.as(s.owner, 'POST', 'W/scim/tokens', { name: 'Okta' })).body.secret;
  verifier = await s.verifier();
  keys = [await s.key(s.owner, { groupId }), await s.key(s.owner, { groupId })];
  secret = keys[1]?.secret ?? '';
});
// One of them sets the longest lifetime, which would refuse what others make.
beforeEach(async () => {
  await s.as(s.owner, 'PATCH', 'W', { policies: { maxKeyLifetimeDays: null } });
});
afterAll(() => s.end());

/** A made thing's id, for the parameter of that name: new for each endpoint, so that none finds only what another one ended. */
const MAKE: Record<string, (endpoint: Endpoint) => Promise<string>> = {
  workspaceId: async () => s.workspaceId,
  async keyId({ id }) {
    const key = await s.key(s.owner, { groupId });
    if (id === 'finishRotation') await s.as(s.owner, 'POST', `W/keys/${key.id}/rotate`, { overlapSeconds: 3600 });
    if (id === 'enableKey') await s.as(s.owner, 'POST', `W/keys/${key.id}/disable`);
    return key.id;
  },
  async memberId({ id }) {
    const { membershipId } = await aMember();
    if (id === 'reinstateMember') await s.as(s.owner, 'POST', `W/members/${membershipId}/suspend`);
    return membershipId;
  },
  groupId: async () =>
    (await s.as(s.owner, 'POST', 'W/groups', { name: `group ${++serial}`, permissions: ['events:read'] })).body.id,
  verifierId: async () =>
    (await s.as(s.owner, 'POST', 'W/verifiers', { name: `gate ${++serial}`, environment: 'production' })).body.verifier
      .id,
  invitationId: async () =>
    (await s.as(s.owner, 'POST', 'W/invitations', { email: `x${++serial}@acme.example`, role: 'member' })).body
      .invitation.id,
  async tokenId() {
    // There may be ten: those that were made on the way give room.
    const { tokens } = (await s.as(s.owner, 'GET', 'W/scim')).body;
    for (const { id, name } of tokens) if (name !== 'Okta') await s.as(s.owner, 'DELETE', `W/scim/tokens/${id}`);
    return (await s.as(s.owner, 'POST', 'W/scim/tokens', { name: `idp ${++serial}` })).body.token.id;
  },
  sessionId: async () => 'current',
  userId: async () =>
    (
      await call(s.url, 'POST', '/scim/v2/Users', {
        token: scim,
        body: { schemas: [USER], userName: `made${++serial}@acme.example` },
        headers: { 'content-type': 'application/scim+json' },
      })
    ).body.id,
  typeId: async () => 'User',
  schemaId: async () => USER,
};
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** Text that fits a field of an endpoint, where the field's name alone does not say it. */
function special(
  endpoint: Endpoint,
  person: Person,
  made: Record<string, string>,
): Record<string, fc.Arbitrary<unknown>> {
  const ids = fc.constantFrom(...keys.map((key) => key.id));
  const common = { groupId: fc.constant(groupId), ids, key: fc.constant(secret), token: fc.constant(secret) };
  const scimUser = fc.nat().map((n) => ({ schemas: [USER], userName: `u${n}@acme.example`, active: true }));
  const patch = fc.constant({ schemas: [PATCH], Operations: [{ op: 'replace', path: 'displayName', value: 'Ada L' }] });
  const own: Record<string, Record<string, fc.Arbitrary<unknown>>> = {
    createSession: { email: fc.constant(person.email), password: fc.constant(person.password) },
    confirmSession: { password: fc.constant(person.password) },
    changePassword: { currentPassword: fc.constant(person.password) },
    acceptInvitation: { token: fc.constant(made.token ?? '') },
    startJoinWithPasskey: { token: fc.constant(made.token ?? '') },
    resetPassword: { token: fc.constant(made.token ?? '') },
    revokeKeys: { ids: fc.constant(keys[0]?.id) },
    scimCreateUser: { '': scimUser },
    scimReplaceUser: { '': scimUser },
    scimPatchUser: { '': patch },
    saveSso: { issuer: fc.constant('http://127.0.0.1:9'), domains: fc.constant('acme.example') },
    listRequests: { key: ids },
    listAgents: { key: ids },
  };
  return { ...common, ...own[endpoint.id] };
}

/** The one-time token of a link that this endpoint takes. */
async function linkToken({ id }: Endpoint): Promise<string | undefined> {
  const invite = { email: `guest${++serial}@acme.example`, role: 'member' };
  const made = ['acceptInvitation', 'startJoinWithPasskey'].includes(id)
    ? await s.as(s.owner, 'POST', 'W/invitations', invite)
    : id === 'resetPassword'
      ? await s.as(s.owner, 'POST', `W/members/${(await aMember()).membershipId}/reset`)
      : undefined;
  return made && new URL(made.body.link).hash.slice(1);
}

/** Whoever asks: the owner, whose session lives on; where the call may end it, somebody else for each endpoint. */
async function credentials(
  endpoint: Endpoint,
): Promise<{ token: string; headers: Record<string, string>; person: Person }> {
  const ends = ['endSession', 'changePassword', 'confirmSession', 'createSession'].includes(endpoint.id);
  const person = ends ? await aMember() : s.owner;
  if (endpoint.credential === 'own') return { token: secret, headers: { 'x-heex-verifier': verifier }, person };
  if (endpoint.credential === 'scim') return { token: scim, headers: {}, person };
  if (endpoint.credential === 'verifier') return { token: verifier, headers: {}, person };
  if (endpoint.credential === 'key') return { token: (await s.key(s.owner)).secret, headers: {}, person };
  if (endpoint.id === 'acceptInvitation') return { token: '', headers: {}, person };
  return { token: person.token, headers: {}, person };
}

/** Where no request of this kind can succeed, and why; their successes have tests of their own. */
const NEVER: Record<string, string> = {
  setup: 'the workspace is there already',
  startSetupWithPasskey: 'the workspace is there already',
  setUpWithPasskey: 'the workspace is there already',
  connectToken: 'a person approves the code on a page first',
  deviceToken: 'a person approves the code on a page first',
  addPasskey: 'asks for what an authenticator signed',
  removePasskey: 'there is none without an authenticator',
  signInWithPasskey: 'asks for what an authenticator signed',
  joinWithPasskey: 'asks for what an authenticator signed',
  forgotPassword: 'there is no mail server',
  saveSso: 'asks the identity provider',
  removeIdentity: 'there is none without an identity provider',
  enrolAgent: 'asks for a signature by the agent’s key',
  connectAgent: 'leaves HTTP',
  removeAgent: 'there is none without a signature by its key',
};
/** Fields that are right only where there is no `Authorization`, which all of these requests carry. */
const INSTEAD_OF_HEADER: Record<string, string> = { introspect: 'client_secret' };
const ERROR_TYPES = {
  problem: 'application/problem+json',
  oauth: 'application/json',
  scim: 'application/scim+json',
};

function encode(endpoint: Endpoint, body: unknown): { body?: string; headers: Record<string, string> } {
  if (body === undefined) return { headers: {} };
  const type = endpoint.accepts?.[0] ?? 'application/json';
  const form = type.includes('urlencoded') && body !== null && typeof body === 'object';
  return {
    body: form ? String(toSearch(body)) : JSON.stringify(body),
    headers: { 'content-type': type },
  };
}
function toSearch(values: object): URLSearchParams {
  return new URLSearchParams(
    Object.entries(values).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, typeof one === 'string' ? one : JSON.stringify(one)]),
    ),
  );
}

describe('a request that is right but for one thing never finds a fault of ours, and one that is right succeeds', () => {
  test.each(endpoints)('$id', { timeout: 30_000 }, async (endpoint) => {
    const { token, headers, person } = await credentials(endpoint);
    const made: Record<string, string> = {};
    for (const [, name] of endpoint.path.matchAll(/:(\w+)/g))
      if (name && MAKE[name]) made[name] = await MAKE[name](endpoint);
    const oneTime = await linkToken(endpoint);
    if (oneTime) made.token = oneTime;
    const values = (schema: JsonSchema | undefined) =>
      schema ? fitting(schema, special(endpoint, person, made), '') : fc.constant(undefined);
    const requests = fc.record({
      params: fc.array(segment, { minLength: 3, maxLength: 3 }),
      body: values(toSchema(endpoint.body)),
      query: values(toSchema(endpoint.query)),
      // What is wrong: nothing, an id, or one value in the body or query.
      wrong: fc.constantFrom('nothing', 'id', 'body', 'body', 'query'),
      where: fc.nat(),
      by: anything,
      idempotencyKey: fc.option(fc.constantFrom('a', 'b', ''), { nil: undefined }),
    });
    const statuses = new Set<number>();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(requests, async (r) => {
        const right = run++ < 3 || r.wrong === 'nothing';
        let i = 0;
        const path = endpoint.path.replace(/:(\w+)/g, (_, name: string) => {
          const other = !right && r.wrong === 'id' && r.where % 3 >= i;
          return (other ? undefined : made[name]) ?? r.params[i++] ?? 'x';
        });
        const change = (of: 'body' | 'query') =>
          right || r.wrong !== of || r[of] === undefined ? r[of] : spoil(r[of], r.where, r.by);
        const query = change('query');
        // Only the server makes one that is right.
        if (right && query !== null && typeof query === 'object') delete (query as Record<string, unknown>).cursor;
        const search = query !== null && typeof query === 'object' ? toSearch(query) : new URLSearchParams();
        const body = change('body');
        const instead = INSTEAD_OF_HEADER[endpoint.id];
        if (right && instead) delete (body as Record<string, unknown>)[instead];
        const sent = encode(endpoint, body);
        const answer = await call(s.url, endpoint.method, search.size ? `${path}?${search}` : path, {
          token: token || undefined,
          body: sent.body,
          headers: {
            ...headers,
            ...sent.headers,
            ...(right || r.idempotencyKey === undefined ? {} : { 'Idempotency-Key': r.idempotencyKey }),
          },
        });
        statuses.add(answer.status);
        expect(answer.status, JSON.stringify([path, r, answer.body])).toBeLessThan(500);
        if (answer.status >= 400)
          expect(answer.headers.get('content-type')).toBe(ERROR_TYPES[endpoint.errors ?? 'problem']);
      }),
      { numRuns: 25 },
    );
    expect(
      [...statuses].some((status) => status < 300),
      [...statuses].join(),
    ).toBe(!NEVER[endpoint.id]);
    if (endpoint.credential !== 'none' && endpoint.credential !== 'own') expect([...statuses]).not.toEqual([401]);
  });
});
