import { USER_SCHEMA } from '../../companion/domain/scim/user.ts';
import { newCredential } from '../../examples/agent/credential.ts';
import { makeProof } from '../../examples/agent/enrol.ts';
import { DEVICE_GRANT } from '../../shared/contract/device.ts';
import type { Endpoint } from '../../shared/contract/endpoint.ts';
import { enrolGroup, enrolled } from '../support/agents.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

/** Every kind of caller. `member` asks for what is their own; `other`, `admin` and `owner` for what is that member's. */
export const CALLERS = [
  'none',
  'outsider',
  'member',
  'other',
  'suspended',
  'admin',
  'owner',
  'key',
  'verifier',
  'scim',
  'removed',
] as const;
export type CallerKind = (typeof CALLERS)[number];

/** A workspace with somebody of every kind in it. */
export interface World {
  s: Scenario;
  ada: Person;
  admin: Person;
  /** What each kind of caller shows in `Authorization: Bearer`. */
  tokens: Record<CallerKind, string | undefined>;
  /** A person with an account, a membership and a session of their own. */
  join(): Promise<Person>;
}

/** A workspace with somebody of every kind in it, on a companion of its own. */
export async function makeWorld(): Promise<World> {
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
  return { s, ada, admin, tokens, join };
}

/** The path of an endpoint with its parameters filled in. */
export function pathOf({ s }: World, endpoint: Endpoint, { params, query }: Asked): string {
  const values: Record<string, string> = { workspaceId: s.workspaceId, ...params };
  const path = endpoint.path.replace(/:(\w+)/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${endpoint.id}: the row says nothing of :${name}`);
    return value;
  });
  return query ? `${path}?${query}` : path;
}

/** One request: what stands for the path's parameters (the workspace is there already), and the body or query. */
export interface Asked {
  params?: Record<string, string>;
  query?: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Shown instead of the caller's own token, where the call would end the caller. */
  token?: string;
}

export interface Row {
  /** Something to act on that is Ada's, made anew for each call where the call uses it up. */
  ask?(world: World, caller: CallerKind): Promise<Asked> | Asked;
  expect: Record<CallerKind, number>;
}

const OUTSIDE = { none: 401, outsider: 404, suspended: 403, key: 401, verifier: 401, scim: 401, removed: 401 };
/** A status for everybody, whoever they are. */
const anybody = (status: number) => Object.fromEntries(CALLERS.map((c) => [c, status])) as Row['expect'];
/** Any session, also one without a membership. */
const signedIn = (ok: number): Row['expect'] => ({
  ...anybody(ok),
  none: 401,
  key: 401,
  verifier: 401,
  scim: 401,
  removed: 401,
});
const everyMember = (ok: number): Row['expect'] => ({ ...OUTSIDE, member: ok, other: ok, admin: ok, owner: ok });
const admins = (ok: number): Row['expect'] => ({ ...OUTSIDE, member: 403, other: 403, admin: ok, owner: ok });
const owners = (ok: number): Row['expect'] => ({ ...OUTSIDE, member: 403, other: 403, admin: 403, owner: ok });
/** What is somebody's own: to other members it does not exist; admins may do it too. */
const ownOrAdmin = (ok: number): Row['expect'] => ({ ...OUTSIDE, member: ok, other: 404, admin: ok, owner: ok });
/** The same, but only its owner may do it. */
const ownOnly = (ok: number): Row['expect'] => ({ ...OUTSIDE, member: ok, other: 404, admin: 403, owner: 403 });
const only = (caller: CallerKind, ok: number): Row['expect'] => ({ ...anybody(401), [caller]: ok });

let made = 0;
const named = (what: string) => `${what} ${++made}`;
const adasKey = async ({ s, ada }: World) => ({ params: { keyId: (await s.key(ada)).id } });
const byAdmin = async (w: World, method: string, path: string, body: unknown) =>
  (await w.s.as(w.admin, method, path, body)).body;
const group = async (w: World) => {
  const { id } = await byAdmin(w, 'POST', 'W/groups', { name: named('new group'), permissions: ['events:read'] });
  return { params: { groupId: id as string } };
};
/** Somebody who can be changed or removed without an end to the world. */
const somebody = async (w: World) => ({ params: { memberId: (await w.join()).membershipId } });
/** The same; the caller `member` is that person. */
const oneself = async (w: World, caller: CallerKind) => {
  const person = await w.join();
  return { params: { memberId: person.membershipId }, ...(caller === 'member' && { token: person.token }) };
};

/** The one spare token, made anew where it was used up. */
const scimToken = async ({ s }: World) => {
  const { tokens } = (await s.as(s.owner, 'GET', 'W/scim')).body;
  const spare = tokens.find((t: { name: string }) => t.name === 'spare');
  const tokenId: string = spare?.id ?? (await s.as(s.owner, 'POST', 'W/scim/tokens', { name: 'spare' })).body.token.id;
  return { tokenId };
};
const scimBody = () => ({ schemas: [USER_SCHEMA], userName: `${named('scim').replace(' ', '.')}@acme.example` });
const scimUser = async (w: World) => ({ params: { userId: (await w.join()).userId } });

/** A key of Ada's that may enrol agents. */
const enrolKey = async ({ s, ada }: World) =>
  (await s.key(ada, { groupId: await enrolGroup(s.url, s.workspaceId, s.owner.token) })).secret;

/** What every endpoint answers to every kind of caller, by its id. An endpoint without a row fails the build. */
export const ACCESS: Record<string, Row> = {
  // People
  setup: {
    ask: ({ s }) => ({
      body: { token: 'x', workspace: 'Other', name: 'Eve', email: 'eve@acme.example', password: s.owner.password },
    }),
    expect: anybody(409),
  },
  createSession: { ask: ({ ada }) => ({ body: { email: ada.email, password: ada.password } }), expect: anybody(201) },
  listSessions: { expect: signedIn(200) },
  endSession: { ask: () => ({ params: { sessionId: 'ses_nothing' } }), expect: signedIn(404) },
  me: { expect: signedIn(200) },
  acceptInvitation: {
    ask: () => ({ body: { token: 'unknown' } }),
    expect: { ...anybody(404), key: 401, verifier: 401, scim: 401, removed: 401 },
  },
  connectToken: { ask: () => ({ body: { code: 'unknown', codeVerifier: 'v'.repeat(43) } }), expect: anybody(401) },
  deviceCode: { ask: () => ({ body: { client_id: 'test' } }), expect: anybody(200) },
  deviceToken: {
    ask: () => ({ body: { grant_type: DEVICE_GRANT, device_code: 'unknown', client_id: 'test' } }),
    expect: anybody(400),
  },

  // Passwords, passkeys, single sign-on
  changePassword: { ask: () => ({ body: { newPassword: 'short' } }), expect: signedIn(400) },
  forgotPassword: { ask: ({ ada }) => ({ body: { email: ada.email } }), expect: anybody(409) },
  resetPassword: {
    ask: ({ s }) => ({ body: { token: 'no-link', newPassword: s.owner.password } }),
    expect: anybody(404),
  },
  createResetLink: { ask: somebody, expect: admins(201) },
  confirmSession: { ask: () => ({ params: { sessionId: 'current' }, body: {} }), expect: signedIn(403) },
  listPasskeys: { expect: signedIn(200) },
  // This companion is called by an address, for which browsers know no passkeys; `passkeys.test.ts` has one with a name.
  startPasskey: { expect: signedIn(409) },
  addPasskey: { ask: () => ({ body: {} }), expect: signedIn(400) },
  removePasskey: { ask: () => ({ params: { passkeyId: 'pky_nothing' } }), expect: signedIn(404) },
  challengePasskey: { expect: anybody(409) },
  startJoinWithPasskey: { ask: () => ({ body: { token: 'no-invitation', name: 'Eve' } }), expect: anybody(409) },
  joinWithPasskey: { ask: () => ({ body: {} }), expect: anybody(400) },
  startSetupWithPasskey: {
    ask: () => ({ body: { token: 'x', workspace: 'Other', name: 'Eve', email: 'eve@acme.example' } }),
    expect: anybody(409),
  },
  setUpWithPasskey: { ask: () => ({ body: {} }), expect: anybody(400) },
  signInWithPasskey: { ask: () => ({ body: {} }), expect: anybody(400) },
  readSso: { expect: owners(200) },
  saveSso: {
    ask: () => ({ body: { issuer: 'http://login.acme.example', clientId: 'x', clientSecret: 'y' } }),
    expect: owners(400),
  },
  removeSso: { expect: owners(204) },
  listIdentities: { expect: signedIn(200) },
  removeIdentity: { ask: () => ({ params: { identityId: 'idt_nothing' } }), expect: signedIn(404) },

  // Workspace, members, invitations, verifiers
  readWorkspace: { expect: everyMember(200) },
  editWorkspace: { ask: () => ({ body: { name: 'Acme Robotics' } }), expect: owners(200) },
  listMembers: { expect: admins(200) },
  editMember: { ask: async (w) => ({ ...(await somebody(w)), body: { role: 'member' } }), expect: admins(200) },
  suspendMember: { ask: somebody, expect: admins(200) },
  reinstateMember: { ask: somebody, expect: admins(200) },
  previewRemoval: { ask: oneself, expect: ownOrAdmin(200) },
  removeMember: { ask: oneself, expect: ownOrAdmin(200) },
  listInvitations: { expect: admins(200) },
  createInvitation: {
    ask: () => ({ body: { email: `${named('guest').replace(' ', '')}@acme.example`, role: 'member' } }),
    expect: admins(201),
  },
  withdrawInvitation: {
    ask: async (w) => {
      const email = `${named('guest').replace(' ', '')}@acme.example`;
      const { invitation } = await byAdmin(w, 'POST', 'W/invitations', { email, role: 'member' });
      return { params: { invitationId: invitation.id } };
    },
    expect: admins(204),
  },
  listVerifiers: { expect: admins(200) },
  createVerifier: { ask: () => ({ body: { name: 'gateway', environment: 'production' } }), expect: admins(201) },
  removeVerifier: {
    ask: async (w) => {
      const { verifier } = await byAdmin(w, 'POST', 'W/verifiers', { name: 'gateway', environment: 'staging' });
      return { params: { verifierId: verifier.id } };
    },
    expect: admins(204),
  },

  // Keys
  listKeys: { expect: everyMember(200) },
  createKey: { ask: () => ({ body: { name: named('new key'), environment: 'staging' } }), expect: everyMember(201) },
  readKey: { ask: adasKey, expect: ownOrAdmin(200) },
  editKey: { ask: async (w) => ({ ...(await adasKey(w)), body: { description: 'changed' } }), expect: ownOnly(200) },
  rotateKey: { ask: adasKey, expect: ownOnly(200) },
  finishRotation: {
    ask: async (w) => {
      const asked = await adasKey(w);
      await w.s.as(w.ada, 'POST', `W/keys/${asked.params.keyId}/rotate`, { overlapSeconds: 3600 });
      return asked;
    },
    expect: ownOnly(200),
  },
  disableKey: { ask: adasKey, expect: ownOrAdmin(200) },
  enableKey: {
    ask: async (w) => {
      const asked = await adasKey(w);
      await w.s.as(w.ada, 'POST', `W/keys/${asked.params.keyId}/disable`);
      return asked;
    },
    expect: ownOrAdmin(200),
  },
  revokeKey: { ask: adasKey, expect: ownOrAdmin(200) },
  revokeKeys: { ask: async (w) => ({ body: { ids: [(await w.s.key(w.ada)).id] } }), expect: ownOrAdmin(200) },
  keyUsage: { ask: adasKey, expect: ownOrAdmin(200) },
  keyRequests: { ask: adasKey, expect: ownOrAdmin(200) },

  // Authorization groups
  listGroups: { expect: everyMember(200) },
  createGroup: { ask: () => ({ body: { name: named('new group'), permissions: [] } }), expect: admins(201) },
  editGroup: { ask: async (w) => ({ ...(await group(w)), body: { permissions: [] } }), expect: admins(200) },
  deleteGroup: { ask: group, expect: admins(204) },

  // Keys in use
  verify: { ask: () => ({ body: { key: 'malformed' } }), expect: only('verifier', 200) },
  verifyBatch: { ask: () => ({ body: { items: [{ key: 'malformed' }] } }), expect: only('verifier', 200) },
  auth: { ask: (w) => ({ headers: { 'x-heex-verifier': w.tokens.verifier ?? '' } }), expect: only('key', 200) },
  introspect: {
    ask: () => ({ body: 'token=malformed', headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    expect: only('verifier', 200),
  },
  resolveKey: { ask: () => ({ body: { key: 'malformed' } }), expect: only('verifier', 200) },
  reportUsage: {
    ask: () => ({ body: { batch: 'a'.repeat(16), uses: [], notes: [] } }),
    expect: only('verifier', 200),
  },
  verifyStream: { expect: only('verifier', 200) },
  whoami: { expect: only('key', 200) },
  revokeHeld: {
    ask: async ({ s, ada }, caller) => (caller === 'key' ? { token: (await s.key(ada)).secret } : {}),
    expect: only('key', 200),
  },

  // Agents
  enrolAgent: {
    ask: async (w, caller) => {
      const [secret, agent] = [await enrolKey(w), newCredential(w.s.url)];
      const publicKey = { kty: 'OKP', crv: 'Ed25519', x: agent.x };
      const body = { publicKey, proof: makeProof(agent, secret, Date.now()) };
      return caller === 'key' ? { body, token: secret } : { body };
    },
    expect: only('key', 201),
  },
  // What it takes to connect is shown in agents-connect.test.ts: none of these callers has it.
  connectAgent: { expect: anybody(426) },
  listAgents: { expect: everyMember(200) },
  removeAgent: {
    ask: async (w) => ({ params: { agentId: (await enrolled(w.s.url, await enrolKey(w))).agentId } }),
    expect: ownOrAdmin(204),
  },

  // Provisioning
  readScim: { expect: owners(200) },
  editScim: { ask: () => ({ body: { deactivation: 'suspend' } }), expect: owners(200) },
  createScimToken: {
    ask: async (w, caller) => {
      if (caller === 'owner') await scimToken(w).then((t) => w.s.as(w.s.owner, 'DELETE', `W/scim/tokens/${t.tokenId}`));
      return { body: { name: 'Entra' } };
    },
    expect: owners(201),
  },
  rotateScimToken: { ask: async (w) => ({ params: await scimToken(w) }), expect: owners(200) },
  removeScimToken: { ask: async (w) => ({ params: await scimToken(w) }), expect: owners(204) },

  // SCIM 2.0
  scimConfig: { expect: only('scim', 200) },
  scimResourceTypes: { expect: only('scim', 200) },
  scimResourceType: { ask: () => ({ params: { typeId: 'User' } }), expect: only('scim', 200) },
  scimSchemas: { expect: only('scim', 200) },
  scimSchema: { ask: () => ({ params: { schemaId: USER_SCHEMA } }), expect: only('scim', 200) },
  scimListUsers: { expect: only('scim', 200) },
  scimCreateUser: { ask: () => ({ body: scimBody() }), expect: only('scim', 201) },
  scimReadUser: { ask: scimUser, expect: only('scim', 200) },
  scimReplaceUser: { ask: async (w) => ({ ...(await scimUser(w)), body: scimBody() }), expect: only('scim', 200) },
  scimPatchUser: {
    ask: async (w) => ({
      ...(await scimUser(w)),
      body: { schemas: [], Operations: [{ op: 'replace', path: 'displayName', value: 'Renamed' }] },
    }),
    expect: only('scim', 200),
  },
  scimDeleteUser: { ask: scimUser, expect: only('scim', 204) },

  // Activity
  readOverview: { expect: admins(200) },
  listRequests: { expect: admins(200) },
  listEvents: { expect: everyMember(200) },
  listJobs: { expect: admins(200) },

  // Audit log
  listAudit: { expect: admins(200) },
  exportAudit: { expect: admins(200) },
  verifyAudit: { expect: admins(200) },
};
