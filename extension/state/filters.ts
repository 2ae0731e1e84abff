import { computed } from '@preact/signals';
import * as z from 'zod/mini';
import { environment } from '../../shared/contract/fields.ts';
import { expiration, type Key, keyStatus } from '../../shared/contract/keys.ts';
import { expirationOf } from '../../shared/expiry.ts';
import { now } from './clock.ts';
import { allKeys, myKeys } from './keys.ts';
import { persisted } from './persisted.ts';
import { isAdmin } from './workspace.ts';

const filtersSchema = z.object({
  search: z.string(),
  environment: z.nullable(environment),
  status: z.nullable(keyStatus),
  expiration: z.nullable(expiration),
  /** A membership id, `all`, or null for one's own; only admins see others' keys. */
  owner: z.nullable(z.string()),
});
export type Filters = z.infer<typeof filtersSchema>;
export const NO_FILTERS: Filters = { search: '', environment: null, status: null, expiration: null, owner: null };

/** What the key list is narrowed to; it is still so when the popup opens again. */
export const filters = persisted<Filters>('filters', filtersSchema, NO_FILTERS);

export function setFilters(change: Partial<Filters>): void {
  filters.value = { ...filters.value, ...change };
}
export function clearFilters(): void {
  filters.value = NO_FILTERS;
}
export const filtersActive = computed(() =>
  Object.values(filters.value).some((value) => value !== null && value !== ''),
);

/** Whether a key is shown under these filters, the environment apart when `but` says so. */
export function matches(key: Key, f: Filters, but?: 'environment'): boolean {
  const text = f.search.trim().toLowerCase();
  return (
    (but === 'environment' || f.environment === null || key.environment === f.environment) &&
    (f.status === null || key.status === f.status) &&
    (f.expiration === null || expirationOf(key.expiresAt, now.value) === f.expiration) &&
    (f.owner === null || f.owner === 'all' || key.createdBy.membershipId === f.owner) &&
    (text === '' || key.name.toLowerCase().includes(text) || key.prefix.toLowerCase().includes(text))
  );
}

/** The keys that the filters choose from: one's own, or everyone's for an admin who asked for them. */
export const keysInScope = computed(() =>
  isAdmin.value && filters.value.owner !== null ? (allKeys.value ?? myKeys.value) : myKeys.value,
);
/** The keys to show, newest first as the server lists them. */
export const filteredKeys = computed(() => keysInScope.value?.filter((key) => matches(key, filters.value)));
/** How many keys each environment chip would show. */
export const environmentCounts = computed(() => {
  const counts = { all: 0, production: 0, staging: 0, development: 0 };
  for (const key of keysInScope.value ?? []) {
    if (!matches(key, filters.value, 'environment')) continue;
    counts.all++;
    counts[key.environment]++;
  }
  return counts;
});
