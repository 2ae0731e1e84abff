import { GRANT_PROBLEM } from '../../shared/contract/device.ts';
import { PROBLEMS } from '../../shared/contract/errors.ts';
import { DeviceRefusal } from '../app/device.ts';
import { Refusal } from '../domain/refusal.ts';

/**
 * The answer for a refusal by an OAuth endpoint: `{ error, error_description }` (RFC 6749, 5.2).
 * @throws what is no refusal
 */
export function oauthError(error: unknown): Response {
  if (error instanceof DeviceRefusal) return answer(400, error.error, error.message);
  if (!(error instanceof Refusal)) throw error;
  // A body of another type is a bad request like any other there.
  const status = error.code === 'unsupported_media_type' ? 400 : PROBLEMS[error.code][0];
  if (error.code === 'unauthorized') {
    // One that shows a token rather than a client's secret is told in the words of RFC 6750 (RFC 7662, 2.3).
    const byToken = error.headers['WWW-Authenticate']?.includes('invalid_token');
    return answer(status, byToken ? 'invalid_token' : 'invalid_client', error.message, error.headers);
  }
  if (error.code === 'rate_limited') return answer(status, 'temporarily_unavailable', error.message, error.headers);
  // Another grant comes without the fields of this one.
  const grant = error.errors.some((e) => e.path === 'grant_type' && e.message === GRANT_PROBLEM);
  if (grant) return answer(400, 'unsupported_grant_type', error.message);
  return answer(status, 'invalid_request', error.message, error.headers);
}

function answer(status: number, error: string, description: string, headers: Record<string, string> = {}): Response {
  // Visible ASCII but for quotes and backslashes is all that it may have.
  const plain = description.replaceAll('"', "'").replace(/[^\x20-\x5b\x5d-\x7e]/gu, '?');
  return new Response(JSON.stringify({ error, error_description: plain }), {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers },
  });
}
