import type { Key, KeyStatus, RateLimit, RevokeReason } from '../../shared/contract/keys.ts';
import type { Environment } from '../../shared/key-format.ts';
import { ago, calendarDays, count, DAY, day, ms, number, until } from './format.ts';

export const ENVIRONMENT_WORDS: Record<Environment, { long: string; short: string; mark: 'prod' | 'stag' | 'dev' }> = {
  production: { long: 'Production', short: 'Prod', mark: 'prod' },
  staging: { long: 'Staging', short: 'Staging', mark: 'stag' },
  development: { long: 'Development', short: 'Dev', mark: 'dev' },
};

export const STATUS_WORDS: Record<KeyStatus, string> = {
  active: 'Active',
  expiring_soon: 'Expiring soon',
  expired: 'Expired',
  disabled: 'Disabled',
  revoked: 'Revoked',
};

/** Expired and revoked keys: they no longer work and do not count toward the limit. */
export const isDead = (status: KeyStatus) => status === 'expired' || status === 'revoked';

export const REASON_WORDS: Record<RevokeReason, string> = {
  by_owner: 'by its owner',
  by_admin: 'by admin',
  member_left: 'member left',
  leaked: 'leaked',
  superseded: 'replaced',
};

/** Why a key was revoked; `mine` when the reader owns the key. */
export const reasonWords = (reason: RevokeReason, mine: boolean): string =>
  mine && reason === 'by_owner' ? 'by you' : REASON_WORDS[reason];

type Dates = Pick<Key, 'status' | 'expiresAt' | 'revokedAt'>;

/** `Expires in 6 days`, `Expires 18 Feb 2027`, `Never expires`, `Expired 18 Nov`, `Revoked 8 Nov`. */
export function expiryPhrase(key: Dates, now: number): string {
  if (key.status === 'revoked') return key.revokedAt ? `Revoked ${day(key.revokedAt, now)}` : 'Revoked';
  if (key.expiresAt === null) return 'Never expires';
  if (key.status === 'expired' || ms(key.expiresAt) <= now) return `Expired ${day(key.expiresAt, now)}`;
  const soon = calendarDays(now, ms(key.expiresAt)) <= 14;
  return `Expires ${soon ? until(key.expiresAt, now) : day(key.expiresAt, now)}`;
}

/** `Enrolled 3 agents`, `Never used`: of a key that nothing calls with. Enrolling is a use that nothing depends on any more. */
export const unusedPhrase = ({ enrolledAgents }: Pick<Key, 'enrolledAgents'>): string =>
  enrolledAgents > 0 ? `Enrolled ${count(enrolledAgents, 'agent')}` : 'Never used';

/** The same where it is asked what breaks without the key, as a sentence. */
export const unusedSentence = ({ enrolledAgents }: Pick<Key, 'enrolledAgents'>): string =>
  enrolledAgents > 0 ? 'It was used to enrol agents, and for nothing else.' : 'It was never used.';

/** `Used 2 min ago`; of a key that no longer works, the day. What was never used directly says so. */
export function usedPhrase(key: Pick<Key, 'status' | 'lastUsed' | 'enrolledAgents'>, now: number): string {
  if (!key.lastUsed) return unusedPhrase(key);
  return `Used ${isDead(key.status) ? day(key.lastUsed.at, now) : ago(key.lastUsed.at, now)}`;
}

/** Whether revoking asks for the typed name: production, or used within the last 30 days. */
export function revokeNeedsName(key: Pick<Key, 'environment' | 'lastUsed'>, now: number): boolean {
  return key.environment === 'production' || (key.lastUsed !== null && now - ms(key.lastUsed.at) < 30 * DAY);
}

const WINDOWS: Record<number, string> = { 1: 's', 60: 'min', 3600: 'h', 86400: 'day' };

/** `600 / min`, `20 / 90 s`. */
export function ratePhrase({ limit, windowSeconds }: RateLimit): string {
  return `${number(limit)} / ${WINDOWS[windowSeconds] ?? `${windowSeconds} s`}`;
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1).replace(/[_-]/g, ' ');

/** Permissions by their resource, in the given order: `events:read`, `events:write` is Events, [read, write]. */
export function permissionsByResource(permissions: readonly string[]): { resource: string; actions: string[] }[] {
  const groups = new Map<string, string[]>();
  for (const permission of permissions) {
    const [resource = '', action = ''] = permission.split(':');
    groups.set(resource, [...(groups.get(resource) ?? []), action]);
  }
  return [...groups].map(([resource, actions]) => ({ resource: capital(resource), actions }));
}

/** Where something was last used, for a sentence: `curl/8.5.0 from 10.0.0.4`, or what is known of it. */
export function whence(use: { ip: string | null; userAgent: string | null }): { program: string; address: string } {
  return { program: use.userAgent ?? 'an unnamed program', address: use.ip ?? 'an unknown address' };
}

/** Words that tell a name for a purpose from a person's: a first name of the reader, on its own or with a machine. */
export function looksPersonal(name: string, personNames: readonly string[]): boolean {
  const words = new Set(name.toLowerCase().split(/[^\p{L}\p{N}]+/u));
  return personNames.some((person) =>
    person
      .toLowerCase()
      .split(/\s+/u)
      .some((part) => [...part].length > 2 && words.has(part)),
  );
}
