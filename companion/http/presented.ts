import { tokenOf } from '../../shared/presented-key.ts';
import type { KeyChecker, Verifier } from '../app/deps.ts';
import { Refusal } from '../domain/refusal.ts';

/**
 * The password of an `Authorization: Basic …` header, as OAuth clients send their secret: form-encoded (RFC 6749, 2.3.1). The
 * user name is not looked at: a verifier is known by its secret.
 */
function passwordOf(authorization: string | undefined): string | undefined {
  const encoded = authorization === undefined ? undefined : /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, 'base64').toString('latin1');
  const password = pair.slice(pair.indexOf(':') + 1);
  return new URLSearchParams(`p=${password.replaceAll('&', '%26')}`).get('p') ?? '';
}

/**
 * The verifier that a request comes from.
 * @param basic whether it may also say so the way OAuth clients do
 * @throws Refusal unauthorized
 */
export function requireVerifier(checker: KeyChecker, authorization: string | undefined, basic = false): Verifier {
  const secret = tokenOf(authorization) ?? (basic ? passwordOf(authorization) : undefined);
  const verifier = checker.verifier(secret ?? '');
  if (!verifier) throw new Refusal('unauthorized');
  return verifier;
}
