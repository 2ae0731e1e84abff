import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Refusal } from '../../companion/domain/refusal.ts';
import { parseStrictJson } from '../../companion/http/json.ts';

const parse = (text: string) => parseStrictJson(new TextEncoder().encode(text));

test('whatever JSON.stringify writes is read back as it was', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const text = JSON.stringify(value);
      if (!/\\u[dD][89a-fA-F]/.test(text)) expect(parse(text)).toEqual(JSON.parse(text));
    }),
  );
});

test.each([
  ['a member that is there twice', '{"a":1,"b":{"c":1,"c":2}}', 'b.c'],
  ['a member twice inside of lists', '[{},[1,{"a":[0,2,{"b":{},"b":1}]}]]', '1.1.a.2.b'],
  ['the same member, once escaped', '{"key":1,"k\\u0065y":2}', 'key'],
  ['a member twice behind a tricky string', '{"a":"\\"}{,\\\\","b":[{"x":1},{"x":1}],"a":1}', 'a'],
])('%s is refused by name', (_, text, path) => {
  expect(() => parse(text)).toThrow(
    expect.objectContaining({ code: 'bad_request', errors: [{ path, message: 'is there more than once' }] }),
  );
});

test('the same member in two objects is fine', () => {
  expect(parse('[{"x":1},{"x":[{"x":2}]}]')).toEqual([{ x: 1 }, { x: [{ x: 2 }] }]);
});

test('a byte-order mark, invalid UTF-8, a lone surrogate and text after the value are refused', () => {
  const bad = [
    Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d),
    Uint8Array.of(0x22, 0xff, 0x22),
    new TextEncoder().encode('{"a":["\\ud800"]}'),
    new TextEncoder().encode('{} {}'),
  ];
  for (const bytes of bad) expect(() => parseStrictJson(bytes)).toThrow(Refusal);
  expect(parse('"\\ud83d\\ude00"')).toBe('😀');
});

test.each([
  ['lists', `{"key":"\\u0041","x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
  ['objects', `{"key":"\\u0041","x":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`],
])('%s within one another without end are refused, and are no fault of ours', (_, text) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'bad_request' }));
});
