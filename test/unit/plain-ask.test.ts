import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readPlainAsk } from '../../companion/http/hot/ask.ts';
import { parseStrictJson } from '../../companion/http/json.ts';
import { validate } from '../../companion/http/validate.ts';
import { verifyBody } from '../../shared/contract/verify.ts';

/** What the general reader makes of it: a value, or undefined for a refusal. */
function general(text: string): unknown {
  try {
    return validate(verifyBody, parseStrictJson(Buffer.from(text)));
  } catch {
    return undefined;
  }
}

const word = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ maxLength: 600 }),
  fc.constantFrom('', 'a:b', 'customers:read', 'x"y', 'x\\y'),
);
const value = fc.oneof(
  word,
  word,
  fc.integer(),
  fc.constant(null),
  fc.array(fc.oneof(word, fc.constant('a:b'), fc.integer()), { maxLength: 102 }),
  fc.object({ maxDepth: 1 }),
);
const member = fc.tuple(
  fc.oneof(
    fc.constantFrom('key', 'permissions', 'customer', 'ip', 'userAgent', '__proto__', 'toString', 'extra'),
    word,
  ),
  value,
);
/** Members as text, so that one may stand twice. */
const body = fc
  .array(member, { maxLength: 6 })
  .map((members) => `{${members.map(([n, v]) => `${JSON.stringify(n)}:${JSON.stringify(v)}`).join(',')}}`);

test('the short way of reading a body gives what the general one gives, or nothing', () => {
  fc.assert(
    fc.property(fc.oneof(body, fc.json(), fc.string()), (text) => {
      const plain = readPlainAsk(Buffer.from(text));
      if (plain !== undefined) expect(general(text)).toEqual(plain);
    }),
    { numRuns: 3_000 },
  );
});

test('and it does give the plain bodies that services send', () => {
  const plain = fc.record(
    {
      key: fc.stringMatching(/^[ -!#-[\]-}]{0,2000}$/),
      permissions: fc.array(fc.stringMatching(/^[a-z][a-z0-9_.-]{0,62}:[a-z][a-z0-9_.-]{0,62}$/), { maxLength: 5 }),
      customer: fc.stringMatching(/^[!#-[\]-}]{1,128}$/),
      ip: fc.ipV4(),
      userAgent: fc.stringMatching(/^[ -!#-[\]-}]{0,64}$/),
    },
    { requiredKeys: ['key'] },
  );
  fc.assert(
    fc.property(plain, (ask) => {
      expect(readPlainAsk(Buffer.from(JSON.stringify(ask)))).toEqual({ ...ask });
    }),
  );
});

test.each([
  '{"key":"a","key":"b"}',
  '{"key":1,"key":"b"}',
  '{"permissions":["a:b"],"permissions":["a:b"],"key":"x"}',
  '[]',
  'null',
  '{}',
  '\ufeff{"key":"a"}',
  '{"key":"\\u0061"}',
])('left to the general reader: %s', (text) => {
  expect(readPlainAsk(Buffer.from(text))).toBeUndefined();
});
