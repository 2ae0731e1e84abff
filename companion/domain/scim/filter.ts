import { type Filter, parse } from 'scim2-parse-filter';
import { ScimError } from './error.ts';

/** Attributes whose text has case (RFC 7643, 3.1 and 4.1); of all others it does not matter. */
const CASE_EXACT = new Set(['id', 'externalid', 'meta.location', 'meta.version']);
/** Attributes that are times, compared as such, and truth values, which have no order. */
const TIMES = new Set(['meta.created', 'meta.lastmodified']);
const TRUTH_VALUES = new Set(['active', 'emails.primary']);
const ORDERED: ReadonlySet<string> = new Set(['gt', 'ge', 'lt', 'le']);
const OF_TEXT: ReadonlySet<string> = new Set(['co', 'sw', 'ew']);
// The parser descends into brackets: no filter that anybody means is this long.
const LONGEST = 2_000;

/** A filter (RFC 7644, 3.4.2.2). @throws ScimError invalidFilter */
export function parseFilter(text: string): Filter {
  if (text.length > LONGEST) throw badFilter(`A filter has at most ${LONGEST} characters`);
  const filter = parsed(text);
  refuseMeaningless(filter, '');
  return filter;
}

const badFilter = (detail: string) => new ScimError(400, detail, 'invalidFilter');

function parsed(text: string): Filter {
  try {
    return parse(text);
  } catch {
    throw badFilter('The filter is not one of RFC 7644, 3.4.2.2');
  }
}

/** Comparisons that have no meaning for their attribute are refused rather than never true. @throws ScimError invalidFilter */
function refuseMeaningless(filter: Filter, inside: string): void {
  switch (filter.op) {
    case 'and':
    case 'or':
      for (const part of filter.filters) refuseMeaningless(part, inside);
      return;
    case 'not':
      refuseMeaningless(filter.filter, inside);
      return;
    case '[]':
      refuseMeaningless(filter.valFilter, `${nameOf(filter.attrPath)}.`);
      return;
    case 'pr':
      return;
    default: {
      const problem = problemOf(filter.op, inside + nameOf(filter.attrPath), filter.compValue);
      if (problem) throw badFilter(`${filter.attrPath} ${filter.op}: ${problem}`);
    }
  }
}

function problemOf(op: Comparison, name: string, wanted: unknown): string | undefined {
  const truth = TRUTH_VALUES.has(name) || typeof wanted === 'boolean';
  if (ORDERED.has(op) && (truth || wanted === null)) return 'truth values and null have no order';
  if (OF_TEXT.has(op)) return truth || typeof wanted !== 'string' ? 'is for text' : undefined;
  if (TIMES.has(name) && wanted !== null && Number.isNaN(Date.parse(String(wanted))))
    return 'must be compared with a time (RFC 3339)';
  return undefined;
}

/** Whether a resource (or one entry of a multi-valued attribute) matches. Names of attributes have no case. */
export function matches(filter: Filter, resource: unknown): boolean {
  switch (filter.op) {
    case 'and':
      return filter.filters.every((f) => matches(f, resource));
    case 'or':
      return filter.filters.some((f) => matches(f, resource));
    case 'not':
      return !matches(filter.filter, resource);
    case '[]':
      return valuesAt(resource, pathOf(filter.attrPath)).some((entry) => matches(filter.valFilter, entry));
    case 'pr':
      return valuesAt(resource, pathOf(filter.attrPath)).some(isPresent);
    default:
      return compare(filter.op, valuesAt(resource, pathOf(filter.attrPath)), filter.compValue, filter.attrPath);
  }
}

const isPresent = (value: unknown) => value !== null && value !== undefined && value !== '';

function pathOf(attrPath: string): string[] {
  return attrPath.slice(attrPath.lastIndexOf(':') + 1).split('.');
}

/** An attribute's name as it is looked for: without its schema, in lower case. */
const nameOf = (attrPath: string) => pathOf(attrPath).join('.').toLowerCase();

/** Every value at a path. Where it ends at entries of a multi-valued attribute, their `value` is meant. */
function valuesAt(resource: unknown, path: readonly string[]): unknown[] {
  if (Array.isArray(resource)) return resource.flatMap((entry) => valuesAt(entry, path));
  const [name, ...rest] = path;
  if (name === undefined) return [resource];
  if (resource === null || typeof resource !== 'object') return [];
  const key = Object.keys(resource).find((k) => k.toLowerCase() === name.toLowerCase());
  return key === undefined ? [] : valuesAt((resource as Record<string, unknown>)[key], rest);
}

const plain = (value: unknown) =>
  value !== null && typeof value === 'object' && 'value' in value ? value.value : value;

type Comparison = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le';

function compare(op: Comparison, found: unknown[], wanted: unknown, attrPath: string): boolean {
  const values = found.map(plain).filter(isPresent);
  if (op === 'ne') return !compare('eq', found, wanted, attrPath);
  if (wanted === null) return op === 'eq' && values.length === 0;
  const name = nameOf(attrPath);
  if (TIMES.has(name) && !OF_TEXT.has(op))
    return values.some((value) => inOrder(op, Date.parse(String(value)), Date.parse(String(wanted))));
  return values.some((value) => holds(op, value, wanted, CASE_EXACT.has(name)));
}

function holds(op: Comparison, value: unknown, wanted: unknown, exact: boolean): boolean {
  if (typeof value === 'boolean') return op === 'eq' && String(value) === String(wanted).toLowerCase();
  if (typeof value !== 'string') return op === 'eq' && value === wanted;
  const fold = (text: string) => (exact ? text : text.toLowerCase());
  const [a, b] = [fold(value), fold(String(wanted))];
  if (op === 'co') return a.includes(b);
  if (op === 'sw') return a.startsWith(b);
  if (op === 'ew') return a.endsWith(b);
  return inOrder(op, a, b);
}

function inOrder<T extends string | number>(op: Comparison, a: T, b: T): boolean {
  switch (op) {
    case 'eq':
      return a === b;
    case 'gt':
      return a > b;
    case 'ge':
      return a >= b;
    case 'lt':
      return a < b;
    case 'le':
      return a <= b;
    default:
      return false;
  }
}

/** The user name or external id that a filter asks for alone, the question that identity providers ask before each change. */
export function soleEquality(filter: Filter): { attribute: 'userName' | 'externalId'; value: string } | undefined {
  if (filter.op !== 'eq' || typeof filter.compValue !== 'string') return undefined;
  const name = nameOf(filter.attrPath);
  if (name === 'username') return { attribute: 'userName', value: filter.compValue };
  if (name === 'externalid') return { attribute: 'externalId', value: filter.compValue };
  return undefined;
}
