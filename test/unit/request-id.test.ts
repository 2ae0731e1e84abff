import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createRequestIds } from '../../shared/request-id.ts';

test('ids are of one form, never come twice, and grow with time', () => {
  let time = 1_795_000_000_000;
  const makers = [0, 1, 2].map(() => createRequestIds(randomBytes, () => time));
  const seen = new Set<string>();
  let last = '';
  for (let i = 0; i < 3_000; i++) {
    if (i % 100 === 0) {
      time++;
      const next = makers[0]?.() ?? '';
      expect(next > last).toBe(true);
      last = next;
      seen.add(next);
    }
    for (const make of makers) {
      const id = make();
      expect(id).toMatch(/^req_[0-9A-Za-z]{20}$/);
      expect(seen.has(id)).toBe(false);
      seen.add(id);
    }
  }
});
