import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { weaknessOfKey } from '../../companion/domain/agent.ts';
import { backoff } from '../../examples/agent/backoff.ts';

// The curve of Ed25519 (RFC 8032, 5.1), in plain big integers: to derive what the companion only has a list of.
const P = 2n ** 255n - 19n;
const mod = (a: bigint) => ((a % P) + P) % P;
function power(base: bigint, exponent: bigint): bigint {
  let [result, b] = [1n, mod(base)];
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = mod(result * b);
    b = mod(b * b);
  }
  return result;
}
const inverse = (a: bigint) => power(a, P - 2n);
const D = mod(-121665n * inverse(121666n));
type Point = [bigint, bigint];
function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const c = mod(D * x1 * x2 * y1 * y2);
  return [mod((x1 * y2 + x2 * y1) * inverse(1n + c)), mod((y1 * y2 + x1 * x2) * inverse(mod(1n - c)))];
}
function xOf(y: bigint): bigint | undefined {
  const square = mod((y * y - 1n) * inverse(mod(D * y * y + 1n)));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * power(2n, (P - 1n) / 4n));
  return mod(x * x) === square ? x : undefined;
}
const bytesOf = (y: bigint) => Uint8Array.from({ length: 32 }, (_, i) => Number((y >> BigInt(8 * i)) & 0xffn));
const eightTimes = (p: Point) => [0, 0, 0].reduce((q) => add(q, q), p);

/** The eight points whose order divides eight: L times any point is one of them. */
function torsion(): Set<bigint> {
  const L = 2n ** 252n + 27742317777372353535851937790883648493n;
  const found = new Set<bigint>();
  for (let y = 2n; found.size < 5; y++) {
    const x = xOf(y);
    if (x === undefined) continue;
    let [sum, double]: [Point, Point] = [
      [0n, 1n],
      [x, y],
    ];
    for (let e = L; e > 0n; e >>= 1n) {
      if (e & 1n) sum = add(sum, double);
      double = add(double, double);
    }
    found.add(sum[1]);
  }
  return found;
}

test('every public key of small order is refused, in every form of it', () => {
  for (const y of torsion()) {
    expect(eightTimes([xOf(y) as bigint, y])).toEqual([0n, 1n]);
    const bytes = bytesOf(y);
    const negative = Uint8Array.from(bytes);
    negative[31] = (negative[31] as number) | 0x80;
    expect([weaknessOfKey(bytes), weaknessOfKey(negative)]).toEqual(
      Array(2).fill('is a point of small order: anybody could sign for it'),
    );
    // The same point, written a second way.
    if (y + P < 2n ** 255n) expect(weaknessOfKey(bytesOf(y + P))).toContain('canonical');
  }
});

test('no key that a library makes is taken for a weak one', () => {
  for (let i = 0; i < 50; i++) {
    const { x } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
    expect(weaknessOfKey(Buffer.from(x as string, 'base64url'))).toBeUndefined();
  }
});

test('an agent waits anything from nothing to twice as long with every failure, and at most a minute', () => {
  expect([0, 1, 2, 3, 10, 10_000].map((failures) => backoff(failures, 1))).toEqual([2e3, 4e3, 8e3, 16e3, 6e4, 6e4]);
  expect(backoff(10, 0)).toBe(0);
  expect(backoff(1, 0.5)).toBe(2_000);
});
