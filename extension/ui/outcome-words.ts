import type { RequestRow } from '../../shared/contract/keys.ts';
import type { Outcome } from './chart-data.ts';
import type { IconName } from './icon.tsx';

/** Glyph, colour and word of an outcome, with the status that a caller got. */
export const OUTCOME_MARKS: Record<Outcome, { icon: IconName; tone: string; words: string; short: string }> = {
  valid: { icon: 'ok', tone: 'active', words: '200 Allowed', short: 'Allowed' },
  unauthorized: { icon: 'lock', tone: '401', words: '401 Unauthorized', short: '401 Refused' },
  forbidden: { icon: 'ban', tone: '403', words: '403 No permission', short: '403 Refused' },
  rate_limited: { icon: 'bolt', tone: '429', words: '429 Rate limit', short: '429 Limited' },
};

const REASONS: Record<string, readonly [short: string, why: string]> = {
  revoked: ['revoked', 'The key was revoked, or this secret of it was replaced by a rotation.'],
  disabled: ['disabled', 'The key is disabled. It works again as soon as it is enabled.'],
  owner_suspended: ['owner suspended', 'Its owner is suspended, and their keys with them.'],
  expired: ['expired', 'The key has expired. Rotate it to set a new expiry.'],
  wrong_environment: ['other environment', 'The service checks keys of another environment than this key’s.'],
  ip_not_allowed: [
    'address not allowed',
    'The caller’s address is not in the key’s IP allowlist. The key itself is valid.',
  ],
  insufficient_permissions: [
    'permission missing',
    'The key does not have a permission that was asked for. The key itself is valid.',
  ],
  customer_not_allowed: [
    'customer not allowed',
    'The key is not for the customer that was asked for. The key itself is valid.',
  ],
  rate_limited: [
    'limit reached',
    'More requests than the key’s rate limit allows. It goes on when the window is over.',
  ],
};

/** Why a request was refused, in two words; of one that was allowed only that it enrolled an agent. */
export function reasonShort({ code, purpose }: Pick<RequestRow, 'code' | 'purpose'>): string {
  if (code === 'valid') return purpose === 'enrolment' ? 'agent enrolled' : '';
  return REASONS[code]?.[0] ?? code;
}
/** The same as a sentence. */
export const reasonLong = ({ code }: Pick<RequestRow, 'code'>) => REASONS[code]?.[1] ?? `The server says: ${code}.`;
