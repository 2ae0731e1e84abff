import type { Endpoint } from '../../shared/contract/endpoint.ts';
import { isToken } from '../../shared/key-format.ts';
import { presentedKey } from '../../shared/presented-key.ts';
import { authorize, type MemberCaller, type SessionCaller } from '../app/caller.ts';
import type { Deps, HeldKey, Verifier } from '../app/deps.ts';
import { authenticateSession } from '../app/sessions.ts';
import { requireRecentSignIn } from '../app/step-up.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Ctx } from './context.ts';
import { crossSite, readSessionCookie } from './cookies.ts';
import { requireOAuthClient } from './oauth-client.ts';
import { requireVerifier } from './presented.ts';

export type Caller = SessionCaller | MemberCaller | Verifier | HeldKey | undefined;
export type Authenticate = (c: Ctx, endpoint: Endpoint) => Promise<Caller>;

/** The token of `Authorization: Bearer …` (RFC 6750), or undefined without the header. @throws Refusal unauthorized */
export function bearerToken(c: Ctx): string | undefined {
  const header = c.req.header('authorization');
  if (header === undefined) return undefined;
  const match = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(header);
  if (!match?.[1]) throw new Refusal('unauthorized');
  return match[1];
}

async function sessionOf(c: Ctx, deps: Deps): Promise<SessionCaller | undefined> {
  const bearer = bearerToken(c);
  const token = bearer ?? readSessionCookie(c, deps.config.publicUrl);
  if (token === undefined) return undefined;
  // Only a session token is looked up: a key or verifier secret never works here.
  if (!isToken('session', token)) throw new Refusal('unauthorized');
  if (bearer === undefined && crossSite(c)) throw new Refusal('forbidden', 'This request comes from another site.');
  return authenticateSession(deps, token, c.get('origin'));
}

/** The live key that a request carries, whatever address it comes from. @throws Refusal unauthorized */
function heldKey(c: Ctx, { checker }: Deps, endpoint: Endpoint): HeldKey {
  const key = presentedKey(c.req.header('x-api-key'), c.req.header('authorization'));
  const purpose = endpoint.path.startsWith('/v1/agents') ? 'enrolment' : 'direct';
  const held = key === undefined ? undefined : checker.identify(key, { ...c.get('origin'), purpose });
  if (!held) throw new Refusal('unauthorized');
  return held;
}

/** Asks of a caller what the endpoint declares: a session, and below a workspace a membership whose role allows the action. */
export function createAuthenticate(deps: Deps): Authenticate {
  return async (c, endpoint) => {
    if (endpoint.credential === 'verifier')
      return endpoint.errors === 'oauth'
        ? requireOAuthClient(c, deps.checker)
        : requireVerifier(deps.checker, c.req.header('authorization'));
    if (endpoint.credential === 'key') return heldKey(c, deps, endpoint);
    if (endpoint.credential !== 'session' && endpoint.credential !== 'optional_session') return undefined;
    const caller = await sessionOf(c, deps);
    if (!caller) {
      if (endpoint.credential === 'optional_session') return undefined;
      throw new Refusal('unauthorized');
    }
    if (!endpoint.action) {
      if (endpoint.stepUp) requireRecentSignIn(deps, caller);
      return caller;
    }
    const member = await authorize(deps.store.read, caller.user.id, c.req.param('workspaceId') ?? '', endpoint.action);
    // Last: nobody is asked to confirm for what they may not do anyway.
    if (endpoint.stepUp) requireRecentSignIn(deps, caller);
    return { ...caller, member };
  };
}
