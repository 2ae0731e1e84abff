import fc from 'fast-check';
import * as z from 'zod/mini';

export interface JsonSchema {
  type?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  pattern?: string;
  minLength?: number;
  minItems?: number;
  minimum?: number;
  maximum?: number;
}

export const toSchema = (schema: z.ZodMiniType | undefined) =>
  schema && (z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);

const TEXTS = [
  '',
  ' ',
  '\u0000',
  '\u202e',
  '\ud800',
  'x'.repeat(5000),
  '%',
  "'; drop table api_key; --",
  '../..',
  '__proto__',
  '2026-02-30T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '9999-12-31T23:59:59-23:59',
  '0000-01-01T00:00:00+23:59',
  '2027-01-01T00:00:00Z',
  '::1/0',
  '10.0.0.0/8',
  '1e309',
  'NaN',
  '-1',
  'MTIz',
  'all',
  'events:read',
  'ada@acme.example',
];
const NUMBERS = [0, -1, 1, 0.5, 1e21, -1e308, Number.MAX_SAFE_INTEGER, 2 ** 31, 100, 101];
/** Values of every kind, among them those that programs trip over. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...TEXTS, ...NUMBERS, null, true, [], {}, [[]], { a: { b: null } }),
  fc.string({ maxLength: 40 }),
  fc.jsonValue({ maxDepth: 2 }),
);

const instant = fc
  .date({ min: new Date('2100-01-01'), max: new Date('2190-01-01'), noInvalidDate: true })
  .map((at) => at.toISOString());
const plainName = fc.nat().map((n) => `Name ${n}`);
/** Texts that fit, by the name of the field. */
const FITTING: Record<string, fc.Arbitrary<string>> = {
  name: plainName,
  description: plainName,
  workspace: plainName,
  q: plainName,
  actor: plainName,
  target: plainName,
  device_name: plainName,
  password: fc.constant('correct horse battery'),
  newPassword: fc.constant('correct horse battery 2'),
  email: fc.nat().map((n) => `p${n}@acme.example`),
  technicalOwner: fc.constant('tech@acme.example'),
  permissions: fc.constant('events:read'),
  permission: fc.constant('events:read'),
  customers: fc.constantFrom('acme', 'globex'),
  customer: fc.constant('acme'),
  ipAllowlist: fc.constantFrom('10.0.0.0/8', '192.0.2.7', '2001:db8::/32'),
  ip: fc.constant('192.0.2.7'),
  expiresAt: instant,
  from: fc.constant('2026-01-01T00:00:00Z'),
  to: instant,
  owner: fc.constant('all'),
  client_id: fc.constant('heex-cli'),
};

/** How fields are filled whose number only means something within bounds. */
const number = ({ minimum, maximum }: JsonSchema) =>
  fc.integer({ min: Math.max(minimum ?? 1, -1000), max: Math.min(maximum ?? 50, 1e9) });

/**
 * Values that fit the schema.
 * @param special by the field's name, before what is known of fields in general; `''` is the whole
 */
export function fitting(
  schema: JsonSchema,
  special: Record<string, fc.Arbitrary<unknown>>,
  name: string,
): fc.Arbitrary<unknown> {
  const own = Object.hasOwn(special, name) ? special[name] : undefined;
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one) => fitting(one, special, name)));
  if (schema.type === 'null') return fc.constant(null);
  if (schema.type === 'array')
    return fc.uniqueArray(fitting(schema.items ?? {}, special, name), {
      minLength: schema.minItems ?? 0,
      maxLength: 2,
    });
  if (own) return own;
  if (schema.type === 'object') return record(schema, special);
  if (schema.type === 'integer' || schema.type === 'number') return number(schema);
  if (schema.type === 'boolean') return fc.boolean();
  const known = FITTING[name];
  if (known) return known;
  return schema.pattern
    ? fc.stringMatching(new RegExp(schema.pattern))
    : fc.string({ minLength: 2, maxLength: 20, unit: 'grapheme-ascii' });
}

function record(schema: JsonSchema, special: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  const fields = Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, fitting(inner, special, name)]);
  return fc.record(Object.fromEntries(fields), { requiredKeys: schema.required ?? [] } as object);
}

/** The value with one of its parts, by number, put away for another value. */
export function spoil(value: unknown, where: number, by: unknown): unknown {
  const copy = structuredClone({ value }) as Record<string, unknown>;
  const places: [Record<string, unknown>, string][] = [];
  const walk = (inside: Record<string, unknown>) => {
    for (const [name, part] of Object.entries(inside)) {
      places.push([inside, name]);
      if (part !== null && typeof part === 'object') walk(part as Record<string, unknown>);
    }
  };
  walk(copy);
  const [inside, name] = places[where % places.length] ?? [copy, 'value'];
  inside[name] = by;
  return copy.value;
}

/** A segment of a path that is still one after the client has read the URL. */
export const segment = fc
  .oneof(
    fc.constantFrom('x', 'all', 'current', '%00', '%ff', '%2e%2e%2f', "'", '日本'),
    fc.string({ minLength: 1, maxLength: 30 }),
  )
  .map((text) => (/^%[0-9a-f]{2}/.test(text) ? text : encodeURIComponent(text.toWellFormed())))
  .filter((text) => text !== '.' && text !== '..');
