import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Throttle } from '../app/deps.ts';
import { Refusal } from '../domain/refusal.ts';

/** Ten attempts a minute on one subject from one address; 300 a minute from one address; a hundred an hour on one subject. */
const limits = () => ({
  pair: new RateLimiterMemory({ points: 10, duration: 60 }),
  address: new RateLimiterMemory({ points: 300, duration: 60 }),
  subject: new RateLimiterMemory({ points: 100, duration: 3600 }),
});

/** Slows down guessing of passwords and one-time tokens, in the memory of this process. */
export function createThrottle(): Throttle {
  const kinds = { sign_in: limits(), token: limits() };
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
