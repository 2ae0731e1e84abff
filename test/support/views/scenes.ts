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
  requestRow,
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
  TEAM_KEYS,
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

const MINUTE = 60_000;
const origin = 'https://keys.acme.example';
const failure = (code: string, title: string, more = {}) => ({ code, title, ...more });
const refusal = (code: string, title: string, more = {}) => ({ ok: false, failure: failure(code, title, more) });

const connected = (over: Parameters<typeof snapshot>[0] = {}) => ({
  connection: { status: 'connected', origin, user: lena },
  snapshot: snapshot(over),
  sync: { at: NOW, failure: null },
  team: { at: NOW, members: MEMBERS, invitations: INVITATIONS },
});

const REMOVED = {
  workspaceId: 'ws_acme',
  preview: { ...PREVIEW, member: member('Maximiliana Bartholomäa von Hohenzollern-Sigmaringen') },
  removal: { revokedKeys: 3, endedSessions: 2, unaffectedAgents: 5 },
  connected: [],
};

const requests =
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
interface AgentQuery {
  key?: string;
  owner?: string;
  state?: string;
  keyStatus?: string;
  version?: string;
  cursor?: string;
}
/** Two pages of the same agents, or those of one key or member, as far as the filters let them through. */
const agentsFor = ({ query: { key: keyId, owner, state, keyStatus, version, cursor } }: { query: AgentQuery }) => {
  const whole = keyId === undefined && owner === undefined;
  const items = (whole ? AGENTS : FLEET)
    .filter((one) => !state || one.state === state)
    .filter((one) => !keyStatus || one.enrolledKey.status === keyStatus)
    .filter((one) => !version || one.version === version);
  return { items, nextCursor: whole && !cursor ? 'more' : null, counts: COUNTS, versions: VERSIONS };
};
const noAgents = () => ({ items: [], nextCursor: null, counts: COUNTS, versions: [] });
const base: Answers = {
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
  'scim.read': () => ({ baseUrl: `${origin}/scim/v2`, deactivation: 'remove', tokens: SCIM_TOKENS }),
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
  'team.remove': () => ({ revokedKeys: 3, endedSessions: 2, unaffectedAgents: 5 }),
  'group.list': () => GROUPS,
  'key.requests': requests(),
  'key.read': ({ keyId }: { keyId: string }) =>
    [...KEYS, LONG, rotating, disabled].find((k) => k.id === keyId) ??
    refusal('not_found', 'There is no such thing here'),
  'key.usage': ({ keyId }: { keyId: string }) => USAGE[keyId] ?? usage(40),
  'team.previewRemoval': () => PREVIEW,
};

const rotating = key({
  name: 'rotating-app',
  rotation: {
    oldPrefix: 'heex_prod_1Aa2Bb3C',
    oldExpiresAt: after(23.8 * 60 * MINUTE),
    oldLastUsed: { at: before(2 * MINUTE), ip: '10.0.0.4', userAgent: 'curl/8.5.0' },
  },
  lastUsed: { at: before(MINUTE), ip: '10.0.0.7', userAgent: 'heex-ingest/2.9' },
});
const installer = key({ name: 'agent-install', lastUsed: null, usageCount: 0, enrolledAgents: 5 });
const ungrouped = key({
  name: 'old-import',
  status: 'revoked',
  revokedReason: 'by_owner',
  revokedAt: before(12 * 24 * 60 * MINUTE),
  groupId: null,
});
const disabled = key({ name: 'docs-bot', status: 'disabled', environment: 'staging', prefix: 'heex_stag_Hq2Lw8sA' });
const fresh = (over: Partial<FreshSecret> = {}): FreshSecret => ({
  id: 'fresh_1',
  kind: 'created',
  key: key({ name: 'prod-fleet-sync', prefix: 'heex_prod_K4vT9mPz' }),
  secret: 'heex_prod_K4vT9mPzXm4Rs8LpT1vBnYc6HjZa3KfEuW5qA2cD0x1Yz',
  copied: true,
  at: NOW,
  ...over,
});
const at = (screen: Route['screen'], id?: string): Route[] => [{ screen: 'keys' }, { screen, ...(id ? { id } : {}) }];
const draft = {
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

const connecting = (connection: unknown): Scene => ({ published: { connection } });
const timeout = failure('timeout', 'The server did not answer in time', { detail: 'ERR_CONNECTION_TIMED_OUT' });

export const SCENES: Record<string, Scene> = {
  'p1-connect': connecting({ status: 'disconnected' }),
  'p1-reaching': connecting({ status: 'reaching', origin }),
  'p1-connect-error': connecting({ status: 'unreachable', origin, failure: timeout }),
  'p1-connect-waiting': connecting({ status: 'waiting', origin, code: 'ABCD-EFGH', expiresAt: NOW + 9.7 * MINUTE }),
  'p1-permission': connecting({ status: 'permission_needed', origin }),
  'p1-denied': connecting({ status: 'not_approved', origin, reason: 'denied' }),
  'p1-signed-out': connecting({ status: 'signed_out', origin, user: lena }),
  'w-permission': { ...connecting({ status: 'permission_needed', origin }), surface: 'workspace' },
  'p2-keys': { published: connected() },
  'p2-keys-member': {
    published: connected({ membership: { ...snapshot().membership, role: 'member' }, allKeys: null }),
  },
  'p2-keys-empty': {
    published: connected({ keys: [], allKeys: [], workspace: { ...snapshot().workspace, keysUsed: 0 } }),
  },
  'p2-keys-empty-member': {
    published: connected({
      membership: { ...snapshot().membership, role: 'member' },
      keys: [],
      allKeys: null,
      workspace: { ...snapshot().workspace, keysUsed: 0 },
    }),
    answers: { 'group.list': () => GROUPS.map((group) => ({ ...group, permissions: [] })) },
  },
  'p2-keys-offline': {
    published: {
      ...connected({ at: NOW - 27 * MINUTE }),
      sync: { at: NOW, failure: failure('network', 'The server can’t be reached') },
    },
  },
  'p2-limit': {
    published: connected({
      keys: [...KEYS, disabled, LONG, rotating],
      workspace: { ...snapshot().workspace, keysUsed: 10 },
    }),
  },
  'p2-upgrade': {
    published: connected({
      keys: [],
      allKeys: [],
      workspace: { ...snapshot().workspace, plan: 'starter', keysUsed: 0 },
    }),
  },
  'p2-loading': { published: { connection: { status: 'connected', origin, user: lena } } },
  'p2-failed': {
    published: {
      connection: { status: 'connected', origin, user: lena },
      sync: { at: NOW, failure: failure('timeout', 'The server did not answer in time') },
    },
  },
  'p2-no-match': {
    published: connected(),
    kept: { filters: { search: 'zzz', environment: null, status: 'active', expiration: null, owner: 'all' } },
  },
  'p3-new': { published: connected(), route: at('new'), kept: { 'draft.newKey': draft } },
  'p3-new-never': {
    published: connected(),
    route: at('new'),
    kept: { 'draft.newKey': { ...draft, name: 'lena-laptop', expiry: 'never' } },
  },
  'p3-new-advanced': {
    published: connected(),
    route: at('new'),
    kept: {
      'draft.newKey': {
        ...draft,
        advancedOpen: true,
        ipAllowlist: '10.0.0.0/24\n203.0.113.300\n198.51.100.7\nfd00:12::/129',
        rateLimit: '600/60',
      },
    },
    answers: {
      'key.create': () =>
        refusal('bad_request', 'The request has an error', {
          errors: [
            { path: 'ipAllowlist.1', message: '203.0.113.300 isn’t an IP address. Each part goes up to 255.' },
            { path: 'ipAllowlist.3', message: 'an IPv6 range ends at /128, so /129 can’t work.' },
          ],
        }),
    },
  },
  'p3-new-refused': {
    published: connected(),
    route: at('new'),
    kept: { 'draft.newKey': draft },
    answers: {
      'key.create': () =>
        refusal('outcome_unknown', 'The server did not answer, so it is not certain whether this was done', {
          requestId: 'req_81Kd',
        }),
    },
  },
  'p3-new-custom': {
    published: connected({ workspace: { ...snapshot().workspace, policies: { maxKeyLifetimeDays: 90 } } }),
    route: at('new'),
    kept: { 'draft.newKey': { ...draft, expiry: 'custom' } },
  },
  'p9-step-up': {
    published: connected(),
    route: [...at('team'), { screen: 'remove', id: 'mem_jonas' }],
    answers: {
      'team.remove': () =>
        refusal('step_up_required', 'This needs a recent sign-in', { confirmAt: `${origin}/confirm?session=ses_1` }),
    },
  },
  'p4-reveal': { published: { ...connected(), fresh: [fresh()] } },
  'p4-reveal-docker': { published: { ...connected(), fresh: [fresh()] }, kept: { secretFormat: 'docker' } },
  'p4-not-copied': { published: { ...connected(), fresh: [fresh({ copied: false }), fresh({ id: 'fresh_2' })] } },
  'p4-lost': { published: { ...connected(), fresh: [fresh({ secret: null, copied: false })] } },
  'p5-detail': { published: connected(), route: at('key', KEYS[0]?.id) },
  'p5-long': { published: connected({ keys: [LONG] }), route: at('key', LONG.id) },
  'p5-disabled': { published: connected({ keys: [disabled] }), route: at('key', disabled.id) },
  'p5-revoked': {
    published: connected(),
    route: at('key', KEYS[3]?.id),
    answers: {
      'key.requests': requests([
        requestRow({
          outcome: 'unauthorized',
          code: 'revoked',
          at: before(MINUTE),
          ip: '192.0.2.201',
          userAgent: 'python-httpx/0.27',
        }),
      ]),
    },
  },
  'p5-group-deleted': {
    published: connected({ keys: [ungrouped] }),
    route: at('key', ungrouped.id),
    answers: { 'key.requests': requests([]), 'key.read': () => ungrouped },
  },
  'p5-missing': { published: connected(), route: at('key', 'key_gone') },
  'p5-edit': { published: connected(), route: at('edit', KEYS[0]?.id) },
  'p6-rotate': { published: connected(), route: at('rotate', KEYS[0]?.id) },
  'p6-handoff': { published: connected({ keys: [rotating] }), route: at('key', rotating.id) },
  'p7-revoke': { published: connected(), route: [...at('key', KEYS[0]?.id), { screen: 'revoke', id: KEYS[0]?.id }] },
  'p7-revoke-unused': {
    published: connected({ keys: [key({ name: 'bench-rig', environment: 'development', lastUsed: null })] }),
    route: at('revoke', 'key_bench-rig'),
    answers: {
      'key.read': () => key({ name: 'bench-rig', environment: 'development', lastUsed: null }),
      'key.requests': requests([]),
      'agent.list': noAgents,
    },
  },
  'p5-enrolled': {
    published: connected({ keys: [installer] }),
    route: at('key', installer.id),
    answers: { 'key.requests': requests([]), 'key.read': () => installer },
  },
  'p7-revoke-enrolled': {
    published: connected({ keys: [installer] }),
    route: at('revoke', installer.id),
    answers: { 'key.requests': requests([]), 'key.read': () => installer },
  },
  'p8-team': { published: connected(), route: at('team') },
  'p8-team-long': {
    published: {
      ...connected(),
      team: {
        at: NOW,
        members: [
          member('Lena Fischer', { role: 'owner' }),
          member('Maximiliana Bartholomäa von Hohenzollern-Sigmaringen', {
            email: 'maximiliana.von.hohenzollern@subsidiary.acme.example',
            role: 'admin',
          }),
        ],
        invitations: [],
      },
    },
    route: at('team'),
  },
  'p9-remove-fleet': {
    published: connected(),
    route: [...at('team'), { screen: 'remove', id: 'mem_jonas' }],
    answers: {
      'team.previewRemoval': () => ({
        ...PREVIEW,
        agents: Array.from({ length: 12 }, (_, i) => ({ id: `agt_${i}`, name: `unit-${i + 1}`, keyId: null })),
      }),
      'agent.list': noAgents,
    },
  },
  'p9-removed': { published: connected(), route: at('team'), kept: { removed: REMOVED } },
  'p9-remove': { published: connected(), route: [...at('team'), { screen: 'remove', id: 'mem_jonas' }] },
};

/** The full page at an address. */
const full = (
  hash: string,
  published: Scene['published'] = connected({ allKeys: TEAM_KEYS }),
  answers: Answers = {},
): Scene => ({
  surface: 'workspace',
  hash,
  published,
  answers,
});
Object.assign(SCENES, {
  'w1-overview': full('/overview'),
  'w1-overview-empty': full('/overview', connected(), {
    'overview.read': () => ({
      ...OVERVIEW,
      requests: { stepSeconds: 3600, points: [] },
      expiringSoon: { total: 0, items: [] },
      unused: { total: 0, items: [] },
    }),
  }),
  'w6-log': full('/log'),
  'w6-log-empty': full('/log', connected(), { 'log.list': () => ({ items: [], nextCursor: null }) }),
  'w2-keys': full('/keys'),
  'w2-keys-member': full(
    '/keys',
    connected({ membership: { ...snapshot().membership, role: 'member' }, allKeys: null }),
  ),
  'w2-keys-many': full(
    '/keys',
    connected({ allKeys: Array.from({ length: 101 }, (_, i) => key({ name: `fleet-${i + 1}` })) }),
  ),
  'w2-keys-disable-refused': full('/keys', connected({ allKeys: TEAM_KEYS }), {
    'key.disable': ({ keyId }: { keyId: string }) =>
      keyId === 'key_erp-export'
        ? refusal('forbidden', 'You may not do this')
        : { ...TEAM_KEYS.find(({ id }) => id === keyId), status: 'disabled' },
  }),
  'w2-keys-empty': full('/keys', connected({ keys: [], allKeys: [] })),
  'w2-key': full(`/key/${KEYS[0]?.id}`),
  'w2-new': full('/new'),
  'w2-revoke': full(`/revoke/${KEYS[0]?.id}`),
  'w2-reveal': full('/keys', { ...connected(), fresh: [fresh()] }),
  'w3-members': full('/members'),
  'w3-members-mail': full('/members', connected({ membership: { ...snapshot().membership, role: 'admin' } }), {
    'team.resetLink': () => ({ mailed: true, expiresAt: after(60 * MINUTE) }),
  }),
  'w3-remove': full('/remove/mem_jonas'),
  'w3-remove-quiet': full('/remove/mem_jonas', undefined, {
    'team.previewRemoval': () => ({ ...PREVIEW, keys: PREVIEW.keys.slice(2) }),
  }),
  'w3-removed': { ...full('/members'), kept: { removed: REMOVED } },
  'w4-agents': full('/agents'),
  'w4-agents-empty': full('/agents', connected(), {
    'agent.list': () => ({ items: [], nextCursor: null, counts: { total: 0, connected: 0, keyGone: 0 }, versions: [] }),
  }),
  // Only the whole list is asked for by the hundred.
  'w4-agents-export-failed': full('/agents', connected({ allKeys: TEAM_KEYS }), {
    'agent.list': (asked: { query: AgentQuery & { limit: number } }) =>
      asked.query.limit === 100 ? refusal('network', 'The server can’t be reached') : agentsFor(asked),
  }),
  'w5-groups': full('/groups/grp_ingest'),
  'w5-groups-new': full('/groups/new'),
  'w5-groups-first': full('/groups/new', connected(), { 'group.list': () => [] }),
  'w7-audit': full('/audit'),
  'w7-audit-broken': full('/audit', connected(), {
    'audit.verify': () => ({ ...CHAIN, valid: false, brokenAt: AUDIT[2]?.seq }),
  }),
  'w7-audit-failed': full('/audit', connected(), {
    'audit.list': () => refusal('network', 'The server can’t be reached'),
  }),
  'w8-settings': full('/settings'),
  'w8-settings-admin': full('/settings', connected({ membership: { ...snapshot().membership, role: 'admin' } })),
  'w9-account': full('/account'),
} satisfies Record<string, Scene>);

for (const scene of Object.values(SCENES)) scene.answers = { ...base, ...scene.answers };
