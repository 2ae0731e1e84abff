import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold } from '../../companion/domain/names.ts';
import { description, name } from '../../shared/contract/fields.ts';

describe('a name', () => {
  const read = (text: string) => {
    const result = name.safeParse(text);
    return result.success ? result.data : result.error.issues.map((issue) => issue.message);
  };

  test.each([
    ['ab', 'ab'],
    ['  prod-main-app ', 'prod-main-app'],
    ['Schlüssel für 日本 🔑', 'Schlüssel für 日本 🔑'],
    ['e\u0301te\u0301', 'été'],
    ['🔑🔑', '🔑🔑'],
    ['x'.repeat(200), 'x'.repeat(200)],
    ['🔑'.repeat(200), '🔑'.repeat(200)],
  ])('%j is taken', (text, kept) => expect(read(text)).toBe(kept));

  test.each([
    ['', 'use at least 2 characters'],
    ['a', 'use at least 2 characters'],
    [' a ', 'use at least 2 characters'],
    ['🔑', 'use at least 2 characters'],
    ['x'.repeat(201), 'use at most 200 characters'],
    ['\u200b\u200b\u200b', 'must have visible characters'],
    ['\u2060\ufeff\u00ad\u200d', 'must have visible characters'],
    ['\u3164\u3164', 'must have visible characters'],
    ['\u2800\u2800', 'must have visible characters'],
    ['\u0301\u0301', 'must have visible characters'],
    ['\ufe0f\u{e0061}\u{e007f}', 'must have visible characters'],
    ['prod\u0000app', 'must not have control characters'],
    ['prod\napp', 'must not have control characters'],
    ['prod-app\n', 'must not have control characters'],
    ['\tprod-app', 'must not have control characters'],
    ['prod\u0085app', 'must not have control characters'],
    ['prod\u2028app', 'must not have control characters'],
    ['prod\u202egpj', 'must not have characters that change the direction of writing'],
    ['prod\u2066app', 'must not have characters that change the direction of writing'],
    ['a\ud800b', 'must be valid Unicode'],
  ])('%j is refused', (text, message) => expect(read(text)).toEqual([message]));
});

test('longer text keeps its lines, however they were ended, and no other control characters', () => {
  expect(description.parse(' one\r\ntwo\rthree\n\tfour\n')).toBe('one\ntwo\nthree\n\tfour');
  for (const bad of ['a\u0000b', 'a\u001bb', 'a\u202eb']) expect(description.safeParse(bad).success).toBe(false);
});

describe('names as they are compared', () => {
  test.each([
    ['Prod-App', 'prod-APP'],
    ['Straße', 'STRASSE'],
    ['ＡＢＣ１', 'abc1'],
    ['été', 'E\u0301TE\u0301'],
    ['ΟΔΟΣ', 'οδος'],
    ['pro\u00add-app', 'prod-\u200bapp'],
    ['ﬁle', 'FILE'],
  ])('%s and %s are the same', (a, b) => expect(fold(a)).toBe(fold(b)));

  test('case makes no difference, and folding what is folded changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (text) => {
        expect(fold(fold(text))).toBe(fold(text));
        expect(fold(text.toUpperCase())).toBe(fold(text));
        expect(fold(text.normalize('NFD'))).toBe(fold(text.normalize('NFC')));
      }),
      { numRuns: 1000 },
    );
  });

  test('a part of a name is found in the whole, whatever its case', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), fc.string({ unit: 'grapheme-ascii' }), (a, b) => {
        expect(fold(a + b).includes(fold(b.toUpperCase()))).toBe(true);
      }),
    );
  });
});
