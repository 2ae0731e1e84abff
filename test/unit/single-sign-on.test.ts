import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideArrival, type SsoArrival } from '../../companion/domain/single-sign-on.ts';
import { localPath } from '../../companion/http/pages/form.ts';
import { createSeal } from '../../companion/identity/seal.ts';

const address = fc.constantFrom('ada@joins.example', 'ada@other.example', 'ada@evil-joins.example', undefined);
const arrival: fc.Arbitrary<SsoArrival> = fc.record({
  linked: fc.boolean(),
  addressKnown: fc.boolean(),
  awaited: fc.boolean(),
  email: address,
  emailVerified: fc.boolean(),
  domains: fc.constantFrom([], ['joins.example'], ['joins.example', 'third.example']),
  invited: address,
});

test('without a link nobody gets in by an address that is not verified, and nobody into an account that has a way in', () => {
  fc.assert(
    fc.property(arrival, (a) => {
      const decision = decideArrival(a);
      if (decision === 'sign_in') return a.linked;
      if (a.linked) return false;
      if (decision === 'first_sign_in') return a.emailVerified && a.addressKnown && a.awaited;
      if (decision === 'join_by_invitation') return a.emailVerified && !a.addressKnown && a.invited === a.email;
      if (decision === 'join_by_domain')
        return a.emailVerified && !a.addressKnown && a.email === 'ada@joins.example' && a.domains.length > 0;
      return true;
    }),
  );
});

test('where somebody goes on after signing in is always this server', () => {
  const piece = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '//',
    '@',
    ':',
    '?',
    '#',
    '%2f',
    '%5c',
    'evil.example',
    'https:',
    '\t',
    ' ',
  );
  const path = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 8 }).map((p) => `/${p.join('')}`),
  );
  fc.assert(
    fc.property(path, (next) => {
      const origin = 'https://keys.example.com';
      expect(new URL(localPath(next), origin).origin).toBe(origin);
    }),
    { numRuns: 2000 },
  );
});

test('what is sealed opens for its own purpose and key only, and not when a bit of it was changed', () => {
  const random = (n: number) => crypto.getRandomValues(new Uint8Array(n));
  const [seal, other] = [createSeal(Buffer.alloc(32, 1), random), createSeal(Buffer.alloc(32, 2), random)];
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(), (text, at) => {
      fc.pre(text.isWellFormed());
      const sealed = seal.close('a', text);
      expect(seal.open('a', sealed)).toBe(text);
      expect([seal.open('b', sealed), other.open('a', sealed)]).toEqual([undefined, undefined]);
      const bytes = Buffer.from(sealed, 'base64url');
      bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1;
      expect(seal.open('a', bytes.toString('base64url'))).toBeUndefined();
    }),
  );
  for (const nonsense of ['', 'x', 'a'.repeat(40)]) expect(seal.open('a', nonsense)).toBeUndefined();
});
