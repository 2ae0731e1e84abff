import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { Seal } from '../app/deps.ts';

const NONCE = 12;
const TAG = 16;

/**
 * Authenticated encryption (AES-256-GCM) for what has to be read again later. Each purpose has a key of its own, derived
 * from the hash key (HKDF, RFC 5869), so that what was sealed for one is nothing for another.
 */
export function createSeal(hashKey: Buffer, randomBytes: (n: number) => Uint8Array): Seal {
  const keys = new Map<string, Buffer>();
  const keyOf = (purpose: string) => {
    const known = keys.get(purpose);
    if (known) return known;
    const made = Buffer.from(hkdfSync('sha256', hashKey, '', `heex-keys ${purpose}`, 32));
    keys.set(purpose, made);
    return made;
  };
  return {
    close(purpose, text) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv('aes-256-gcm', keyOf(purpose), nonce);
      const sealed = [cipher.update(text, 'utf8'), cipher.final()];
      return Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]).toString('base64url');
    },
    open(purpose, sealed) {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < NONCE + TAG) return undefined;
      try {
        const decipher = createDecipheriv('aes-256-gcm', keyOf(purpose), bytes.subarray(0, NONCE), {
          authTagLength: TAG,
        });
        decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
        return Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}
