import type { Agent } from '../../../shared/contract/agents.ts';
import type { AuditEntry, ChainReport } from '../../../shared/contract/audit.ts';
import type { Key } from '../../../shared/contract/keys.ts';
import type { Job, Overview } from '../../../shared/contract/overview.ts';
import type { Session } from '../../../shared/contract/people.ts';
import type { ScimToken } from '../../../shared/contract/scim.ts';
import type { VerifierCredential } from '../../../shared/contract/verifiers.ts';
import { after, before, KEYS, key, LONG, requestRow } from './samples.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const by = (name: string) => ({
  membershipId: `mem_${name.split(' ')[0]?.toLowerCase()}`,
  name,
  email: `${name.split(' ')[0]?.toLowerCase()}@acme.example`,
});

/** Keys of several people, in every state. */
export const TEAM_KEYS: Key[] = [
  ...KEYS,
  LONG,
  key({
    name: 'erp-export',
    prefix: 'heex_prod_bN3yUe6J',
    createdBy: by('Marc Petit'),
    status: 'expiring_soon',
    expiresAt: after(9 * DAY),
    rateLimit: { limit: 120, windowSeconds: 60 },
  }),
  key({
    name: 'crm-integration',
    prefix: 'heex_prod_tY5mLc8R',
    createdBy: by('Amara Diallo'),
    status: 'disabled',
    usageCount: 310_552,
  }),
  key({
    name: 'bench-old',
    environment: 'development',
    prefix: 'heex_dev_Ke6tMv0Y',
    createdBy: { ...by('Yuki Tanaka'), membershipId: null },
    status: 'revoked',
    revokedReason: 'member_left',
    revokedAt: before(49 * DAY),
    usageCount: 612,
    rateLimit: null,
  }),
  key({
    name: 'old-dashboard',
    prefix: 'heex_prod_pW2eKx4B',
    createdBy: by('Priya Nair'),
    expiresAt: null,
    lastUsed: null,
    usageCount: 0,
    rateLimit: null,
  }),
];

export const agent = (name: string, over: Partial<Agent> = {}): Agent => ({
  id: `agt_${name}`,
  name,
  thumbprint: 'x',
  enrolledAt: before(60 * DAY),
  enrolledBy: by('Lena Fischer'),
  enrolledKey: {
    id: 'key_main',
    name: 'prod-main-app',
    prefix: 'heex_prod_7Gk2Qw9d',
    status: 'active',
    revokedReason: null,
    revokedAt: null,
    expiresAt: null,
  },
  state: 'connected',
  connectedAt: before(HOUR),
  lastSeenAt: before(20_000),
  version: '2.9.1',
  hostName: 'edge-gw-7.fleet.acme.example',
  platform: 'Ubuntu 24.04 · arm64',
  ip: '10.0.0.9',
  ...over,
});
const gone = { status: 'revoked' as const, revokedReason: 'member_left' as const, revokedAt: before(49 * DAY) };
export const AGENTS: Agent[] = [
  agent('edge-lyon-01', { enrolledKey: { ...agent('x').enrolledKey, ...gone, name: 'docker-edge-ci' } }),
  agent('truck-17', { enrolledBy: by('Jonas Weber') }),
  agent('lab-cam-4', {
    state: 'disconnected',
    lastSeenAt: before(2 * DAY),
    enrolledKey: { ...agent('x').enrolledKey, status: 'expired', expiresAt: before(2 * DAY) },
  }),
  agent('an-agent-with-a-name-that-does-not-fit-into-its-column', {
    state: 'never_connected',
    lastSeenAt: null,
    version: null,
    hostName: null,
    platform: null,
  }),
];

const entry = (seq: number, action: string, target: string, over: Partial<AuditEntry> = {}): AuditEntry => ({
  seq,
  at: before((8413 - seq) * 5 * HOUR),
  actor: { type: 'member', id: 'mem_lena', name: 'lena@acme.example' },
  action,
  target: { type: 'key', id: 'key_1', name: target },
  before: null,
  after: null,
  ip: '10.0.0.61',
  client: 'extension',
  hash: `9f2c41ab${seq}`.padEnd(64, '0'),
  source: 'companion',
  ...over,
});
export const AUDIT: AuditEntry[] = [
  entry(8413, 'key.rotated', 'prod-main-app', {
    before: { expiresAt: after(90 * DAY) },
    after: { expiresAt: after(90 * DAY), prefix: 'heex_prod_K4vT9mPz', oldSecretEndsAt: after(DAY) },
  }),
  entry(8412, 'key.edited', 'prod-main-app', {
    before: { ipAllowlist: ['10.0.0.0/24'] },
    after: { ipAllowlist: ['10.0.0.0/24', '198.51.100.7'] },
  }),
  entry(8411, 'member.role_changed', 'Marc Petit', { before: { role: 'member' }, after: { role: 'admin' } }),
  entry(8410, 'member.removed', 'yuki@acme.example', {
    actor: { type: 'scim' },
    ip: null,
    before: { role: 'member' },
  }),
  entry(8409, 'key.revoked', 'docker-edge-ci', {
    before: { status: 'live' },
    after: { status: 'revoked', reason: 'leaked' },
  }),
  entry(8408, 'something.never_heard_of', 'a-name-that-goes-on-and-on-because-nobody-stopped-the-person', {
    hash: null,
    source: 'outside',
  }),
];

export const CHAIN: ChainReport = {
  valid: true,
  entries: 8413,
  since: before(655 * DAY),
  pending: 0,
  head: { seq: 8413, hash: AUDIT[0]?.hash ?? '' },
};

export const VERIFIERS: VerifierCredential[] = [
  {
    id: 'ver_1',
    name: 'events-gateway',
    environment: 'production',
    prefix: 'heexv_4mTq8sLw',
    createdAt: before(90 * DAY),
    createdBy: by('Marc Petit'),
    lastUsedAt: before(2000),
  },
  {
    id: 'ver_2',
    name: 'staging-gateway',
    environment: 'staging',
    prefix: 'heexv_aU2e9qWe',
    createdAt: before(9 * DAY),
    createdBy: by('Marc Petit'),
    lastUsedAt: null,
  },
];

const session = (client: Session['client'], label: string, current = false): Session => ({
  id: `ses_${label}`,
  current,
  client,
  label,
  ip: '10.0.0.61',
  userAgent: 'Mozilla/5.0',
  createdAt: before(9 * DAY),
  lastUsedAt: before(5 * MINUTE),
  expiresAt: after(21 * DAY),
});
export const SESSIONS: Session[] = [
  session('extension', 'Chrome on Linux', true),
  session('web', 'Firefox on Windows'),
  session('cli', 'heex on bench-rig'),
];

export const OVERVIEW: Overview = {
  requests: {
    stepSeconds: 3 * 3600,
    points: Array.from({ length: 56 }, (_, i) => ({
      at: before((55 - i) * 3 * HOUR),
      valid: Math.round(2400 + 1800 * Math.sin((i / 8) * Math.PI * 2) + i * 20),
      unauthorized: i % 9 === 4 ? 300 : 12,
      forbidden: i % 17 === 5 ? 400 : 0,
      rateLimited: i > 30 && i < 38 ? 900 : 0,
    })),
  },
  keys: {
    used: 23,
    limit: 50,
    byStatus: { active: 16, expiring_soon: 3, disabled: 4, expired: 6, revoked: 19 },
    neverExpire: 4,
    anyAddress: 9,
  },
  expiringSoon: { total: 3, items: [KEYS[1] as Key, TEAM_KEYS[5] as Key] },
  unused: {
    total: 1,
    items: [key({ name: 'old-dashboard', createdBy: by('Priya Nair'), lastUsed: null, createdAt: before(211 * DAY) })],
  },
};

export const LOG = [
  requestRow({ requestId: 'req_1' }),
  requestRow({ requestId: 'req_2', outcome: 'rate_limited', code: 'rate_limited', at: before(3 * MINUTE) }),
  requestRow({
    requestId: 'req_3',
    outcome: 'forbidden',
    code: 'insufficient_permissions',
    keyName: 'erp-export',
    ip: '203.0.113.24',
    userAgent: 'python-requests/2.32',
    verifier: 'telemetry',
  }),
  requestRow({
    requestId: 'req_4',
    outcome: 'unauthorized',
    code: 'expired',
    keyName: 'staging-api',
    at: before(2 * DAY),
    ip: null,
    userAgent: null,
    verifier: null,
  }),
  requestRow({
    requestId: 'req_5',
    purpose: 'enrolment',
    keyName: 'a-name-that-goes-on-and-on-because-nobody-stopped-the-person',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
  }),
];

export const JOBS: Job[] = [
  {
    name: 'retention',
    summary: 'Deletes request rows that are older than they are kept',
    everySeconds: 3600,
    nextRunAt: after(20 * MINUTE),
    lastRun: { startedAt: before(40 * MINUTE), endedAt: before(40 * MINUTE), outcome: 'ok', detail: '1,204 rows' },
  },
  {
    name: 'expiry-warnings',
    summary: 'Warns owners 14, 7 and 1 days before a key expires',
    everySeconds: 900,
    nextRunAt: after(5 * MINUTE),
    lastRun: {
      startedAt: before(10 * MINUTE),
      endedAt: before(10 * MINUTE),
      outcome: 'failed',
      detail: 'the mail server did not answer',
    },
  },
];

export const SCIM_TOKENS: ScimToken[] = [
  {
    id: 'sct_1',
    name: 'Entra ID',
    prefix: 'heexm_4mTq8sLw',
    createdAt: before(90 * DAY),
    createdBy: by('Lena Fischer'),
    lastUsedAt: before(4 * MINUTE),
  },
];
