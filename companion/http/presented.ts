import type { KeyChecker, Verifier } from '../app/deps.ts';
import { Refusal } from '../domain/refusal.ts';

const BEARER = /^Bearer +([^\s,]+) *$/i;

/** The token of an `Authorization: Bearer …` header, or undefined for any other value (RFC 6750, RFC 9110 11.6.2). */
export function tokenOf(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
}

/**
 * The key of a request: from `X-API-Key` or `Authorization: Bearer`. Undefined where there is none that can be told for sure:
 * two different ones, a list, another scheme.
 */
export function presentedKey(apiKey: string | undefined, authorization: string | undefined): string | undefined {
  const bearer = tokenOf(authorization);
  if (apiKey === undefined) return bearer;
  if (authorization !== undefined && bearer !== apiKey) return undefined;
  return apiKey.includes(',') ? undefined : apiKey;
}

/** The verifier that a request comes from. @throws Refusal unauthorized */
export function requireVerifier(checker: KeyChecker, authorization: string | undefined): Verifier {
  const verifier = checker.verifier(tokenOf(authorization) ?? '');
  if (!verifier) throw new Refusal('unauthorized');
  return verifier;
}
