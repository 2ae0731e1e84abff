import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GenerationMap } from '../../companion/verify/cache.ts';

test('it never holds more than its bound, what was just used stays, and what goes is told once it is gone', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), fc.array(fc.nat({ max: 60 }), { maxLength: 300 }), (most, names) => {
      const gone = new Set<number>();
      const map = new GenerationMap<{ n: number }>(most, ({ n }) => gone.add(n));
      let made = 0;
      const alive = new Map<number, string>();
      for (const name of names.map(String)) {
        if (!map.get(name)) {
          map.set(name, { n: ++made });
          alive.set(made, name);
        }
        const held = map.get(name);
        expect(held).toBeDefined();
        expect(gone.has((held as { n: number }).n)).toBe(false);
        expect(map.size).toBeLessThanOrEqual(most);
      }
      for (const n of gone) expect(map.get(alive.get(n) as string)?.n).not.toBe(n);
    }),
  );
});
