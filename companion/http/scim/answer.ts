import { PROBLEMS } from '../../../shared/contract/errors.ts';
import type { Refusal } from '../../domain/refusal.ts';
import type { ScimError } from '../../domain/scim/error.ts';

const BASE = '/scim/v2/';
export const isScim = (path: string): boolean => path.startsWith(BASE);

/** An answer as `application/scim+json` (RFC 7644, 3.1). */
export function scimAnswer(status: number, body: object | undefined, headers: Record<string, string> = {}): Response {
  return new Response(body === undefined ? null : JSON.stringify(body), {
    status,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/scim+json' }), ...headers },
  });
}

function errorBody(status: number, detail: string, scimType?: string): object {
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(status),
    ...(scimType ? { scimType } : {}),
    detail,
  };
}

export const scimFailed = (error: ScimError): Response =>
  scimAnswer(error.status, errorBody(error.status, error.message, error.scimType));

/** A refusal of the closed list, as an identity provider reads it. */
export function scimRefused(refusal: Refusal): Response {
  const [status] = PROBLEMS[refusal.code];
  const headers = status === 401 ? { 'WWW-Authenticate': 'Bearer realm="heex-keys"' } : {};
  return scimAnswer(status, errorBody(status, refusal.message, status === 400 ? 'invalidSyntax' : undefined), {
    ...headers,
    ...refusal.headers,
  });
}
