import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  checksum,
  ENVIRONMENTS,
  isToken,
  makeKey,
  makeToken,
  parseKey,
  prefixOf,
  randomBase62,
  redact,
} from '../../shared/key-format.ts';

test("the checksum is that of GitHub's tokens", () => {
  expect(checksum('zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ')).toBe('0mLq17');
});

test('a key says its environment and prefix, and any one changed character is noticed', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ENVIRONMENTS), fc.nat(), fc.constantFrom(...'0Aa_-é '), (environment, at, other) => {
      const key = makeKey(environment, randomBytes);
      expect(key).toMatch(/^heex_(prod|stag|dev)_[0-9A-Za-z]{46}$/);
      expect(parseKey(key)).toEqual({ environment, prefix: key.slice(0, key.lastIndexOf('_') + 9) });
      expect(prefixOf(key)).toBe(parseKey(key)?.prefix);
      const spot = at % key.length;
      const changed = key.slice(0, spot) + other + key.slice(spot + 1);
      if (changed !== key) expect(parseKey(changed)).toBeUndefined();
      for (const wrong of [`${key} `, `${key}\n`, key.slice(0, -1), key.toUpperCase(), ''])
        expect(parseKey(wrong)).toBeUndefined();
    }),
  );
});

test('random characters are drawn without bias: bytes that would favour some are drawn again', () => {
  const bytes = [248, 255, 0, 61, 62, 247];
  const source = (n: number) => Uint8Array.from({ length: n }, () => bytes.shift() ?? 1);
  expect(randomBase62(source, 4)).toBe('0z0z');
});

test('a token of one kind is never one of another, nor a key', () => {
  const token = makeToken('session', randomBytes);
  expect(isToken('session', token)).toBe(true);
  expect(isToken('verifier', token)).toBe(false);
  expect(parseKey(token)).toBeUndefined();
  expect(isToken('session', makeKey('production', randomBytes))).toBe(false);
});

test('what is logged shows at most the prefix of a secret', () => {
  for (const secret of [
    makeKey('staging', randomBytes),
    makeToken('session', randomBytes),
    makeToken('verifier', randomBytes),
    makeToken('scim', randomBytes),
  ]) {
    const line = redact(`{"a":"x ${secret} y","b":"Bearer ${secret}"}`);
    expect(line).not.toContain(secret);
    expect(line).toContain(`${prefixOf(secret)}…`);
  }
});
