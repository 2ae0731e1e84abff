import type { Snapshot, TeamInvitation } from '../../../extension/messages/published.ts';
import type { Group } from '../../../shared/contract/groups.ts';
import type { Invitation } from '../../../shared/contract/invitations.ts';
import type { Key, RequestRow, UsageDay } from '../../../shared/contract/keys.ts';
import type { Member, RemovalPreview } from '../../../shared/contract/members.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
export const NOW = Date.now();
/** RFC 3339, so many milliseconds before now. */
export const before = (duration: number) => new Date(NOW - duration).toISOString();
export const after = (duration: number) => new Date(NOW + duration).toISOString();

export const lena = { id: 'usr_lena', name: 'Lena Fischer', email: 'lena@acme.example' };
const author = (name = lena.name, id = 'mem_lena') => ({
  membershipId: id,
  name,
  email: `${name.split(' ')[0]?.toLowerCase()}@acme.example`,
});

export const key = (over: Partial<Key> = {}): Key => ({
  id: `key_${over.name ?? 'main'}`,
  name: 'prod-main-app',
  description: 'Main ingestion app of the platform team.',
  prefix: 'heex_prod_7Gk2Qw9d',
  environment: 'production',
  status: 'active',
  revokedReason: null,
  revokedAt: null,
  disabledAt: null,
  groupId: 'grp_ingest',
  permissions: ['events:read', 'events:write', 'triggers:read', 'telemetry:write', 'agents:enroll'],
  customers: [],
  ipAllowlist: ['10.0.0.0/24', '198.51.100.7'],
  rateLimit: { limit: 600, windowSeconds: 60 },
  technicalOwner: 'marc@acme.example',
  expiresAt: after(90 * DAY),
  createdAt: before(91 * DAY),
  createdBy: author(),
  usageCount: 1_147_208,
  lastUsed: { at: before(2 * MINUTE), ip: '10.0.0.4', userAgent: 'curl/8.5.0' },
  enrolledAgents: 0,
  rotation: null,
  ...over,
});

/** Thirty days that end today, rising towards the end. */
export const usage = (scale: number, refused = 0): UsageDay[] =>
  Array.from({ length: 30 }, (_, i) => {
    const weekend = i % 7 > 4 ? 0.3 : 1;
    return {
      date: new Date(NOW - (29 - i) * DAY).toISOString().slice(0, 10),
      valid: Math.round(scale * (0.4 + i / 40) * weekend),
      unauthorized: i % 11 === 7 ? Math.round(refused / 3) : 0,
      forbidden: i % 13 === 5 ? Math.round(refused / 4) : 0,
      rateLimited: i > 22 && i % 3 === 0 ? refused : 0,
    };
  });

const some = { lastUsed: { at: before(3 * HOUR), ip: '10.0.4.12', userAgent: 'heex-cli/2.1' } };
export const KEYS: Key[] = [
  key(),
  key({
    name: 'cli-laptop',
    environment: 'development',
    prefix: 'heex_dev_Vb81nTzE',
    status: 'expiring_soon',
    expiresAt: after(6 * DAY),
    ...some,
  }),
  key({
    name: 'staging-api',
    environment: 'staging',
    prefix: 'heex_stag_m3Xd0RqK',
    status: 'expired',
    expiresAt: before(2 * DAY),
    lastUsed: { at: before(2 * DAY), ip: null, userAgent: null },
  }),
  key({
    name: 'docker-edge-ci',
    prefix: 'heex_prod_Q9eWc5Lh',
    status: 'revoked',
    revokedReason: 'leaked',
    revokedAt: before(12 * DAY),
    lastUsed: { at: before(12 * DAY), ip: '192.0.2.201', userAgent: 'python-httpx/0.27' },
  }),
];
export const LONG = key({
  name: 'a-name-that-goes-on-and-on-because-nobody-stopped-the-person-who-typed-it-in-this-field',
  prefix: 'heex_stag_Hq2Lw8sA',
  environment: 'staging',
  description: 'First line.\nSecond line with averyveryverylongwordthathasnoplacetobreakandgoesonforeverandever.',
  technicalOwner: 'somebody-with-a-rather-long-address@department.of.long.names.example',
  lastUsed: {
    at: before(41 * DAY),
    ip: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0',
  },
});
export const USAGE = Object.fromEntries(
  KEYS.map((k, i) => [k.id, usage([40_000, 6, 30, 12][i] ?? 1, [6000, 0, 0, 4][i])]),
);

export const requestRow = (over: Partial<RequestRow> = {}): RequestRow => ({
  requestId: 'req_1',
  at: before(2 * MINUTE),
  keyId: 'key_main',
  keyName: 'prod-main-app',
  prefix: 'heex_prod_7Gk2Qw9d',
  outcome: 'valid',
  code: 'valid',
  purpose: 'direct',
  verifier: 'gateway',
  ip: '10.0.0.4',
  userAgent: 'curl/8.5.0',
  ...over,
});

export const GROUPS: Group[] = [
  {
    id: 'grp_ingest',
    name: 'Ingest services',
    description: '',
    permissions: key().permissions,
    keys: 4,
    createdAt: before(200 * DAY),
  },
  {
    id: 'grp_read',
    name: 'Read only',
    description: '',
    permissions: ['events:read', 'triggers:read'],
    keys: 1,
    createdAt: before(90 * DAY),
  },
];

export const snapshot = (over: Partial<Snapshot> = {}): Snapshot => {
  const membership = {
    id: 'mem_lena',
    workspaceId: 'ws_acme',
    workspaceName: 'Acme Robotics',
    role: 'owner' as const,
    status: 'active' as const,
  };
  return {
    at: NOW - 20_000,
    user: lena,
    membership,
    memberships: [
      membership,
      { ...membership, id: 'mem_2', workspaceId: 'ws_fleet', workspaceName: 'Fleet Lab', role: 'member' },
    ],
    workspace: {
      id: 'ws_acme',
      name: 'Acme Robotics',
      plan: 'team',
      keyLimit: 10,
      keysUsed: 2,
      policies: { maxKeyLifetimeDays: null },
      createdAt: before(300 * DAY),
    },
    keys: KEYS,
    allKeys: KEYS,
    usage: USAGE,
    ...over,
  };
};

export const member = (name: string, over: Partial<Member> = {}): Member => ({
  id: `mem_${name.split(' ')[0]?.toLowerCase()}`,
  userId: `usr_${name}`,
  name,
  email: author(name).email,
  role: 'member',
  status: 'active',
  joinedAt: before(200 * DAY),
  agents: 0,
  signsInWith: ['password'],
  lastActiveAt: before(3 * HOUR),
  ...over,
});
export const MEMBERS: Member[] = [
  member('Lena Fischer', { role: 'owner', agents: 8, signsInWith: ['passkey', 'password'], lastActiveAt: before(0) }),
  member('Marc Petit', { role: 'admin', agents: 14, signsInWith: ['sso'], lastActiveAt: before(12 * MINUTE) }),
  member('Amara Diallo', { agents: 1200, signsInWith: [], lastActiveAt: null }),
  member('Jonas Weber', { agents: 5, signsInWith: ['passkey', 'sso', 'password'] }),
  member('Priya Nair', { status: 'suspended' }),
];
const invitation: Invitation = {
  id: 'inv_1',
  email: 'tomas@acme.example',
  role: 'member',
  createdAt: before(26 * HOUR),
  expiresAt: after(6 * DAY),
  invitedBy: author(),
};
/** Somebody whose name and address fit nowhere. */
export const MAXIMILIANA = member('Maximiliana Bartholomäa von Hohenzollern-Sigmaringen', {
  email: 'maximiliana.von.hohenzollern@subsidiary.acme.example',
  role: 'admin',
});
export const INVITATIONS: TeamInvitation[] = [
  { ...invitation, link: 'https://keys.acme.example/invite#heexi_Zr6mQ1', withdrawing: false },
];

const source = (ip: string, userAgent: string, uses: number, ago: number) => ({
  ip,
  userAgent,
  uses,
  lastAt: before(ago),
});
const removalKey = (name: string, prefix: string, environment: Key['environment'], directUses: number) => ({
  id: `key_${name}`,
  name,
  prefix,
  environment,
  directUses,
  enrolments: directUses === 0 ? 5 : 0,
  lastUsed: null,
  sources:
    directUses === 0
      ? []
      : [source(name === 'nightly-export' ? '203.0.113.8' : '10.0.4.12', 'python-requests/2.32', directUses, 3 * HOUR)],
  moreSources: 0,
});
export const PREVIEW: RemovalPreview = {
  version: '1.preview',
  member: member('Jonas Weber'),
  keys: [
    removalKey('nightly-export', 'heex_prod_Zr6k29Lq', 'production', 30),
    removalKey('docker-trials', 'heex_stag_Ae4mm01K', 'staging', 412),
    removalKey('cli-jonas-mbp', 'heex_dev_9tQ7yyB2', 'development', 0),
  ],
  agents: ['truck-17', 'truck-22', 'rig-5', 'rig-6', 'rig-9'].map((name) => ({
    id: `agt_${name}`,
    name,
    keyId: 'key_cli-jonas-mbp',
  })),
  sessions: 2,
  knownSecrets: [{ kind: 'verifier', id: 'ver_edge', name: 'edge-gateway' }],
};
