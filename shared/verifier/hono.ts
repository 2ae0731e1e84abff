import type { Context, MiddlewareHandler } from 'hono';
import type { KeyIdentity } from '../contract/verify.ts';
import { presentedKey } from '../presented-key.ts';
import type { Verifier } from './index.ts';
import { denialOf, headersOf, type Requirements } from './middleware.ts';

export interface HonoEnv {
  Variables: { heexKey: KeyIdentity };
}

export interface HonoOptions extends Requirements {
  /** Where a request came from; without it, keys that have an allowlist are refused. Hono itself does not know. */
  address?(c: Context): string | undefined;
}

/** Lets through what comes with a good key, which the handler finds as `c.get('heexKey')`, and answers the rest. */
export function requireKey(verifier: Verifier, options: HonoOptions = {}): MiddlewareHandler<HonoEnv> {
  return async (c, next) => {
    // The Fetch API joins repeated headers with a comma, which no key has.
    const decision = await verifier.check({
      key: presentedKey(c.req.header('x-api-key'), c.req.header('authorization')) ?? '',
      permissions: options.permissions,
      customer: options.customer,
      ip: options.address?.(c),
      userAgent: c.req.header('user-agent'),
    });
    const denial = denialOf(decision);
    if (denial) return new Response(denial.body, { status: denial.status, headers: denial.headers });
    if (decision.key) c.set('heexKey', decision.key);
    await next();
    // Afterwards, since a handler may answer with a response of its own making.
    for (const [name, value] of headersOf(decision)) if (!c.res.headers.has(name)) c.header(name, value);
    return undefined;
  };
}
