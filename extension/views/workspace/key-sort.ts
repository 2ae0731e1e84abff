import type { Key, KeyStatus } from '../../../shared/contract/keys.ts';

export const SORTS = ['name', 'environment', 'status', 'created', 'expires', 'used', 'requests'] as const;
export type Sort = (typeof SORTS)[number];
export interface Order {
  by: Sort;
  descending: boolean;
}

const STATUS_RANK: Record<KeyStatus, number> = { active: 0, expiring_soon: 1, disabled: 2, expired: 3, revoked: 4 };
const ENVIRONMENT_RANK: Record<Key['environment'], number> = { production: 0, staging: 1, development: 2 };
const time = (text: string | null) => (text === null ? Number.POSITIVE_INFINITY : Date.parse(text));

const VALUES: Record<Sort, (key: Key) => number | string> = {
  name: (key) => key.name.toLowerCase(),
  environment: (key) => ENVIRONMENT_RANK[key.environment],
  status: (key) => STATUS_RANK[key.status],
  created: (key) => time(key.createdAt),
  // Never expires after everything else.
  expires: (key) => time(key.expiresAt),
  // Never used before everything else.
  used: (key) => (key.lastUsed ? time(key.lastUsed.at) : 0),
  requests: (key) => key.usageCount,
};

const compare = (a: number | string, b: number | string) =>
  typeof a === 'string' && typeof b === 'string'
    ? a.localeCompare(b)
    : Number(a) === Number(b)
      ? 0
      : Number(a) < Number(b)
        ? -1
        : 1;

/** The keys in an order; equal ones stay as they were, newest first. */
export function sortKeys(keys: readonly Key[], { by, descending }: Order): Key[] {
  const value = VALUES[by];
  return [...keys].sort((a, b) => compare(value(a), value(b)) * (descending ? -1 : 1));
}

/** What a click on a column does: names rise first, figures and times fall first; a second click turns it round. */
export function nextOrder(order: Order, by: Sort): Order {
  if (order.by === by) return { by, descending: !order.descending };
  return { by, descending: by === 'created' || by === 'used' || by === 'requests' };
}
