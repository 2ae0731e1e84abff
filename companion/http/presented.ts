import { tokenOf } from '../../shared/presented-key.ts';
import type { KeyChecker, Verifier } from '../app/deps.ts';
import { Refusal } from '../domain/refusal.ts';

/** The verifier that a request comes from. @throws Refusal unauthorized */
export function requireVerifier(checker: KeyChecker, authorization: string | undefined): Verifier {
  const verifier = checker.verifier(tokenOf(authorization) ?? '');
  if (!verifier) throw new Refusal('unauthorized');
  return verifier;
}
