import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KeyIdentity } from '../contract/verify.ts';
import { keyOfRequest } from '../presented-key.ts';
import type { Verifier } from './index.ts';
import { denialOf, headersOf, type Requirements } from './middleware.ts';

/** A request that was let through knows whose key it came with. */
export type VerifiedRequest = IncomingMessage & { heexKey?: KeyIdentity };

export interface NodeOptions extends Requirements {
  /** Where a request came from. Behind a proxy say so yourself: what it forwards can't be trusted unseen. Default: the peer. One that throws says nothing. */
  address?(request: IncomingMessage): string | undefined;
}

/** One that can't be told is none: keys with an allowlist are refused then. A fault in here must not end the whole service. */
function addressOf(request: IncomingMessage, { address }: NodeOptions): string | undefined {
  try {
    return address ? address(request) : request.socket.remoteAddress;
  } catch {
    return undefined;
  }
}

/**
 * Lets through what comes with a good key, and answers the rest. For `node:http` (`next` is what comes after) and for
 * everything that takes `(request, response, next)`, such as Express.
 */
export function requireKey(verifier: Verifier, options: NodeOptions = {}) {
  return async (request: VerifiedRequest, response: ServerResponse, next: () => void): Promise<void> => {
    const decision = await verifier.check({
      key: keyOfRequest(request) ?? '',
      permissions: options.permissions,
      customer: options.customer,
      ip: addressOf(request, options),
      userAgent: request.headers['user-agent'],
    });
    const denial = denialOf(decision);
    if (denial) {
      response.writeHead(denial.status, denial.headers).end(denial.body);
      return;
    }
    for (const [name, value] of headersOf(decision)) response.setHeader(name, value);
    if (decision.key) request.heexKey = decision.key;
    next();
  };
}
