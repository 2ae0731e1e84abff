import {
  at,
  connected,
  connecting,
  disabled,
  draft,
  failure,
  fresh,
  installer,
  MINUTE,
  noAgents,
  origin,
  REMOVED,
  refusal,
  requests,
  rotating,
  type Scene,
  timeout,
  ungrouped,
} from './answers.ts';
import {
  before,
  GROUPS,
  INVITATIONS,
  KEYS,
  key,
  LONG,
  lena,
  MAXIMILIANA,
  MEMBERS,
  member,
  NOW,
  PREVIEW,
  requestRow,
  snapshot,
} from './samples.ts';

/** The popup. */
export const POPUP_SCENES: Record<string, Scene> = {
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
          MAXIMILIANA,
          { ...MAXIMILIANA, id: 'mem_max2', status: 'suspended' },
        ],
        invitations: INVITATIONS.map((one) => ({ ...one, email: MAXIMILIANA.email, link: null })),
      },
    },
    route: at('team'),
  },
  'p8-team-alone': {
    published: { ...connected(), team: { at: NOW, members: MEMBERS.slice(0, 1), invitations: [] } },
    route: at('team'),
  },
  'p9-remove-long': {
    published: { ...connected(), team: { at: NOW, members: [...MEMBERS, MAXIMILIANA], invitations: [] } },
    route: [...at('team'), { screen: 'remove', id: MAXIMILIANA.id }],
    answers: {
      'team.previewRemoval': () => ({
        ...PREVIEW,
        member: MAXIMILIANA,
        keys: PREVIEW.keys.map((one) => ({
          ...one,
          name: `${one.name}-with-a-name-that-goes-on-and-on-for-as-long-as-it-may`,
          sources: one.sources.map((from) => ({ ...from, ip: '2001:db8:85a3:8d3:1319:8a2e:370:7348' })),
        })),
        knownSecrets: PREVIEW.knownSecrets.map((one) => ({ ...one, name: 'v'.repeat(120) })),
      }),
    },
  },
  'p9-remove-fleet': {
    published: connected(),
    route: [...at('team'), { screen: 'remove', id: 'mem_jonas' }],
    answers: {
      'team.previewRemoval': () => ({
        ...PREVIEW,
        agents: Array.from({ length: 12 }, (_, i) => ({ id: `agt_${i}`, name: `unit-${i + 1}`, keyId: null })),
        knownSecrets: [],
      }),
      'agent.list': noAgents,
    },
  },
  'p9-removed': { published: connected(), route: at('team'), kept: { removed: REMOVED } },
  'p9-remove': { published: connected(), route: [...at('team'), { screen: 'remove', id: 'mem_jonas' }] },
};
