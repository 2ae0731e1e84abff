import type { FieldError } from '../../shared/contract/errors.ts';
import type { Group } from '../../shared/contract/groups.ts';
import { createKeyBody, type Key } from '../../shared/contract/keys.ts';
import type { NewKeyDraft } from '../state/drafts.ts';
import type { CreateKeyBody, EditKeyBody } from '../state/keys.ts';
import { readLines } from '../ui/field-errors.ts';
import { DAY } from '../ui/format.ts';

/** Every field as it is typed, of a new key or of one that is edited. */
export type FormFields = Pick<
  NewKeyDraft,
  'name' | 'description' | 'groupId' | 'permissions' | 'ipAllowlist' | 'rateLimit' | 'customers' | 'technicalOwner'
>;

export const EXPIRY_DAYS = [7, 30, 90, 365] as const;

/** The lifetimes that the workspace allows, in days; `never` and dates are separate choices. */
export const allowedDays = (maxDays: number | null): number[] =>
  EXPIRY_DAYS.filter((days) => maxDays === null || days <= maxDays);

/** The choice that holds: the drafted one, or the longest allowed when the workspace allows less. */
export function effectiveExpiry(expiry: string, maxDays: number | null): string {
  if (expiry === 'custom' || maxDays === null) return expiry;
  if (expiry !== 'never' && Number(expiry) <= maxDays) return expiry;
  return String(allowedDays(maxDays).at(-1) ?? 'custom');
}

/**
 * When the key stops working: null is never, undefined is a date that is still missing or can't be read.
 * A chosen day counts to its end, in local time.
 */
export function expiresAt(expiry: string, expiresOn: string, now: number): number | null | undefined {
  if (expiry === 'never') return null;
  if (expiry !== 'custom') return now + Number(expiry) * DAY;
  const end = Date.parse(`${expiresOn}T23:59:59`);
  return Number.isNaN(end) ? undefined : end;
}

/** `600/60` is 600 requests in 60 seconds; text without a number is no limit. */
export function splitRate(typed: string): { limit: string; windowSeconds: string } {
  const [limit = '', windowSeconds = '60'] = typed.split('/');
  return { limit, windowSeconds };
}
export const joinRate = (limit: string, windowSeconds: string) => `${limit}/${windowSeconds}`;

function rateOf(typed: string) {
  const { limit, windowSeconds } = splitRate(typed);
  const text = limit.trim().replaceAll(',', '');
  return text === '' ? null : { limit: Number(text), windowSeconds: Number(windowSeconds) };
}

/** The fields that can be edited, as the contract has them. */
export function editableOf(fields: FormFields): Required<EditKeyBody> {
  return {
    name: fields.name,
    description: fields.description,
    groupId: fields.groupId,
    permissions: fields.permissions,
    ipAllowlist: readLines(fields.ipAllowlist).entries,
    rateLimit: rateOf(fields.rateLimit),
    customers: readLines(fields.customers).entries,
    technicalOwner: fields.technicalOwner.trim() || null,
  };
}

/** A draft as the request that makes the key; what was left empty is left out. */
export function createBodyOf(draft: NewKeyDraft, maxDays: number | null, now: number): CreateKeyBody {
  const all = editableOf(draft);
  const until = expiresAt(effectiveExpiry(draft.expiry, maxDays), draft.expiresOn, now);
  const filled = Object.entries(all).filter(
    ([, value]) => value !== null && value !== '' && !(Array.isArray(value) && value.length === 0),
  );
  return {
    ...Object.fromEntries(filled),
    name: draft.name,
    environment: draft.environment,
    ...(until === undefined ? {} : { expiresAt: until === null ? null : new Date(until).toISOString() }),
  };
}

interface Issue {
  path: readonly PropertyKey[];
  message: string;
}
export const fieldErrors = (issues: readonly Issue[]): FieldError[] =>
  issues.map(({ path, message }) => ({ path: path.join('.'), message }));

/** What is wrong with a draft, as the contract says it; a date that is missing or past is said here. */
export function draftErrors(draft: NewKeyDraft, body: CreateKeyBody, now: number): FieldError[] {
  const parsed = createKeyBody.safeParse(body);
  const errors = parsed.success ? [] : fieldErrors(parsed.error.issues);
  if (draft.expiry === 'custom') {
    const until = expiresAt('custom', draft.expiresOn, now);
    if (until === undefined) errors.push({ path: 'expiresAt', message: 'choose a date' });
    else if (until !== null && until <= now) errors.push({ path: 'expiresAt', message: 'choose a date in the future' });
  }
  return errors;
}

/**
 * A key's settings as fields, to edit them or to make another key like it. With the groups at hand, a key that has
 * fewer permissions than its group is taken for narrowed.
 */
export function fieldsOf(key: Key, groups: readonly Group[] = []): FormFields {
  const group = groups.find(({ id }) => id === key.groupId);
  return {
    name: key.name,
    description: key.description,
    groupId: key.groupId,
    permissions: group && key.permissions.length < group.permissions.length ? key.permissions : null,
    ipAllowlist: key.ipAllowlist.join('\n'),
    rateLimit: key.rateLimit ? joinRate(String(key.rateLimit.limit), String(key.rateLimit.windowSeconds)) : '',
    customers: key.customers.join('\n'),
    technicalOwner: key.technicalOwner ?? '',
  };
}

/** Only what differs: an edit never rewrites what it did not touch. */
export function changesOf(fields: FormFields, before: FormFields): EditKeyBody {
  const [old, after] = [editableOf(before), editableOf(fields)];
  const changed = (Object.keys(after) as (keyof typeof after)[]).filter(
    (field) => JSON.stringify(after[field]) !== JSON.stringify(old[field]),
  );
  return Object.fromEntries(changed.map((field) => [field, after[field]]));
}
