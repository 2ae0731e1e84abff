import { type AgentQuery, agentsFor, connected, fresh, MINUTE, REMOVED, refusal, type Scene } from './answers.ts';
import type { Answers } from './browser.ts';
import { after, INVITATIONS, KEYS, key, MAXIMILIANA, MEMBERS, member, NOW, PREVIEW, snapshot } from './samples.ts';
import { AUDIT, CHAIN, OVERVIEW, SCIM_TOKENS, TEAM_KEYS, VERIFIERS } from './samples-workspace.ts';

const LONG_NAME = 'a-name-of-sixty-three-letters-which-is-what-one-label-may-have';

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
/** The full page. */
export const WORKSPACE_SCENES: Record<string, Scene> = {
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
  'w3-members-alone': full('/members', {
    ...connected(),
    team: { at: NOW, members: MEMBERS.slice(0, 1), invitations: [] },
  }),
  'w3-members-long': full('/members', {
    ...connected(),
    team: {
      at: NOW,
      members: [
        ...MEMBERS,
        { ...MAXIMILIANA, status: 'suspended' },
        ...Array.from({ length: 30 }, (_, i) => member(`Person${i} Nobody-Knows`)),
      ],
      invitations: INVITATIONS.map((one) => ({
        ...one,
        email: MAXIMILIANA.email,
        invitedBy: { ...one.invitedBy, name: MAXIMILIANA.name },
        expiresAt: after(20 * 60 * MINUTE),
      })),
    },
  }),
  'w3-remove': full('/remove/mem_jonas'),
  'w3-remove-quiet': full('/remove/mem_jonas', undefined, {
    'team.previewRemoval': () => ({ ...PREVIEW, keys: PREVIEW.keys.slice(2), knownSecrets: [] }),
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
  'w7-audit-empty': full('/audit', connected(), { 'audit.list': () => ({ items: [], nextCursor: null }) }),
  'w8-settings-long': full('/settings', connected(), {
    'sso.read': () => ({
      sso: {
        issuer: `https://login.${LONG_NAME}.example/realms/${LONG_NAME}`,
        clientId: 'heex',
        name: LONG_NAME,
        domains: [`${LONG_NAME}.example`, 'acme.example'],
        updatedAt: after(0),
      },
      redirectUri: 'https://keys.acme.example/sso/callback',
    }),
    'scim.read': () => ({
      baseUrl: 'https://keys.acme.example/scim/v2',
      deactivation: 'suspend',
      tokens: SCIM_TOKENS.map((token) => ({ ...token, name: LONG_NAME })),
      people: 12_345,
    }),
    'verifier.list': () => VERIFIERS.map((one) => ({ ...one, name: LONG_NAME })),
  }),
  'w8-settings-off': full('/settings', connected(), {
    'sso.read': () => ({ sso: null, redirectUri: 'https://keys.acme.example/sso/callback' }),
    'scim.read': () => ({
      baseUrl: 'https://keys.acme.example/scim/v2',
      deactivation: 'remove',
      tokens: [],
      people: 0,
    }),
    'verifier.list': () => [],
    'job.list': () => [],
  }),
  'w8-settings': full('/settings'),
  'w8-settings-admin': full('/settings', connected({ membership: { ...snapshot().membership, role: 'admin' } })),
  'w9-account': full('/account'),
};
