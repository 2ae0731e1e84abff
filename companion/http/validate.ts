import * as z from 'zod/mini';
import type { FieldError } from '../../shared/contract/errors.ts';
import { Refusal } from '../domain/refusal.ts';

z.config(z.locales.en());

type Issue = z.core.$ZodIssue;

function messageOf(issue: Issue, input: unknown): string {
  if (issue.code === 'invalid_type' && valueAt(input, issue.path) === undefined) return 'is required';
  return issue.message.replace(/^Invalid input: /, '');
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const step of path) {
    if (value === null || typeof value !== 'object') return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

/** One error for each field that is wrong; an unknown field is named itself. */
export function fieldErrors(issues: readonly Issue[], input: unknown): FieldError[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'is not a known field' }));
    return [{ path: path.join('.'), message: messageOf(issue, input) }];
  });
}

/** @throws Refusal bad_request that names every wrong field */
export function validate<S extends z.ZodMiniType>(schema: S, input: unknown): z.infer<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const errors = fieldErrors(result.error.issues, input);
  throw new Refusal(
    'bad_request',
    errors.map((e) => (e.path ? `${e.path}: ${e.message}` : e.message)).join('; '),
    errors,
  );
}

/** A query string as an object; a parameter that stands twice is refused. */
export function readQuery(search: URLSearchParams): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of search) {
    if (Object.hasOwn(query, name))
      throw new Refusal('bad_request', `${name}: is there more than once`, [
        { path: name, message: 'is there more than once' },
      ]);
    query[name] = value;
  }
  return query;
}
