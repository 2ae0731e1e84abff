import type { KeyIdentity } from '../../../shared/contract/verify.ts';
import { verification } from '../../../shared/contract/verify.ts';
import type { Deps } from '../../app/deps.ts';
import type { Authenticate } from '../authenticate.ts';
import { bind } from '../bind.ts';
import type { App } from '../context.ts';

/** The members of an introspection answer that a good key has (RFC 7662, 2.2); the owner is the subject, the key the client. */
function describe(key: KeyIdentity, stopsAt: number | null, issuer: string) {
  return {
    active: true,
    scope: key.permissions.join(' '),
    client_id: key.id,
    username: key.owner.email,
    token_type: 'api_key',
    // Of the secret that was shown: some keep an answer until then.
    ...(stopsAt === null ? {} : { exp: Math.floor(stopsAt / 1000) }),
    sub: key.owner.membershipId,
    iss: issuer,
    jti: key.id,
    name: key.name,
    environment: key.environment,
    workspace: key.workspace.id,
    customers: key.customers,
  };
}

/** Token introspection, for gateways that speak it. A key over its rate limit is not active, too. */
export function bindIntrospect(app: App, deps: Deps, authenticate: Authenticate): void {
  bind(app, verification.introspect, authenticate, async ({ caller, body, origin }) => {
    const { key, stopsAt = null } = deps.checker.check({
      key: body.token,
      permissions: undefined,
      customer: undefined,
      ip: body.ip ?? null,
      userAgent: body.user_agent ?? null,
      environment: caller.environment,
      workspaceId: caller.workspaceId,
      verifierId: caller.id,
      purpose: 'direct',
      requestId: origin.requestId,
    });
    return key ? describe(key, stopsAt, deps.config.publicUrl) : { active: false };
  });
}
