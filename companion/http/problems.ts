import { PROBLEMS, type Problem } from '../../shared/contract/errors.ts';
import { Refusal } from '../domain/refusal.ts';
import { StoreBusy } from '../store/sqlite.ts';

const CHALLENGE = 'Bearer realm="heex-keys"';

/** Whatever was thrown as a refusal of the closed list; a fault of ours becomes a bare 500. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof StoreBusy)
    return new Refusal('unavailable', 'The database is busy. Nothing was changed; try again.', [], {
      'Retry-After': '1',
    });
  return new Refusal('internal', 'Nothing was changed. The operator finds more in the log, under the request id.');
}

/** What is said of a refusal (RFC 9457). */
export function problemBody(refusal: Refusal, requestId: string): Problem {
  const [status, title] = PROBLEMS[refusal.code];
  return {
    type: `/docs#error-${refusal.code}`,
    title,
    status,
    code: refusal.code,
    ...(refusal.message === title ? {} : { detail: refusal.message }),
    requestId,
    ...(refusal.errors.length ? { errors: [...refusal.errors] } : {}),
    ...refusal.more,
  };
}

/** The headers that go with it, beside those of every answer. */
export function problemHeaders(refusal: Refusal): Record<string, string> {
  const challenge = PROBLEMS[refusal.code][0] === 401 ? { 'WWW-Authenticate': CHALLENGE } : {};
  return { ...challenge, ...refusal.headers };
}

/** The answer for a refusal: `application/problem+json` (RFC 9457). */
export function problemResponse(refusal: Refusal, requestId: string): Response {
  return new Response(JSON.stringify(problemBody(refusal, requestId)), {
    status: PROBLEMS[refusal.code][0],
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...problemHeaders(refusal),
    },
  });
}
