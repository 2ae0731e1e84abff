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

/** The answer for a refusal: `application/problem+json` (RFC 9457). */
export function problemResponse(refusal: Refusal, requestId: string): Response {
  const [status, title] = PROBLEMS[refusal.code];
  const body: Problem = {
    type: `/docs#error-${refusal.code}`,
    title,
    status,
    code: refusal.code,
    ...(refusal.message === title ? {} : { detail: refusal.message }),
    requestId,
    ...(refusal.errors.length ? { errors: [...refusal.errors] } : {}),
    ...refusal.more,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...(status === 401 ? { 'WWW-Authenticate': CHALLENGE } : {}),
      ...refusal.headers,
    },
  });
}
