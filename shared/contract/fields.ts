import * as z from 'zod/mini';
import { ENVIRONMENTS } from '../key-format.ts';

/** Opaque ids carry the kind of what they name: `key_…`, `mem_…`. */
export const id = z.string().check(z.minLength(1, 'must not be empty'), z.maxLength(64, 'is too long for an id'));

// Line feed and tab are allowed in long text only.
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;
const CONTROL_BUT_LINES = /[^\P{Cc}\n\t]/u;
// Embeddings, overrides and isolates can make a name read as another one (Unicode TR 36, bidirectional spoofing).
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const VISIBLE = /[^\p{C}\p{Z}\p{M}\u115f\u1160\u2800\u3164\uffa0]/u;

const length = (text: string) => [...text].length;

/** Text that people read: trimmed, NFC, of `min` to `max` characters, without anything that hides or misleads. */
function humanText(min: number, max: number, control: RegExp) {
  const text = z.string().check(
    // Line ends as they are pasted from elsewhere; a single line has none.
    z.overwrite((text) => (control === CONTROL ? text : text.replace(/\r\n?/g, '\n'))),
    // Before trimming, which would take a line feed at the end for a space.
    z.refine((text) => !control.test(text), { error: 'must not have control characters', abort: true }),
    z.trim(),
    z.normalize(),
    z.check((ctx) => {
      const text = ctx.value;
      const say = (message: string) => ctx.issues.push({ code: 'custom', message, input: text });
      if (!text.isWellFormed()) say('must be valid Unicode');
      else if (length(text) < min) say(`use at least ${min} character${min === 1 ? '' : 's'}`);
      else if (length(text) > max) say(`use at most ${max} characters`);
      else if (BIDI.test(text)) say('must not have characters that change the direction of writing');
      else if (min > 0 && !VISIBLE.test(text)) say('must have visible characters');
    }),
  );
  // The lengths are checked above, in characters: the reference is told of them here.
  return text.register(z.globalRegistry, { ...(min > 0 ? { minLength: min } : {}), maxLength: max });
}

/** A name of a key, group, verifier or agent: 2 to 200 characters. */
export const name = humanText(2, 200, CONTROL);
/** The name of a person or workspace: 1 to 200 characters. */
export const personName = humanText(1, 200, CONTROL);
/** Longer text of several lines: up to 1,000 characters. */
export const description = humanText(0, 1000, CONTROL_BUT_LINES);
/** A short optional remark on one line: up to 200 characters. */
export const remark = humanText(0, 200, CONTROL);

/** An e-mail address in lower case, up to 254 characters (RFC 5321, 4.5.3.1.3). */
export const email = z.string().check(
  z.trim(),
  // Before the case goes: the Kelvin sign would become a k, and the address somebody else's.
  z.regex(/^[^\u0080-\uffff]*$/, { error: 'must be an e-mail address', abort: true }),
  z.toLowerCase(),
  z.maxLength(254, 'use at most 254 characters'),
  z.email('must be an e-mail address'),
);

/** At least ten characters; the upper bound keeps hashing affordable (OWASP Password Storage). */
export const password = z
  .string()
  .check(z.minLength(10, 'use at least 10 characters'), z.maxLength(256, 'use at most 256 characters'));

export const environment = z.enum(ENVIRONMENTS, `must be one of ${ENVIRONMENTS.join(', ')}`);

export const ROLES = ['owner', 'admin', 'member'] as const;
export const role = z.enum(ROLES, `must be one of ${ROLES.join(', ')}`);
export type Role = z.infer<typeof role>;

/** `resource:action`, e.g. `customers:read`. */
export const PERMISSION = /^[a-z][a-z0-9_.-]{0,62}:[a-z][a-z0-9_.-]{0,62}$/;
export const permission = z.string().check(z.regex(PERMISSION, 'must look like resource:action, e.g. customers:read'));
export const permissions = z.array(permission).check(
  z.maxLength(100, 'list at most 100 permissions'),
  z.refine((list) => new Set(list).size === list.length, 'list every permission once'),
);

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

function utc(text: string): string {
  const at = Date.parse(text);
  return Number.isNaN(at) ? '' : new Date(at).toISOString();
}

/** Whether the text is an RFC 3339 time of a day that exists: `Date` itself turns February 30 into March 2. */
export function isRealTime(text: string): boolean {
  const m = RFC3339.exec(text);
  if (!m) return false;
  const [year, month, day, hour, minute, second] = m.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return (
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= days &&
    hour < 24 &&
    minute < 60 &&
    second < 60 &&
    // In UTC it must be a time that has this form, too: an offset can lead out of the years 0000 to 9999.
    /^\d{4}-/.test(utc(text))
  );
}

/** A time in an answer: RFC 3339 in UTC. */
export const timestamp = z.string().register(z.globalRegistry, { format: 'date-time' });
/** A time in a request: RFC 3339, any offset, of a day that exists. */
export const instant = z
  .string()
  .check(z.refine(isRealTime, 'must be an RFC 3339 time that exists, e.g. 2027-02-18T12:00:00Z'))
  .register(z.globalRegistry, { format: 'date-time' });

/** A whole number in a query: decimal digits and nothing else. */
export function queryNumber(least: number, most: number, wrong: string) {
  return z.pipe(
    z.transform((given: unknown) => (/^\d{1,15}$/.test(String(given)) ? Number(given) : given)),
    z
      .number(wrong)
      .check(z.int(wrong), z.gte(least, `must be ${least} or more`), z.lte(most, `must be ${most} or less`)),
  );
}

export const limit = z._default(queryNumber(1, 100, 'must be a number from 1 to 100'), 50);
export const cursor = z.optional(
  z.string().check(z.minLength(1, 'must not be empty'), z.maxLength(512, 'is not a cursor of this list')),
);
/** The query of every list. */
export const page = z.strictObject({ limit, cursor });

/** `{ items, nextCursor }`: the answer of every list. */
export const listOf = <T extends z.ZodMiniType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.nullable(z.string()) });

/** Who did or made something, as it was then: it stays readable when that member has left. */
export const author = z.object({ membershipId: z.nullable(z.string()), name: z.string(), email: z.string() });
/** The last time that something was used. */
export const use = z.object({ at: timestamp, ip: z.nullable(z.string()), userAgent: z.nullable(z.string()) });
