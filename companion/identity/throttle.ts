import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Throttle, ThrottleKind } from '../app/deps.ts';
import { Refusal } from '../domain/refusal.ts';

/**
 * Attempts on one subject from one address in a minute, from one address in a minute, and on one subject in an hour. A password
 * can be guessed, and in the long run a code that is typed; a one-time token can't, so that only the cost of looking at it is limited.
 */
const LIMITS = { sign_in: [10, 300, 100], typed_code: [10, 300, 60], token: [100, 300, 1000] } as const;

const limiters = ([pair, address, subject]: readonly [number, number, number]) => ({
  pair: new RateLimiterMemory({ points: pair, duration: 60 }),
  address: new RateLimiterMemory({ points: address, duration: 60 }),
  subject: new RateLimiterMemory({ points: subject, duration: 3600 }),
});

/** Slows down guessing of passwords and one-time tokens, in the memory of this process. */
export function createThrottle(): Throttle {
  const kinds: Record<ThrottleKind, ReturnType<typeof limiters>> = {
    sign_in: limiters(LIMITS.sign_in),
    typed_code: limiters(LIMITS.typed_code),
    token: limiters(LIMITS.token),
  };
  return {
    async attempt(kind, subject, ip) {
      const { pair, address, subject: bySubject } = kinds[kind];
      try {
        await Promise.all([pair.consume(`${ip}|${subject}`), address.consume(ip ?? '-'), bySubject.consume(subject)]);
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
        throw new Refusal('rate_limited', `Too many attempts. Try again in ${seconds} s.`, [], {
          'Retry-After': String(seconds),
        });
      }
    },
    async forgive(kind, subject, ip) {
      await kinds[kind].pair.delete(`${ip}|${subject}`);
      await kinds[kind].subject.delete(subject);
    },
  };
}
