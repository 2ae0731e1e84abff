import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Throttle, ThrottleKind } from '../app/deps.ts';
import { Refusal } from '../domain/refusal.ts';

/**
 * Attempts on one subject from one address in a minute, from one address in a minute, and on one subject in an hour. A password
 * can be guessed, and in the long run a code that is typed; a one-time token can't, so that only the cost of looking at it is limited.
 */
const LIMITS = { sign_in: [10, 300, 100], typed_code: [10, 300, 60], token: [100, 300, 1000] } as const;

/** Places of success that are remembered. */
const MOST_PLACES = 10_000;

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
  /** From where a subject has succeeded: strangers who guess at it elsewhere do not shut its owner out. */
  const succeeded = new Set<string>();
  return {
    async attempt(kind, subject, ip) {
      const { pair, address, subject: bySubject } = kinds[kind];
      const place = `${ip}|${subject}`;
      try {
        // One after another: an attempt that is refused for its place takes nothing from the subject's own.
        await pair.consume(place);
        await address.consume(ip ?? '-');
        if (!succeeded.has(`${kind}|${place}`)) await bySubject.consume(subject);
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
        throw new Refusal('rate_limited', `Too many attempts. Try again in ${seconds} s.`, [], {
          'Retry-After': String(seconds),
        });
      }
    },
    async forgive(kind, subject, ip) {
      const place = `${ip}|${subject}`;
      if (succeeded.size >= MOST_PLACES) succeeded.clear();
      succeeded.add(`${kind}|${place}`);
      await kinds[kind].pair.delete(place);
      await kinds[kind].subject.delete(subject);
    },
  };
}
