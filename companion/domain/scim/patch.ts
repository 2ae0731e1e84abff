import type { Filter } from 'scim2-parse-filter';
import { badValue, ScimError } from './error.ts';
import { matches, parseFilter } from './filter.ts';
import {
  asObject,
  attributeOf,
  attributesIn,
  checked,
  type GivenUser,
  isUserSchema,
  partOf,
  readAttribute,
  readEmailParts,
  readEmails,
  readName,
  type ScimEmail,
  USER_SCHEMA,
} from './user.ts';

type Op = 'add' | 'replace' | 'remove';
interface Target {
  attribute: string;
  filter: Filter | undefined;
  part: string | undefined;
}

const MOST_OPERATIONS = 100;

/** The body's member of that name, whatever its case: Entra and others differ. */
function member(object: Record<string, unknown>, name: string): unknown {
  const key = Object.keys(object).find((k) => k.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : object[key];
}

/**
 * Applies a PATCH (RFC 7644, 3.5.2), in the dialects of Okta (no path) and Entra (`Replace`, `"False"`, paths with filters): all
 * operations or none. Attributes that are not kept are ignored.
 * @throws ScimError
 */
export function patchUser(user: GivenUser, body: unknown): GivenUser {
  const operations = member(asObject(body), 'Operations');
  if (!Array.isArray(operations) || operations.length === 0 || operations.length > MOST_OPERATIONS)
    throw new ScimError(400, `Operations must be an array of 1 to ${MOST_OPERATIONS}`, 'invalidSyntax');
  let patched = user;
  for (const operation of operations) {
    const fields = asObject(operation);
    const [op, path, value] = [readOp(member(fields, 'op')), member(fields, 'path'), member(fields, 'value')];
    // Inside a value it is ignored, as Okta sends it along.
    if (typeof path === 'string' && /^(urn:.*:User:)?(id|meta)\b/i.test(path))
      throw new ScimError(400, 'id and meta are not the client’s to change', 'mutability');
    if (path !== undefined && path !== null && typeof path !== 'string')
      throw new ScimError(400, 'path must be a string', 'invalidPath');
    if (op !== 'remove' && value === undefined) throw badValue(`${op} needs a value`);
    patched = path && !isUserSchema(path) ? apply(patched, op, path, value) : applyToAll(patched, op, value);
  }
  return checked(patched);
}

function readOp(value: unknown): Op {
  const op = typeof value === 'string' ? value.toLowerCase() : '';
  if (op === 'add' || op === 'replace' || op === 'remove') return op;
  throw new ScimError(400, 'op must be add, replace or remove', 'invalidSyntax');
}

/** Without a path the value is an object of attributes; their names may be paths themselves. */
function applyToAll(user: GivenUser, op: Op, value: unknown): GivenUser {
  if (op === 'remove') throw new ScimError(400, 'remove needs a path', 'noTarget');
  return attributesIn(value).reduce<GivenUser>((patched, [path, inner]) => apply(patched, op, path, inner), user);
}

/** @returns undefined for an attribute that is not kept */
function parsePath(path: string): Target | undefined {
  let rest = path;
  if (/^urn:/i.test(path)) {
    if (isUserSchema(path)) throw new ScimError(400, 'A schema is named inside itself', 'invalidPath');
    if (!path.toLowerCase().startsWith(`${USER_SCHEMA.toLowerCase()}:`)) return undefined;
    rest = path.slice(USER_SCHEMA.length + 1);
  }
  const match = /^([A-Za-z$][\w$-]{0,63})(?:\[(.{1,1000})\])?(?:\.([A-Za-z$][\w$-]{0,63}))?$/s.exec(rest);
  if (!match?.[1]) throw new ScimError(400, 'path is not one of RFC 7644, 3.5.2', 'invalidPath');
  const attribute = attributeOf(match[1]);
  if (!attribute) return undefined;
  const filter = match[2] === undefined ? undefined : parseFilter(match[2]);
  const part = match[3] === undefined ? undefined : partOf(attribute, match[3]);
  // A part that is not kept, such as name.phonetic.
  if (match[3] !== undefined && part === undefined) return undefined;
  return { attribute, filter, part };
}

function apply(user: GivenUser, op: Op, path: string, value: unknown): GivenUser {
  const target = parsePath(path);
  if (!target) return user;
  const { attribute, filter, part } = target;
  if (filter && attribute !== 'emails') throw new ScimError(400, `${attribute} is not multi-valued`, 'invalidPath');
  if (attribute === 'emails') return { ...user, emails: patchEmails(user.emails, op, filter, part, value) };
  if (attribute === 'name') return patchName(user, op, part, value);
  const { [attribute as 'externalId']: _old, ...rest } = user;
  const next = op === 'remove' ? {} : readAttribute(attribute, value);
  if ((attribute === 'userName' || attribute === 'active') && !(attribute in next))
    throw badValue(`${attribute} can't be removed`);
  return { ...rest, ...next } as GivenUser;
}

function patchName(user: GivenUser, op: Op, part: string | undefined, value: unknown): GivenUser {
  const { name: old = {}, ...rest } = user;
  const cleared = part === undefined ? {} : Object.fromEntries(Object.entries(old).filter(([key]) => key !== part));
  if (op === 'remove') return { ...rest, name: cleared };
  return {
    ...rest,
    name: { ...(part === undefined ? old : cleared), ...readName(part === undefined ? value : { [part]: value }) },
  };
}

function patchEmails(
  emails: ScimEmail[],
  op: Op,
  filter: Filter | undefined,
  part: string | undefined,
  value: unknown,
): ScimEmail[] {
  const chosen = emails.filter((e) => !filter || matches(filter, e));
  if (op === 'remove') {
    if (part) return emails.map((e) => (chosen.includes(e) ? without(e, part) : e));
    // Some send the entries to remove as a value rather than as a filter.
    const named = filter || value === undefined ? undefined : readEmails(value).map((e) => e.value.toLowerCase());
    return emails.filter((e) => !chosen.includes(e) || (named && !named.includes(e.value.toLowerCase())));
  }
  if (!filter && !part) {
    const given = readEmails(value);
    return op === 'replace' ? given : [...demoted(emails, given), ...given];
  }
  const change = readEmailParts(part ? { [part]: value } : asParts(value));
  if (chosen.length === 0) return [...demoted(emails, [change]), created(filter, change)];
  return emails.map((e) => (chosen.includes(e) ? { ...e, ...change } : change.primary ? { ...e, primary: false } : e));
}

const asParts = (value: unknown) => (typeof value === 'string' ? { value } : Array.isArray(value) ? value[0] : value);

/** A new primary address takes the place of the one before (RFC 7644, 3.5.2). */
const demoted = (emails: ScimEmail[], given: Partial<ScimEmail>[]) =>
  given.some((e) => e.primary) ? emails.map((e) => (e.primary ? { ...e, primary: false } : e)) : emails;

function without(email: ScimEmail, part: string): ScimEmail {
  if (part === 'value') throw badValue("emails.value can't be removed alone");
  return Object.fromEntries(Object.entries(email).filter(([key]) => key !== part)) as unknown as ScimEmail;
}

/** `emails[type eq "work"].value` where there is none of that type yet: Entra means that one is to be made. */
function created(filter: Filter | undefined, change: Partial<ScimEmail>): ScimEmail {
  const implied: Record<string, unknown> = {};
  if (filter) {
    const conditions = filter.op === 'and' ? filter.filters : [filter];
    for (const condition of conditions) {
      const name = condition.op === 'eq' ? partOf('emails', condition.attrPath) : undefined;
      if (condition.op !== 'eq' || !name) throw new ScimError(400, 'No e-mail address matches the path', 'noTarget');
      implied[name] = condition.compValue;
    }
  }
  const [entry] = readEmails([{ ...readEmailParts(implied), ...change }]);
  if (!entry) throw new ScimError(400, 'No e-mail address matches the path', 'noTarget');
  return entry;
}
