import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CompanionClock } from '../../shared/verifier/companion-clock.ts';

const EPOCH = 1_700_000_000_000;

test('however ticks are delayed, the clock is behind by no more than the soonest was, and the late ones show as late', () => {
  const delays = fc.array(fc.record({ after: fc.integer({ min: 1, max: 5_000 }), delay: fc.nat(20_000) }), {
    minLength: 1,
  });
  fc.assert(
    fc.property(fc.nat(2_000), delays, (first, later) => {
      let time = 1_000 + first;
      const clock = new CompanionClock(() => time);
      clock.hear(EPOCH + 1_000, 1_000);
      for (const { after, delay } of later) {
        time += after;
        const sent = Math.max(0, time - delay);
        // Quartz may part by 100 ppm in the meantime.
        const slack = first + (time - 1_000) * 1e-4 + 1;
        expect(clock.hear(EPOCH + sent)).toBeLessThanOrEqual(sent + slack);
        expect(clock.now()).toBeGreaterThanOrEqual(EPOCH + time - slack);
        expect(clock.now()).toBeLessThanOrEqual(EPOCH + time);
      }
    }),
  );
});

test('a companion whose clock was set back is believed with the next connection', () => {
  let time = 0;
  const clock = new CompanionClock(() => time);
  clock.hear(EPOCH, 0);
  time = 1_000;
  expect(clock.hear(EPOCH - 3_600_000)).toBeLessThan(-3_000_000);
  time = 2_000;
  expect(clock.hear(EPOCH - 3_599_000, 1_990)).toBeGreaterThanOrEqual(1_990);
  expect(clock.now()).toBeLessThan(EPOCH - 3_590_000);
});
