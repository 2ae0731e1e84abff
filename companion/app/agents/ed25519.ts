import { createHash, createPublicKey, verify } from 'node:crypto';
import { thumbprintInput } from '../../../shared/agent-protocol.ts';

/** Whether `signature` is that of the key `x` (base64url) over `text` (Ed25519, RFC 8032). False for bytes that are no point. */
export function signedBy(x: string, text: string, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verify(null, Buffer.from(text), key, signature);
  } catch {
    return false;
  }
}

/** The JWK thumbprint (RFC 7638) of an Ed25519 public key: SHA-256 in base64url. */
export function thumbprintOf(x: string): string {
  return createHash('sha256').update(thumbprintInput(x)).digest('base64url');
}
