import { hash, verify } from '@node-rs/argon2';
import type { Passwords } from '../app/deps.ts';

// OWASP Password Storage: argon2id with 19 MiB, two passes, one lane. The library's default variant is argon2id.
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Passwords by argon2id (RFC 9106). */
export async function createPasswords(): Promise<Passwords> {
  // Compared with when there is no such person, so that the answer takes as long.
  const nobody = await hash('nobody has this password', COST);
  return {
    hash: (password) => hash(password.normalize('NFKC'), COST),
    async matches(password, stored) {
      const same = await verify(stored ?? nobody, password.normalize('NFKC'));
      return Boolean(stored) && same;
    },
  };
}
