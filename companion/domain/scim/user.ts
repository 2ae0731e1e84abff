import { email as emailField, personName } from '../../../shared/contract/fields.ts';
import { badValue, ScimError } from './error.ts';

export const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';

export interface ScimEmail {
  value: string;
  type?: string;
  display?: string;
  primary?: boolean;
}
/** What a request says of a person; without `active` that stays as it is. */
export type GivenUser = Omit<ScimUser, 'active'> & { active?: boolean };
export type ScimName = Partial<Record<(typeof NAME_PARTS)[number], string>>;

/** What an identity provider says of a person (RFC 7643, 4.1); everything else that it sends is ignored. */
export interface ScimUser {
  userName: string;
  externalId?: string;
  displayName?: string;
  name?: ScimName;
  emails: ScimEmail[];
  active: boolean;
}

export const NAME_PARTS = [
  'formatted',
  'familyName',
  'givenName',
  'middleName',
  'honorificPrefix',
  'honorificSuffix',
] as const;
const EMAIL_PARTS = ['value', 'type', 'display', 'primary'] as const;

/** The attributes that are kept, with the parts of the complex ones. Names of attributes have no case (RFC 7643, 2.1). */
export const ATTRIBUTES: Record<string, readonly string[] | undefined> = {
  userName: undefined,
  externalId: undefined,
  displayName: undefined,
  active: undefined,
  name: NAME_PARTS,
  emails: EMAIL_PARTS,
};

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** The attribute that a name means, as it is written in the schema; undefined for one that is not kept. */
export const attributeOf = (name: string): string | undefined => Object.keys(ATTRIBUTES).find((a) => same(a, name));
/** The same for a part of a complex attribute. */
export const partOf = (attribute: string, name: string): string | undefined =>
  ATTRIBUTES[attribute]?.find((p) => same(p, name));

const MOST_EMAILS = 20;

/** Text of one line, or undefined for nothing: null and empty text mean that there is none (RFC 7643, 2.5). */
export function readText(path: string, value: unknown): string | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw badValue(`${path} must be a string`);
  if (value.length > 254 || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(value) || !value.isWellFormed())
    throw badValue(`${path} must be one line of at most 254 characters`);
  return value;
}

/** A truth value; Entra sends `"True"` and `"False"`. */
export function readBoolean(path: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string' && /^(true|false)$/i.test(value)) return same(value, 'true');
  throw badValue(`${path} must be true or false`);
}

function readParts(attribute: string, value: unknown): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw badValue(`${attribute} must be an object`);
  const parts: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const part = partOf(attribute, key);
    if (part)
      parts[part] =
        part === 'primary' ? readBoolean(`${attribute}.primary`, inner) : readText(`${attribute}.${part}`, inner);
  }
  for (const part of Object.keys(parts)) if (parts[part] === undefined) delete parts[part];
  return parts;
}

export const readName = (value: unknown): ScimName => readParts('name', value);
/** One entry of `emails`, or several of its parts. */
export const readEmailParts = (value: unknown): Partial<ScimEmail> => readParts('emails', value);

export function readEmails(value: unknown): ScimEmail[] {
  if (value === null || value === undefined) return [];
  const list = Array.isArray(value) ? value : [value];
  return list.map((item) => requireValue(typeof item === 'string' ? { value: item } : readEmailParts(item)));
}

function requireValue(entry: Partial<ScimEmail>): ScimEmail {
  if (entry.value === undefined) throw badValue('emails.value is required');
  return { ...entry, value: entry.value };
}

/** A user from the body of a POST or PUT. `active` may be missing. @throws ScimError */
export function readUser(body: unknown): GivenUser {
  const user: Partial<ScimUser> = {};
  for (const [key, value] of attributesIn(body)) {
    const attribute = attributeOf(key.startsWith(`${USER_SCHEMA}:`) ? key.slice(USER_SCHEMA.length + 1) : key);
    if (attribute) Object.assign(user, readAttribute(attribute, value));
  }
  const { userName, emails = [], ...rest } = user;
  if (userName === undefined) throw badValue('userName is required');
  return checked({ ...rest, userName, emails });
}

/** One attribute with a new value, or without any where it is null. */
export function readAttribute(attribute: string, value: unknown): Partial<ScimUser> {
  if (attribute === 'active') return value === null ? {} : { active: readBoolean('active', soleValue(value)) };
  if (attribute === 'emails') return { emails: readEmails(value) };
  if (attribute === 'name') return value === null ? {} : { name: readName(value) };
  const text = readText(attribute, value);
  return text === undefined ? {} : { [attribute]: text };
}

/** What stands in `[{ "value": … }]`: Entra wraps single values so. */
function soleValue(value: unknown): unknown {
  if (!Array.isArray(value) || value.length !== 1) return value;
  const [entry] = value;
  return entry !== null && typeof entry === 'object' && 'value' in entry ? entry.value : value;
}

export const isUserSchema = (name: string): boolean => same(name, USER_SCHEMA);

/** The attributes of a body, also of one that puts them below the name of their schema. */
export const attributesIn = (body: unknown): [string, unknown][] =>
  Object.entries(asObject(body)).flatMap(([key, value]) =>
    isUserSchema(key) ? Object.entries(asObject(value)) : [[key, value]],
  );

export function asObject(body: unknown): Record<string, unknown> {
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw new ScimError(400, 'The body must be a JSON object', 'invalidSyntax');
  return body as Record<string, unknown>;
}

/** The user with its emails once each and at most one of them primary, the last that was called so. @throws ScimError */
export function checked<U extends Omit<ScimUser, 'active'>>(user: U): U {
  const emails: ScimEmail[] = [];
  for (const email of user.emails) {
    const at = emails.findIndex((e) => same(e.value, email.value) && e.type === email.type);
    if (at >= 0) emails.splice(at, 1);
    emails.push(email);
  }
  if (emails.length > MOST_EMAILS) throw badValue(`emails: list at most ${MOST_EMAILS}`);
  const primary = emails.findLast((e) => e.primary);
  const only = emails.map(({ primary: claims, ...e }) => ({
    ...e,
    ...(claims === undefined ? {} : { primary: claims && e.value === primary?.value && e.type === primary.type }),
  }));
  const checkedUser = { ...user, emails: only };
  emailOf(checkedUser);
  nameOf(checkedUser);
  return checkedUser;
}

/** The address that the account has: the primary one, else one for work, else the first, else a user name that is one. */
export function emailOf(user: Pick<ScimUser, 'userName' | 'emails'>): string {
  const { emails, userName } = user;
  const chosen = emails.find((e) => e.primary) ?? emails.find((e) => e.type && same(e.type, 'work')) ?? emails[0];
  const parsed = emailField.safeParse(chosen?.value ?? userName);
  if (!parsed.success) throw badValue('An e-mail address is needed, in emails or as userName');
  return parsed.data;
}

/** What people call them. */
export function nameOf(user: Pick<ScimUser, 'userName' | 'displayName' | 'name'>): string {
  const { displayName, name, userName } = user;
  const parts = [name?.givenName, name?.familyName].filter(Boolean).join(' ');
  const parsed = personName.safeParse(displayName || name?.formatted || parts || userName);
  if (!parsed.success) throw badValue(`displayName: ${parsed.error.issues[0]?.message ?? 'is not a name'}`);
  return parsed.data;
}

/** A user name as it is compared: it has no case (RFC 7643, 4.1.1). */
export const foldUserName = (userName: string): string => userName.normalize('NFKC').toLowerCase();
