import { type Answer, call } from './client.ts';

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';

/** A call as identity providers make it, with the bearer token of a workspace. */
export type ScimCall = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>;

/** @param of where the companion is, and the token, looked up at each call */
export const scimCaller =
  (of: () => { url: string; token: string }): ScimCall =>
  (method, path, body, headers = {}) => {
    const { url, token } = of();
    const type = body === undefined ? {} : { 'content-type': 'application/scim+json' };
    return call(url, method, `/scim/v2${path}`, { token, body, headers: { ...type, ...headers } });
  };

/** The body of a PATCH (RFC 7644, 3.5.2). */
export const patchOf = (...Operations: unknown[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations,
});
