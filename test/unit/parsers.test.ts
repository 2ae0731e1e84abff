import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pageOf, readCursor } from '../../companion/app/paging.ts';
import { email, isRealTime, limit } from '../../shared/contract/fields.ts';

describe('a time', () => {
  test('is one of a day that exists', () => {
    for (const text of ['2026-02-28T00:00:00Z', '2028-02-29T23:59:59Z', '2026-12-31T00:00:00.5+05:30'])
      expect(isRealTime(text), text).toBe(true);
    for (const text of [
      '2026-02-29T00:00:00Z',
      '2026-02-30T00:00:00Z',
      '2026-04-31T00:00:00Z',
      '1900-02-29T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-00-01T00:00:00Z',
      '2026-01-00T00:00:00Z',
      '2026-01-01T24:00:00Z',
      '2026-01-01T00:60:00Z',
      '2026-01-01T00:00:60Z',
      '2026-01-01T00:00:00+24:00',
      '2026-01-01T00:00:00',
      '2026-01-01',
      '2026-1-1T00:00:00Z',
      ' 2026-01-01T00:00:00Z',
      '2026-01-01T00:00:00Z\n',
      '+002026-01-01T00:00:00Z',
      'tomorrow',
      // In UTC these are in the years 10000 and -1.
      '9999-12-31T23:59:59-23:59',
      '0000-01-01T00:00:00+00:01',
    ])
      expect(isRealTime(text), text).toBe(false);
  });

  test('that a calendar can write is taken, in any offset, and means the same moment', () => {
    const two = (n: number) => String(n).padStart(2, '0');
    const moment = fc.date({
      min: new Date('0001-01-02T00:00:00Z'),
      max: new Date('9999-12-30T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(moment, fc.integer({ min: -1439, max: 1439 }), (date, offset) => {
        const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1);
        const sign = offset < 0 ? '-' : '+';
        const text = `${local}${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
        expect(isRealTime(text), text).toBe(true);
        expect(Date.parse(text)).toBe(date.getTime());
      }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9999 }),
        fc.integer({ min: 0, max: 13 }),
        fc.integer({ min: 0, max: 32 }),
        (y, m, d) => {
          const text = `${String(y).padStart(4, '0')}-${two(m)}-${two(d)}T12:00:00Z`;
          const date = new Date(0);
          date.setUTCFullYear(y, m - 1, d);
          const exists = date.getUTCFullYear() === y && date.getUTCMonth() === m - 1 && date.getUTCDate() === d;
          expect(isRealTime(text), text).toBe(exists);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

test('a number in a query is decimal digits and nothing else', () => {
  for (const text of ['1', '100', '050']) expect(limit.safeParse(text).data, text).toBe(Number(text));
  expect(limit.safeParse(undefined).data).toBe(50);
  for (const text of [
    '',
    '0',
    '101',
    '0x10',
    '1e1',
    '+5',
    '-5',
    ' 10',
    '10 ',
    '1.0',
    '٣',
    'true',
    'Infinity',
    '1'.repeat(400),
  ])
    expect(limit.safeParse(text).success, text).toBe(false);
});

describe('a cursor', () => {
  const position = fc.record({
    at: fc.integer({ min: -1_000_000, max: 2 ** 46 }),
    id: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
  });
  test('is read back as what it was made of', () => {
    fc.assert(
      fc.property(position, (p) => {
        const { nextCursor } = pageOf(
          [p, p],
          1,
          (row) => row,
          () => 0,
        );
        expect(readCursor(nextCursor ?? '')).toEqual(p);
      }),
    );
  });

  test('that no list handed out is a 400 that names it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        let read: unknown;
        try {
          read = readCursor(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad_request', errors: [{ path: 'cursor' }] });
          return;
        }
        expect(read).toMatchObject({ at: expect.any(Number), id: expect.any(String) });
      }),
    );
  });
});

test('an e-mail address has no case, and no letter of another script becomes one of ours', () => {
  expect(email.parse(' Kate@Acme.example ')).toBe('kate@acme.example');
  for (const text of ['\u212aate@acme.example', 'kate@ac\u212ae.example', '\u0130da@acme.example']) {
    const { error } = email.safeParse(text);
    expect(error?.issues.map((issue) => issue.message)).toEqual(['must be an e-mail address']);
  }
});
