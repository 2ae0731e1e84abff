import type { FreshSecret, PublishedName } from '../../../extension/messages/published.ts';
import type { Route } from '../../../extension/state/route.ts';
import type { Answers } from './browser.ts';
import {
  after,
  before,
  GROUPS,
  INVITATIONS,
  KEYS,
  key,
  LONG,
  lena,
  MEMBERS,
  member,
  NOW,
  PREVIEW,
  snapshot,
  USAGE,
  usage,
} from './samples.ts';
import {
  AGENTS,
  AUDIT,
  agent,
  CHAIN,
  JOBS,
  LOG,
  OVERVIEW,
  SCIM_TOKENS,
  SESSIONS,
  VERIFIERS,
} from './samples-workspace.ts';

/** One screen in one state: what is published, where the page is, what the background would answer. */
export interface Scene {
  published?: Partial<Record<PublishedName, unknown>>;
  route?: Route[];
  kept?: Record<string, unknown>;
  answers?: Answers;
  surface?: 'popup' | 'workspace';
  /** Where the full page is. */
  hash?: string;
}

export const MINUTE = 60_000;
export const origin = 'https://keys.acme.example';
export const failure = (code: string, title: string, more = {}) => ({ code, title, ...more });
export const refusal = (code: string, title: string, more = {}) => ({ ok: false, failure: failure(code, title, more) });

export const connected = (over: Parameters<typeof snapshot>[0] = {}) => ({
  connection: { status: 'connected', origin, user: lena },
  snapshot: snapshot(over),
  sync: { at: NOW, failure: null },
  team: { at: NOW, members: MEMBERS, invitations: INVITATIONS },
});

export const REMOVED = {
  workspaceId: 'ws_acme',
  preview: { ...PREVIEW, member: member('Maximiliana Bartholomäa von Hohenzollern-Sigmaringen') },
  removal: { revokedKeys: 3, endedSessions: 2, unaffectedAgents: 5, knownSecrets: [] },
  connected: [],
};

export const requests =
  (rows = LOG) =>
  () =>
    rows;
const known = (keyId: string) => [...KEYS, LONG, rotating, disabled].find((k) => k.id === keyId) ?? key();
const COUNTS = { total: 41, connected: 38, keyGone: 9 };
/** Of one key or member: those of the removal's preview, one of which does not run. */
const FLEET = PREVIEW.agents.map(({ id, name }) =>
  agent(name, name === 'rig-6' ? { id, state: 'never_connected', lastSeenAt: null } : { id }),
);
const VERSIONS = ['2.9.1', '2.8.4'];
export interface AgentQuery {
  key?: string;
  owner?: string;
  state?: string;
  keyStatus?: string;
  version?: string;
  cursor?: string;
}
/** Two pages of the same agents, or those of one key or member, as far as the filters let them through. */
export const agentsFor = ({
  query: { key: keyId, owner, state, keyStatus, version, cursor },
}: {
  query: AgentQuery;
}) => {
  const whole = keyId === undefined && owner === undefined;
  const items = (whole ? AGENTS : FLEET)
    .filter((one) => !state || one.state === state)
    .filter((one) => !keyStatus || one.enrolledKey.status === keyStatus)
    .filter((one) => !version || one.version === version);
  return { items, nextCursor: whole && !cursor ? 'more' : null, counts: COUNTS, versions: VERSIONS };
};
export const noAgents = () => ({ items: [], nextCursor: null, counts: COUNTS, versions: [] });
export const base: Answers = {
  'team.resetLink': () => ({ link: 'https://keys.acme.example/reset#heexr_1', expiresAt: after(60 * MINUTE) }),
  'sso.read': () => ({
    sso: {
      issuer: 'https://login.acme.example',
      clientId: 'heex',
      name: 'Acme login',
      domains: ['acme.example'],
      updatedAt: before(0),
    },
    redirectUri: `${origin}/sso/callback`,
  }),
  'scim.read': () => ({ baseUrl: `${origin}/scim/v2`, deactivation: 'remove', tokens: SCIM_TOKENS, people: 14 }),
  'scim.createToken': () => ({ token: SCIM_TOKENS[0], secret: 'heexm_K4vT9mPzXm4Rs8LpT1vBnYc6HjZa3KfEuW5qA2cD0x1Yz' }),
  'overview.read': () => OVERVIEW,
  'log.list': () => ({ items: LOG, nextCursor: 'more' }),
  'job.list': () => JOBS,
  'agent.list': agentsFor,
  'audit.list': () => ({ items: AUDIT, nextCursor: null }),
  'audit.verify': ({ query }: { query: { seq?: number } }) =>
    query.seq === 1 ? { ...CHAIN, valid: false, brokenAt: 1 } : CHAIN,
  'verifier.list': () => VERIFIERS,
  'verifier.create': () => ({ verifier: VERIFIERS[0], secret: 'heexv_K4vT9mPzXm4Rs8LpT1vBnYc6HjZa3KfEuW5qA2cD0x1Yz' }),
  'session.list': () => SESSIONS,
  'key.revokeMany': ({ keyIds }: { keyIds: string[] }) => keyIds.map((id) => ({ ...known(id), status: 'revoked' })),
  'key.disable': ({ keyId }: { keyId: string }) => ({ ...known(keyId), status: 'disabled' }),
  'key.enable': ({ keyId }: { keyId: string }) => ({ ...known(keyId), status: 'active' }),
  'key.revoke': ({ keyId }: { keyId: string }) => ({
    ...known(keyId),
    status: 'revoked',
    revokedReason: 'by_owner',
    revokedAt: before(0),
  }),
  'team.invite': ({ emails }: { emails: string[] }) => {
    const taken = emails.filter((email) => email.startsWith('marc@'));
    return {
      sent: emails
        .filter((email) => !taken.includes(email))
        .map((email) => ({ ...INVITATIONS[0], id: `inv_${email}`, email, mailed: email.startsWith('mail') })),
      refused: taken.map((email) => ({
        email,
        failure: failure('conflict', 'It clashes with something', { detail: `${email} is a member already.` }),
      })),
    };
  },
  'team.remove': async ({ memberId }: { memberId: string }) => {
    const members = MEMBERS.filter(({ id }) => id !== memberId);
    // Only now: what it finds when it is loaded is what it gives out.
    const { browser } = await import('wxt/browser');
    await browser.storage.session.set({ 'published.team': { at: NOW, members, invitations: INVITATIONS } });
    return { revokedKeys: 3, endedSessions: 2, unaffectedAgents: 5, knownSecrets: [] };
  },
  'group.list': () => GROUPS,
  'key.requests': requests(),
  'key.read': ({ keyId }: { keyId: string }) =>
    [...KEYS, LONG, rotating, disabled].find((k) => k.id === keyId) ??
    refusal('not_found', 'There is no such thing here'),
  'key.usage': ({ keyId }: { keyId: string }) => USAGE[keyId] ?? usage(40),
  'team.previewRemoval': () => PREVIEW,
};

export const rotating = key({
  name: 'rotating-app',
  rotation: {
    oldPrefix: 'heex_prod_1Aa2Bb3C',
    oldExpiresAt: after(23.8 * 60 * MINUTE),
    oldLastUsed: { at: before(2 * MINUTE), ip: '10.0.0.4', userAgent: 'curl/8.5.0' },
  },
  lastUsed: { at: before(MINUTE), ip: '10.0.0.7', userAgent: 'heex-ingest/2.9' },
});
export const installer = key({ name: 'agent-install', lastUsed: null, usageCount: 0, enrolledAgents: 5 });
export const ungrouped = key({
  name: 'old-import',
  status: 'revoked',
  revokedReason: 'by_owner',
  revokedAt: before(12 * 24 * 60 * MINUTE),
  groupId: null,
});
export const disabled = key({
  name: 'docs-bot',
  status: 'disabled',
  environment: 'staging',
  prefix: 'heex_stag_Hq2Lw8sA',
});
export const fresh = (over: Partial<FreshSecret> = {}): FreshSecret => ({
  id: 'fresh_1',
  kind: 'created',
  key: key({ name: 'prod-fleet-sync', prefix: 'heex_prod_K4vT9mPz' }),
  secret: 'heex_prod_K4vT9mPzXm4Rs8LpT1vBnYc6HjZa3KfEuW5qA2cD0x1Yz',
  copied: true,
  at: NOW,
  ...over,
});
export const at = (screen: Route['screen'], id?: string): Route[] => [
  { screen: 'keys' },
  { screen, ...(id ? { id } : {}) },
];
export const draft = {
  name: 'prod-fleet-sync',
  description: '',
  environment: 'production',
  expiry: '90',
  expiresOn: '',
  groupId: 'grp_ingest',
  permissions: null,
  ipAllowlist: '',
  rateLimit: '',
  customers: '',
  technicalOwner: '',
  advancedOpen: false,
};

export const connecting = (connection: unknown): Scene => ({ published: { connection } });
export const timeout = failure('timeout', 'The server did not answer in time', { detail: 'ERR_CONNECTION_TIMED_OUT' });
