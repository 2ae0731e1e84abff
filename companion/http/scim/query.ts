import { type ListQuery, MOST_RESULTS, type ScimResource } from '../../app/scim-resources.ts';
import { badValue, ScimError } from '../../domain/scim/error.ts';
import type { Ctx } from '../context.ts';

function wholeNumber(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined || text === '') return otherwise;
  if (!/^-?\d{1,9}$/.test(text)) throw badValue(`${name} must be a whole number`);
  return Number(text);
}

/** The paging and filter of a list (RFC 7644, 3.4.2); parameters that are not supported are ignored. @throws ScimError */
export function listQuery(c: Ctx): ListQuery {
  return {
    filter: c.req.query('filter') || undefined,
    startIndex: wholeNumber('startIndex', c.req.query('startIndex'), 1),
    count: wholeNumber('count', c.req.query('count'), MOST_RESULTS),
  };
}

/** What is described is few, and not searched: nobody must think that a filter was applied (RFC 7644, 4). @throws ScimError 403 */
export function refuseFilter(c: Ctx): void {
  if (c.req.query('filter') !== undefined) throw new ScimError(403, 'There is no filter here; ask for everything');
}

const ALWAYS = new Set(['schemas', 'id', 'meta']);

/** Attributes that were named: whole ones, or with the parts that were named of them. In lower case. */
type Named = ReadonlyMap<string, ReadonlySet<string> | 'whole'>;

function named(text: string | undefined): Named | undefined {
  if (text === undefined) return undefined;
  const found = new Map<string, Set<string> | 'whole'>();
  for (const entry of text.split(',')) {
    const [name = '', part] = entry
      .trim()
      .slice(entry.trim().lastIndexOf(':') + 1)
      .toLowerCase()
      .split('.');
    const known = found.get(name);
    if (part === undefined || known === 'whole') found.set(name, 'whole');
    else found.set(name, (known ?? new Set()).add(part));
  }
  return found;
}

/** A complex value, or each of several, with those of its parts that are kept; undefined where nothing is left. */
function parts(value: unknown, keep: (part: string) => boolean): unknown {
  if (Array.isArray(value)) {
    const left = value.map((entry) => parts(entry, keep)).filter((entry) => entry !== undefined);
    return left.length ? left : undefined;
  }
  if (value === null || typeof value !== 'object') return undefined;
  const left = Object.entries(value).filter(([part]) => keep(part.toLowerCase()));
  return left.length ? Object.fromEntries(left) : undefined;
}

/** Only the attributes, and parts of them, that were asked for (RFC 7644, 3.9). */
export function projected(c: Ctx, resource: ScimResource): object {
  const [wanted, excluded] = [named(c.req.query('attributes')), named(c.req.query('excludedAttributes'))];
  if (!wanted && !excluded) return resource;
  const shown = Object.entries(resource).flatMap(([key, value]): [string, unknown][] => {
    if (ALWAYS.has(key)) return [[key, value]];
    const name = key.toLowerCase();
    const of = (wanted ?? excluded)?.get(name);
    if (of === undefined) return wanted ? [] : [[key, value]];
    if (of === 'whole') return wanted ? [[key, value]] : [];
    return [[key, parts(value, (part) => of.has(part) === (wanted !== undefined))]];
  });
  return Object.fromEntries(shown);
}

/** Weak and strong tags are one here (RFC 7644, 3.14). */
const bare = (tag: string) => tag.trim().replace(/^W\//, '');
const matchesTag = (header: string, resource: ScimResource) =>
  header.split(',').some((tag) => tag.trim() === '*' || bare(tag) === bare(resource.meta.version));

/** `If-Match` of a change. @throws ScimError 412 when the resource has another version */
export function ifMatch(c: Ctx): (resource: ScimResource) => void {
  const header = c.req.header('if-match');
  return (resource) => {
    if (header !== undefined && !matchesTag(header, resource))
      throw new ScimError(412, 'The resource has changed; read it again');
  };
}

/** Whether the caller has this version already (`If-None-Match`). */
export function isKnown(c: Ctx, resource: ScimResource): boolean {
  const header = c.req.header('if-none-match');
  return header !== undefined && matchesTag(header, resource);
}
