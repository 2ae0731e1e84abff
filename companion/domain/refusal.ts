import { type FieldError, PROBLEMS, type Problem, type ProblemCode } from '../../shared/contract/errors.ts';

/** A request that is answered with a problem of the closed list. Anything else that is thrown is a fault of ours. */
export class Refusal extends Error {
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[];
  /** More headers of the answer, e.g. `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;
  /** More members of the problem (RFC 9457, 3.2). */
  readonly more: Pick<Problem, 'confirmAt'>;

  constructor(
    code: ProblemCode,
    detail = '',
    errors: readonly FieldError[] = [],
    headers: Record<string, string> = {},
    more: Pick<Problem, 'confirmAt'> = {},
  ) {
    super(detail || PROBLEMS[code][1]);
    this.code = code;
    this.errors = errors;
    this.headers = headers;
    this.more = more;
  }
}

/** A 400 that names one field. */
export function badField(path: string, message: string): Refusal {
  return new Refusal('bad_request', `${path}: ${message}`, [{ path, message }]);
}

/** What is absent and what is somebody else's answer alike. */
export const notFound = (): Refusal => new Refusal('not_found');
