import { createHash, randomBytes } from 'node:crypto';
import { decideDevice } from '../../companion/app/device.ts';
import { authenticateSession } from '../../companion/app/sessions.ts';
import { DEVICE_GRANT } from '../../shared/contract/device.ts';
import { visitor } from '../support/browserless.ts';
import { call } from '../support/client.ts';
import type { Person } from '../support/scenario.ts';
import { ACCESS, type Asked, type CallerKind, type World } from './access-table.ts';

/** What a call that changes something leaves in the audit log. */
export interface Audited {
  /** Who makes it; the first of these kinds whom the access table lets in otherwise. */
  by?: CallerKind;
  /** The call, where that of the access table changes nothing. */
  ask?(world: World): Promise<Asked> | Asked;
  /** The kind of client, where it is not that of the caller's own session. */
  client?: string;
  /** One action for each thing changed, in order. */
  rows: readonly string[];
}
/** A call that is audited in a test of its own, because it takes more than one request. */
export interface ShownIn {
  shownIn: string;
  action: string;
}
/** A POST that changes nothing that the audit log is about. */
export interface Unaudited {
  because: string;
}

/** The first kind of caller whom the call succeeds for. */
export function callerOf(id: string, audited: Audited): CallerKind {
  const kinds = ['member', 'owner', 'key', 'scim', 'none'] as const;
  const found = audited.by ?? kinds.find((kind) => (ACCESS[id]?.expect[kind] ?? 500) < 300);
  if (!found) throw new Error(`${id}: say who may`);
  return found;
}

let made = 0;
const named = (what: string) => `${what}${++made}`;
const invited = async ({ s, admin }: World, email: string) => {
  const { body } = await s.as(admin, 'POST', 'W/invitations', { email, role: 'member' });
  return new URL(body.link).hash.slice(1);
};
/** A member with two live keys. */
async function busy(w: World): Promise<Person> {
  const person = await w.join();
  await w.s.key(person);
  await w.s.key(person);
  return person;
}
const resetLink = async (w: World) => {
  const { membershipId } = await w.join();
  const { body } = await w.s.as(w.s.owner, 'POST', `W/members/${membershipId}/reset`);
  return new URL(body.link).hash.slice(1);
};
const connectCode = async ({ s, ada }: World) => {
  const codeVerifier = randomBytes(32).toString('base64url');
  const query = {
    client: 'extension',
    label: 'Firefox',
    state: randomBytes(32).toString('base64url'),
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
  };
  const v = visitor(s.url);
  await v.submit('/signin', { email: ada.email, password: ada.password });
  const { location } = await v.submit('/connect', { ...query, decision: 'approve' });
  const code = new URLSearchParams(new URL(location ?? '', s.url).hash.slice(1)).get('code') ?? '';
  return { code, codeVerifier };
};
const approvedDevice = async ({ s, ada }: World) => {
  const { deps } = s.companion;
  const { body } = await call(s.url, 'POST', '/v1/device/code', { body: { client_id: 'test' } });
  const caller = await authenticateSession(deps, ada.token, { requestId: 'req_1', ip: null, userAgent: null });
  await decideDevice(deps, caller, body.user_code, 'approved');
  return { grant_type: DEVICE_GRANT, client_id: 'test', device_code: body.device_code };
};
const twoKeys = async ({ s, ada }: World) => [(await s.key(ada)).id, (await s.key(ada)).id];

// What takes a browser or a provider to make is put into the database, to be removed by its endpoint.
async function passkey({ s, ada }: World): Promise<string> {
  const id = named('pky_');
  const row = {
    id,
    user_id: ada.userId,
    credential_id: id,
    public_key: 'x',
    counter: 0,
    transports: '[]',
    name: 'Laptop',
  };
  await s.companion.deps.store.transact(async (tx) => {
    await tx
      .insertInto('passkey')
      .values({ ...row, synced: 0, created_at: 1, last_used_at: null })
      .execute();
  });
  return id;
}
async function identity({ s, ada }: World): Promise<string> {
  const id = named('idt_');
  const row = { id, user_id: ada.userId, issuer: 'https://login.example', subject: id, email: ada.email };
  await s.companion.deps.store.transact(async (tx) => {
    await tx
      .insertInto('identity')
      .values({ ...row, linked_at: 1, last_used_at: null })
      .execute();
  });
  return id;
}
async function withSso({ s }: World): Promise<Asked> {
  const row = { issuer: 'https://login.example', client_id: 'heex', client_secret: 'x', name: 'Login', domains: '[]' };
  await s.companion.deps.store.transact(async (tx) => {
    await tx
      .insertInto('sso')
      .values({ ...row, workspace_id: s.workspaceId, updated_at: 1 })
      .onConflict((c) => c.doNothing())
      .execute();
  });
  return {};
}

/** By the id of the endpoint. A call that is no GET and has no row here fails the build. */
export const AUDITED: Record<string, Audited | ShownIn | Unaudited> = {
  // People
  setup: { shownIn: 'http/audit.test.ts', action: 'workspace.created' },
  createSession: { rows: ['session.created'] },
  endSession: {
    by: 'member',
    ask: async ({ s, ada }) => ({ token: await s.signIn(ada), params: { sessionId: 'current' } }),
    rows: ['session.ended'],
  },
  acceptInvitation: {
    by: 'none',
    ask: async (w) => {
      const token = await invited(w, `${named('joiner')}@acme.example`);
      return { body: { token, name: 'Jo', password: w.s.owner.password } };
    },
    rows: ['member.joined'],
  },
  connectToken: {
    by: 'none',
    ask: async (w) => ({ body: await connectCode(w) }),
    client: 'extension',
    rows: ['session.connected'],
  },
  deviceCode: { because: 'a request that nobody has approved gives nothing to anybody' },
  deviceToken: {
    by: 'none',
    ask: async (w) => ({ body: await approvedDevice(w) }),
    client: 'cli',
    rows: ['session.connected'],
  },

  // Passwords, passkeys, single sign-on
  changePassword: {
    by: 'member',
    ask: async (w) => {
      const { token, password } = await w.join();
      return { token, body: { currentPassword: password, newPassword: 'another horse battery' } };
    },
    rows: ['password.changed'],
  },
  forgotPassword: { because: 'a mail that anybody may ask for changes nothing until its link is used' },
  resetPassword: {
    by: 'none',
    ask: async (w) => ({ body: { token: await resetLink(w), newPassword: 'another horse battery' } }),
    rows: ['password.reset'],
  },
  createResetLink: { rows: ['password.reset_link_created'] },
  confirmSession: { because: 'it renews the proof of who somebody is, and changes nothing else' },
  startPasskey: { because: 'a challenge changes nothing' },
  startJoinWithPasskey: { because: 'a challenge changes nothing' },
  startSetupWithPasskey: { because: 'a challenge changes nothing' },
  setUpWithPasskey: { shownIn: 'http/passkeys-setup.test.ts', action: 'workspace.created' },
  joinWithPasskey: { shownIn: 'http/passkeys.test.ts', action: 'member.joined' },
  addPasskey: { shownIn: 'http/passkeys.test.ts', action: 'passkey.added' },
  removePasskey: {
    by: 'member',
    ask: async (w) => ({ params: { passkeyId: await passkey(w) } }),
    rows: ['passkey.removed'],
  },
  challengePasskey: { because: 'a challenge changes nothing' },
  signInWithPasskey: { shownIn: 'http/passkeys.test.ts', action: 'session.created' },
  saveSso: { shownIn: 'http/oidc-settings.test.ts', action: 'sso.saved' },
  removeSso: { by: 'owner', ask: withSso, rows: ['sso.removed'] },
  removeIdentity: {
    by: 'member',
    ask: async (w) => ({ params: { identityId: await identity(w) } }),
    rows: ['identity.unlinked'],
  },

  // Workspace, members, invitations, verifiers
  editWorkspace: { ask: () => ({ body: { name: named('Acme ') } }), rows: ['workspace.edited'] },
  editMember: {
    ask: async (w) => ({ params: { memberId: (await w.join()).membershipId }, body: { role: 'admin' } }),
    rows: ['member.role_changed'],
  },
  suspendMember: { rows: ['member.suspended'] },
  reinstateMember: {
    ask: async (w) => {
      const memberId = (await w.join()).membershipId;
      await w.s.as(w.admin, 'POST', `W/members/${memberId}/suspend`);
      return { params: { memberId } };
    },
    rows: ['member.reinstated'],
  },
  removeMember: {
    by: 'admin',
    ask: async (w) => ({ params: { memberId: (await busy(w)).membershipId } }),
    rows: ['member.removed', 'key.revoked', 'key.revoked'],
  },
  createInvitation: { rows: ['invitation.created'] },
  withdrawInvitation: { rows: ['invitation.withdrawn'] },
  createVerifier: { rows: ['verifier.created'] },
  removeVerifier: { rows: ['verifier.removed'] },

  // Keys and groups
  createKey: { rows: ['key.created'] },
  editKey: { rows: ['key.edited'] },
  rotateKey: { rows: ['key.rotated'] },
  finishRotation: { rows: ['key.rotation_finished'] },
  disableKey: { rows: ['key.disabled'] },
  enableKey: { rows: ['key.enabled'] },
  revokeKey: { rows: ['key.revoked'] },
  revokeKeys: { ask: async (w) => ({ body: { ids: await twoKeys(w) } }), rows: ['key.revoked', 'key.revoked'] },
  createGroup: { rows: ['group.created'] },
  editGroup: { rows: ['group.edited'] },
  deleteGroup: { rows: ['group.deleted'] },

  // Keys in use
  verify: { because: 'the request log has it' },
  verifyBatch: { because: 'the request log has it' },
  introspect: { because: 'the request log has it' },
  resolveKey: { because: 'it changes nothing' },
  reportUsage: { because: 'the request log has it' },
  revokeHeld: { rows: ['key.revoked'] },
  enrolAgent: { rows: ['agent.enrolled'] },
  removeAgent: { rows: ['agent.removed'] },

  // Provisioning
  editScim: {
    ask: async ({ s }) => {
      const { deactivation } = (await s.as(s.owner, 'GET', 'W/scim')).body;
      return { body: { deactivation: deactivation === 'remove' ? 'suspend' : 'remove' } };
    },
    rows: ['scim.changed'],
  },
  createScimToken: { rows: ['scim_token.created'] },
  rotateScimToken: { rows: ['scim_token.rotated'] },
  removeScimToken: { rows: ['scim_token.removed'] },
  scimCreateUser: { rows: ['member.joined'] },
  scimReplaceUser: { rows: ['user.changed'] },
  scimPatchUser: { rows: ['user.changed'] },
  scimDeleteUser: {
    ask: async (w) => ({ params: { userId: (await busy(w)).userId } }),
    rows: ['password.removed', 'member.removed', 'key.revoked', 'key.revoked'],
  },
};
