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

const ALWAYS = new Set(['schemas', 'id', 'meta']);

/** Only the attributes that were asked for (RFC 7644, 3.9), whole ones: a part of a complex one brings all of it. */
export function projected(c: Ctx, resource: ScimResource): object {
  const names = (parameter: string) =>
    c.req
      .query(parameter)
      ?.split(',')
      .map((name) =>
        name
          .trim()
          .slice(name.trim().lastIndexOf(':') + 1)
          .split('.')[0]
          ?.toLowerCase(),
      );
  const [wanted, excluded] = [names('attributes'), names('excludedAttributes')];
  if (!wanted && !excluded) return resource;
  return Object.fromEntries(
    Object.entries(resource).filter(([key]) => {
      if (ALWAYS.has(key)) return true;
      return wanted ? wanted.includes(key.toLowerCase()) : !excluded?.includes(key.toLowerCase());
    }),
  );
}

const tags = (header: string) => header.split(',').map((tag) => tag.trim());
const matchesTag = (header: string, resource: ScimResource) =>
  tags(header).some((tag) => tag === '*' || tag === resource.meta.version);

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
