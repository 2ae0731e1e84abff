import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { browserLabel } from '../../extension/background/label.ts';
import { challengeOf, randomText } from '../../extension/background/pkce.ts';
import { connectQuery, matchCode } from '../../shared/connect.ts';

describe('proof of possession while connecting', () => {
  test('the challenge is that of RFC 7636, appendix B', async () => {
    expect(await challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe(
      'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    );
  });

  test('verifier and state are 43 characters that a URL carries as they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) =>
        /^[A-Za-z0-9_-]{43}$/.test(randomText(() => bytes)),
      ),
    );
  });

  test('both ends show the same eight letters, which spell no word', async () => {
    const challenge = await challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk');
    expect(matchCode(challenge)).toBe(matchCode(challenge));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) =>
        /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/.test(matchCode(randomText(() => bytes))),
      ),
    );
  });

  test('a request for anything but S256 is not one', () => {
    const good = {
      client: 'extension',
      label: 'Chrome 142 on macOS',
      state: 'a'.repeat(43),
      code_challenge: 'b'.repeat(43),
      code_challenge_method: 'S256',
    };
    expect(connectQuery.safeParse(good).success).toBe(true);
    for (const change of [
      { code_challenge_method: 'plain' },
      { state: '' },
      { client: 'web' },
      { label: 'a\u202eb' },
    ]) {
      expect(connectQuery.safeParse({ ...good, ...change }).success).toBe(false);
    }
  });
});

describe('the name of a browser', () => {
  test.each([
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
      'mac',
      'Chrome 142 on macOS',
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0', 'linux', 'Firefox 153 on Linux'],
    ['Mozilla/5.0 … Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0', 'win', 'Edge 142 on Windows'],
    ['something else', 'plan9', 'Browser on plan9'],
  ])('%s on %s is %s', (userAgent, os, label) => {
    expect(browserLabel(userAgent, os)).toBe(label);
  });
});
