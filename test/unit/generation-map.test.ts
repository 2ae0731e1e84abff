import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAnchors, EntriesByKey, GenerationMap } from '../../companion/verify/cache.ts';
import type { KeyEntry } from '../../companion/verify/key-entry.ts';

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

test('to forget everything, what is known is not gone through', () => {
  const anchors = createAnchors();
  const byKey = new EntriesByKey();
  // Whoever marked one of these would fail.
  const anchor = Object.freeze(anchors.of('group', 'grp_1'));
  byKey.add(Object.freeze({ keyId: 'key_1', changed: false }) as KeyEntry);
  byKey.clear();
  anchors.clear();
  expect(anchors.of('group', 'grp_1')).not.toBe(anchor);
  expect(() => byKey.drop('key_1')).not.toThrow();
});
