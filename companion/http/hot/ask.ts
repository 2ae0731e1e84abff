import { PERMISSION } from '../../../shared/contract/fields.ts';
import { VERIFY_LIMITS, type VerifyBody } from '../../../shared/contract/verify.ts';

const [QUOTE, BACKSLASH] = [0x22, 0x5c];

/**
 * Reads the body of a verification where it is plain: ASCII without escapes, no member twice, everything as the contract wants
 * it. Undefined for anything else, right or wrong, which the general reader then judges. A property test holds that what is
 * read here is what the general reader makes of it.
 */
export function readPlainAsk(bytes: Buffer): VerifyBody | undefined {
  let quotes = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte === QUOTE) quotes++;
    else if (byte === BACKSLASH || byte > 0x7e) return undefined;
  }
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('latin1'));
  } catch {
    return undefined;
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  // Without escapes every string has two quotes: a member that stands twice shows as two too many.
  return quotes === 2 * countStrings(value) ? (value as VerifyBody) : undefined;
}

/** How many strings the body is made of, names included; NaN where something is not as the contract wants it. */
function countStrings(body: object): number {
  let strings = 0;
  let hasKey = false;
  for (const [name, value] of Object.entries(body)) {
    strings++;
    if (name === 'permissions') {
      if (!arePermissions(value)) return Number.NaN;
      strings += value.length;
      continue;
    }
    if (typeof value !== 'string') return Number.NaN;
    const most = MOST[name];
    if (most === undefined || value.length > most || (name === 'customer' && value === '')) return Number.NaN;
    if (name === 'key') hasKey = true;
    strings++;
  }
  return hasKey ? strings : Number.NaN;
}

const MOST: Readonly<Record<string, number | undefined>> = Object.assign(Object.create(null), VERIFY_LIMITS, {
  key: Number.POSITIVE_INFINITY,
});

function arePermissions(value: unknown): value is string[] {
  if (!Array.isArray(value) || value.length > 100) return false;
  return value.every((p) => typeof p === 'string' && PERMISSION.test(p));
}
