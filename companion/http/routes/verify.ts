import { type Verdict, type VerifyBody, verification } from '../../../shared/contract/verify.ts';
import type { Deps, Origin, Verifier } from '../../app/deps.ts';
import { reportUsage } from '../../app/report-usage.ts';
import type { Authenticate } from '../authenticate.ts';
import { bind } from '../bind.ts';
import type { App } from '../context.ts';

/** One question of a verifier, decided. */
export function verifyOne(deps: Deps, verifier: Verifier, body: VerifyBody, requestId: string): Verdict {
  const { code, key, rateLimit } = deps.checker.check({
    key: body.key,
    permissions: body.permissions,
    customer: body.customer,
    ip: body.ip ?? null,
    userAgent: body.userAgent ?? null,
    environment: verifier.environment,
    workspaceId: verifier.workspaceId,
    verifierId: verifier.id,
    purpose: 'direct',
    requestId,
  });
  return { valid: code === 'valid', code, requestId, ...(key ? { key } : {}), ...(rateLimit ? { rateLimit } : {}) };
}

const idOf = (origin: Origin, index: number) => `${origin.requestId}_${index}`;

export function bindVerify(app: App, deps: Deps, authenticate: Authenticate): void {
  bind(app, verification.verify, authenticate, async ({ caller, body, origin }) =>
    verifyOne(deps, caller, body, origin.requestId),
  );
  bind(app, verification.verifyBatch, authenticate, async ({ caller, body, origin }) => ({
    results: body.items.map((item, i) => verifyOne(deps, caller, item, idOf(origin, i))),
  }));
  bind(app, verification.resolve, authenticate, async ({ caller, body }) => deps.checker.resolve(body.key, caller));
  bind(app, verification.reportUsage, authenticate, async ({ caller, body }) => reportUsage(deps, caller, body));
}
