import { type Answer, call } from './client.ts';
import type { Person, Scenario } from './scenario.ts';

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const SCIM_ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';

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

/** The secret of a new token of the scenario's workspace. */
export async function scimToken(s: Scenario, name = 'Okta'): Promise<string> {
  return (await s.as(s.owner, 'POST', 'W/scim/tokens', { name })).body.secret;
}

/**
 * What an identity provider does in a workspace, and what is then to be seen there.
 * @param of the scenario and a token of its workspace, looked up at each call
 */
export function scimClient(of: () => { s: Scenario; token: string }) {
  let made = 0;
  const scim = scimCaller(() => ({ url: of().s.url, token: of().token }));
  return {
    scim,
    patch: (id: string, ...operations: unknown[]) => scim('PATCH', `/Users/${id}`, patchOf(...operations)),
    find: async (filter: string) => (await scim('GET', `/Users?filter=${encodeURIComponent(filter)}`)).body,
    /** @param query more of the query string, from an `&` on */
    async audit(query = '') {
      const { s } = of();
      return (await s.as(s.owner, 'GET', `W/audit?limit=100${query}`)).body.items;
    },
    /** What the companion says of a key. */
    async verdict(key: string) {
      const { s } = of();
      return (await call(s.url, 'POST', '/v1/verify', { token: await s.verifier(), body: { key } })).body.code;
    },
    /** Somebody whom the identity provider made. @returns the resource */
    async provision(overrides: Record<string, unknown> = {}): Promise<Answer['body']> {
      const userName = `person${++made}@acme.example`;
      const person = { schemas: [USER], userName, displayName: `Person ${made}`, ...overrides };
      const answer = await scim('POST', '/Users', person);
      if (answer.status !== 201) throw new Error(`not made: ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    /** A member with a session and a live key. */
    async working(): Promise<{ id: string; person: Person; secret: string }> {
      const { s } = of();
      const person = await s.member(`Worker ${++made}`);
      const { secret } = await s.key(person);
      return { id: person.userId, person, secret };
    },
  };
}
