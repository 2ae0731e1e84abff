import type { Snapshot } from '../../extension/messages/published.ts';
import type { Role } from '../../shared/contract/fields.ts';
import type { Key } from '../../shared/contract/keys.ts';

/** A key as a server would answer it, for tests of what is shown. */
export const aKey = (overrides: Partial<Key> = {}): Key => ({
  id: 'key_1',
  name: 'cli-laptop',
  description: '',
  prefix: 'heex_dev_7Gk2Qw9d',
  environment: 'development',
  status: 'active',
  revokedReason: null,
  revokedAt: null,
  disabledAt: null,
  groupId: null,
  permissions: [],
  customers: [],
  ipAllowlist: [],
  rateLimit: null,
  technicalOwner: null,
  expiresAt: null,
  createdAt: '2026-11-01T12:00:00.000Z',
  createdBy: { membershipId: 'mem_1', name: 'Lena Fischer', email: 'lena@acme.example' },
  usageCount: 0,
  lastUsed: null,
  enrolledAgents: 0,
  rotation: null,
  ...overrides,
});

/** The lists of one person. */
export function aSnapshot({ role = 'member', ...overrides }: Partial<Snapshot> & { role?: Role } = {}): Snapshot {
  const membership = {
    id: 'mem_1',
    workspaceId: 'wsp_1',
    workspaceName: 'Acme Robotics',
    role,
    status: 'active' as const,
  };
  return {
    at: Date.parse('2026-11-21T12:00:00Z'),
    user: { id: 'usr_1', name: 'Lena Fischer', email: 'lena@acme.example' },
    membership,
    memberships: [membership],
    workspace: {
      id: 'wsp_1',
      name: 'Acme Robotics',
      plan: 'team',
      keyLimit: 10,
      keysUsed: 2,
      policies: { maxKeyLifetimeDays: null },
      createdAt: '2026-01-01T00:00:00.000Z',
    },
    keys: [],
    allKeys: null,
    usage: {},
    ...overrides,
  };
}
