import { statusOf } from '../../../shared/check.ts';
import { verification } from '../../../shared/contract/verify.ts';
import { rateHeaders } from '../../../shared/rate-headers.ts';
import type { Deps } from '../../app/deps.ts';
import { revokeHeld } from '../../app/revoke-held.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Authenticate } from '../authenticate.ts';
import { bind } from '../bind.ts';
import type { App } from '../context.ts';

/** What holders of a key can ask with it. They learn no more than that it is good, or not. */
export function bindWhoami(app: App, deps: Deps, authenticate: Authenticate): void {
  bind(app, verification.whoami, authenticate, async ({ caller, origin }) => {
    const { code, key, rateLimit } = deps.checker.check({
      key: caller.secret,
      permissions: undefined,
      customer: undefined,
      ip: origin.ip,
      userAgent: origin.userAgent,
      environment: undefined,
      workspaceId: undefined,
      verifierId: null,
      purpose: 'direct',
      requestId: origin.requestId,
    });
    if (key) return { key, requestId: origin.requestId };
    const status = statusOf(code);
    if (status === 401) throw new Refusal('unauthorized');
    if (status === 403) throw new Refusal('forbidden', 'This key may not be used from here.');
    throw new Refusal('rate_limited', 'This key is over its rate limit.', [], rateHeaders(rateLimit, true));
  });
  bind(app, verification.revokeHeld, authenticate, async ({ caller, body, origin }) => {
    await revokeHeld(deps, caller, body.reason, origin);
    return { revoked: true as const, requestId: origin.requestId };
  });
}
