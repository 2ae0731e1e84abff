import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateLimits } from '../../companion/verify/rate.ts';

test('in no window are there more uses than the limit, refusals cost nothing, and after the reset there is room again', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 10 }),
      fc.array(fc.nat({ max: 4_000 }), { maxLength: 60 }),
      (limit, windowSeconds, pauses) => {
        const rates = new RateLimits();
        let now = 1_000_000;
        let [start, used] = [Number.NEGATIVE_INFINITY, 0];
        for (const pause of pauses) {
          now += pause;
          if (now >= start + windowSeconds * 1000) [start, used] = [now, 0];
          const { taken, state } = rates.take({ keyId: 'key' }, { limit, windowSeconds }, now);
          expect(taken).toBe(used < limit);
          if (taken) used++;
          expect(state).toMatchObject({ limit, windowSeconds, remaining: limit - used });
          expect(now + state.resetSeconds * 1000).toBeGreaterThanOrEqual(start + windowSeconds * 1000);
          expect(state.resetSeconds).toBeLessThanOrEqual(windowSeconds);
        }
      },
    ),
  );
});

test('keys do not share a limit, and an edit of the limit keeps what was used', () => {
  const rates = new RateLimits();
  expect(rates.take({ keyId: 'a' }, { limit: 2, windowSeconds: 60 }, 0).state.remaining).toBe(1);
  expect(rates.take({ keyId: 'b' }, { limit: 2, windowSeconds: 60 }, 0).state.remaining).toBe(1);
  expect(rates.take({ keyId: 'a' }, { limit: 1, windowSeconds: 60 }, 1).taken).toBe(false);
  expect(rates.take({ keyId: 'a' }, { limit: 3, windowSeconds: 60 }, 1).state.remaining).toBe(1);
  expect(rates.take({ keyId: 'a' }, { limit: 3, windowSeconds: 1 }, 1_000).state.remaining).toBe(2);
});

test('whatever stands for a key shares its one window, also when that has ended, or was forgotten, in between', () => {
  const rates = new RateLimits();
  const [rule, second] = [{ limit: 2, windowSeconds: 1 }, 1_000];
  const [one, other] = [{ keyId: 'a' }, { keyId: 'a' }];
  const left = (which: { keyId: string }, now: number) => rates.take(which, rule, now).state.remaining;
  expect([left(one, 0), left(other, 0), left(one, 1)]).toEqual([1, 0, 0]);
  expect([left(one, second), left(other, second)]).toEqual([1, 0]);
  for (let i = 0; i < 100; i++) left({ keyId: `b${i}` }, 3 * second);
  expect(rates.size).toBe(100);
  // What was forgotten is not taken up again, though with a longer window it would not be over yet.
  const longer = { ...rule, windowSeconds: 60 };
  expect([other, one, other].map((key) => rates.take(key, longer, 3 * second).state.remaining)).toEqual([1, 0, 0]);
});

test('a clock that is set back does not lock a key out', () => {
  const rates = new RateLimits();
  rates.take({ keyId: 'a' }, { limit: 1, windowSeconds: 60 }, 1_000_000);
  expect(rates.take({ keyId: 'a' }, { limit: 1, windowSeconds: 60 }, 5).taken).toBe(true);
});

test('windows that are over are forgotten as others begin, a few at a time, however many there are', () => {
  const rates = new RateLimits();
  const rule = { limit: 1, windowSeconds: 1 };
  for (let i = 0; i < 10_000; i++) rates.take({ keyId: `old ${i}` }, rule, 0);
  const [long, later] = [{ limit: 1, windowSeconds: 3_600 }, 600_000];
  for (let i = 0; i < 10_000; i++) {
    const before = rates.size;
    rates.take({ keyId: `new ${i}` }, long, later);
    expect(before + 1 - rates.size).toBeLessThanOrEqual(10);
  }
  expect(rates.size).toBe(10_000);
  for (let i = 0; i < 10_000; i++) expect(rates.take({ keyId: `new ${i}` }, long, later).taken).toBe(false);
  // After a clock was set back, what began in its future is over, too.
  for (let i = 0; i < 20_000; i++) rates.take({ keyId: `back ${i}` }, long, 5);
  expect(rates.size).toBe(20_000);
});
