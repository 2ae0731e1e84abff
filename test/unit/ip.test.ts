import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileAllowlist, formatAddress, parseAddress, parseAllowlist, parseAllowlistEntry } from '../../shared/ip.ts';

const errorOf = (text: string) => {
  const entry = parseAllowlistEntry(text);
  return entry.ok ? undefined : entry.error;
};

const v4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((bytes) => bytes.join('.'));
const v6 = fc.ipV6();
const address = fc.oneof(v4, v6);

/** The bits of an address by other means than the parser's own: what `URL` makes of it. */
function bitsOf(text: string): string {
  if (!text.includes(':'))
    return text
      .split('.')
      .map((b) => Number(b).toString(2).padStart(8, '0'))
      .join('');
  const host = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const [before = '', after] = host.split('::');
  const left = before.split(':').filter(Boolean);
  const right = (after ?? '').split(':').filter(Boolean);
  return [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
    .map((g) => Number.parseInt(g, 16).toString(2).padStart(16, '0'))
    .join('');
}
const MAPPED = `${'0'.repeat(80)}${'1'.repeat(16)}`;
const plainBits = (text: string) => {
  const bits = bitsOf(text);
  return bits.startsWith(MAPPED) ? bits.slice(96) : bits;
};

describe('a line that is no address says what is wrong with it', () => {
  test.each([
    ['203.0.113.300', '203.0.113.300 isn’t an IP address. Each part goes up to 255.'],
    ['010.0.0.0/8', '010.0.0.0 isn’t an IP address. Write each part without leading zeros.'],
    ['10.0.0.0/33', 'an IPv4 range ends at /32, so /33 can’t work.'],
    ['2001:db8::/129', 'an IPv6 range ends at /128, so /129 can’t work.'],
    ['10.0.0.0/08', '10.0.0.0/08 isn’t a range. Write the number after the slash without leading zeros.'],
    ['10.0.0.0/', '10.0.0.0/ isn’t a range. A number from 0 to 32 follows the slash.'],
    ['10.0.0.0/255.0.0.0', '10.0.0.0/255.0.0.0 isn’t a range. A number from 0 to 32 follows the slash.'],
    ['10.1.2.3/8', '10.1.2.3/8 has bits set after the first 8. Did you mean 10.0.0.0/8?'],
    ['2001:db8::1/32', '2001:db8::1/32 has bits set after the first 32. Did you mean 2001:db8::/32?'],
    ['fe80::1%eth0', 'fe80::1%eth0 has a zone id. Leave out everything from the % on.'],
    ['10.0.0.1:443', '10.0.0.1:443 has a port. List the address alone.'],
    ['[2001:db8::1]:443', '[2001:db8::1]:443 has a port. List the address alone.'],
    ['[2001:db8::1]', '[2001:db8::1] has brackets. List the address alone.'],
    ['10.0.0', '10.0.0 isn’t an IP address. It needs four parts, like 203.0.113.7.'],
    ['1::2::3', '1::2::3 isn’t an IP address. :: can stand only once.'],
    ['1:2:3:4:5:6:7', '1:2:3:4:5:6:7 isn’t an IP address. It needs eight parts, or ::.'],
    ['1:2:3:4::5:6:7:8', '1:2:3:4::5:6:7:8 isn’t an IP address. It has too many parts.'],
    ['::fffff', '::fffff isn’t an IP address. Each part is one to four hexadecimal digits.'],
    ['::ffff:1.2.3.256', '::ffff:1.2.3.256 isn’t an IP address. Each part goes up to 255.'],
    [
      'office.example.com',
      'office.example.com isn’t an IP address. List addresses and ranges, like 203.0.113.7 or 10.0.0.0/8.',
    ],
    ['  ', 'This line is empty.'],
  ])('%s', (text, error) => expect(errorOf(text)).toBe(error));
});

test('every bad line has an error of its own, which names the line', () => {
  expect(parseAllowlist(['10.0.0.0/8', '203.0.113.300', '10.0.0.0/8', 'x'])).toEqual({
    canonical: ['10.0.0.0/8'],
    errors: [
      { index: 1, message: 'Line 2: 203.0.113.300 isn’t an IP address. Each part goes up to 255.' },
      { index: 3, message: expect.stringMatching(/^Line 4: x isn’t an IP address/) },
    ],
  });
});

test.each([
  [' 10.0.0.1 ', '10.0.0.1'],
  ['10.0.0.1/32', '10.0.0.1/32'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['::', '::'],
  ['::/0', '::/0'],
  ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
  ['::ffff:a00:1', '10.0.0.1'],
  ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
])('%s is kept as %s', (text, canonical) => expect(parseAllowlistEntry(text)).toEqual({ ok: true, canonical }));

test('what is an address is what Node takes for one', () => {
  const nearly = fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.'), maxLength: 40 });
  fc.assert(
    fc.property(fc.oneof(nearly, address, fc.string()), (text) => {
      fc.pre(!text.includes('%'));
      expect(parseAddress(text) !== undefined).toBe(isIPv4(text) || isIPv6(text));
    }),
    { numRuns: 2000 },
  );
});

test('reading the text of an address gives the same address, and the text has one form', () => {
  fc.assert(
    fc.property(address, (text) => {
      const parsed = parseAddress(text);
      if (!parsed) throw new Error(text);
      expect(parseAddress(formatAddress(parsed))).toEqual(parsed);
      expect(plainBits(formatAddress(parsed))).toBe(plainBits(text));
      expect(parseAllowlistEntry(formatAddress(parsed))).toEqual({ ok: true, canonical: formatAddress(parsed) });
    }),
  );
});

test('a range matches exactly the addresses of its family that share its first bits', () => {
  // Addresses that share a long start are what decides; two drawn apart would hardly ever match.
  const pair = fc.tuple(address, fc.nat(128), fc.nat(127), address).map(([base, length, flip, other]) => {
    const parsed = parseAddress(base);
    if (!parsed) throw new Error(base);
    const size = parsed.words.length * 32;
    const cut = Math.min(length, size);
    const bits = plainBits(base);
    const network = bits.slice(0, cut).padEnd(size, '0');
    const at = flip % size;
    const near = bits.slice(0, at) + (bits[at] === '1' ? '0' : '1') + bits.slice(at + 1);
    const text = (b: string) =>
      formatAddress({
        family: parsed.family,
        words: (b.match(/.{32}/g) ?? []).map((w) => Number.parseInt(w, 2)),
      });
    return {
      range: `${text(network)}/${cut}`,
      cut,
      network,
      family: parsed.family,
      candidates: [base, text(near), other],
    };
  });
  fc.assert(
    fc.property(pair, ({ range, cut, network, family, candidates }) => {
      // An IPv6 range of IPv4-mapped addresses would be IPv4: formatAddress never writes one.
      fc.pre(
        parseAllowlistEntry(range).ok && !(family === 6 && bitsOf(range.split('/')[0] as string).startsWith(MAPPED)),
      );
      const matches = compileAllowlist([range]);
      for (const candidate of candidates) {
        const bits = plainBits(candidate);
        const same = (bits.length === 32 ? 4 : 6) === family;
        expect(matches(candidate), `${range} and ${candidate}`).toBe(
          same && bits.slice(0, cut) === network.slice(0, cut),
        );
      }
    }),
    { numRuns: 1000 },
  );
});

test('an IPv4-mapped address is IPv4 in rule and request, and the families never mix', () => {
  const ten = compileAllowlist(['10.0.0.0/8']);
  expect(ten('::ffff:10.1.2.3')).toBe(true);
  expect(ten('::ffff:a01:203')).toBe(true);
  expect(ten('::10.1.2.3')).toBe(false);
  expect(compileAllowlist(['::ffff:10.0.0.0/104'])('10.9.9.9')).toBe(true);
  // The whole of the mapped addresses is the whole of IPv4.
  const all = compileAllowlist(['::ffff:0:0/96']);
  expect([all('10.0.0.1'), all('::ffff:10.0.0.1'), all('::1')]).toEqual([true, true, false]);
  expect(compileAllowlist(['::/0'])('10.0.0.1')).toBe(false);
  expect(compileAllowlist(['::/0'])('::ffff:10.0.0.1')).toBe(false);
  expect(compileAllowlist(['0.0.0.0/0'])('2001:db8::1')).toBe(false);
  expect(compileAllowlist(['10.0.0.0/8'])('not an address')).toBe(false);
  expect(compileAllowlist([])('10.0.0.1')).toBe(true);
});

test('a link-local address matches with the zone id that a socket gives it, and no other address does with one', () => {
  const allows = compileAllowlist(['fe80::/10', '10.0.0.0/8', '2001:db8::/32']);
  expect(['fe80::1', 'fe80::fc:ff:fe00:1%eth0', 'FEBF::1%12'].filter((text) => !allows(text))).toEqual([]);
  const others = [
    'fe80::1%',
    '%eth0',
    'fe80::1%eth0%1',
    '10.0.0.1%eth0',
    '2001:db8::1%eth0',
    'fec0::1%eth0',
    'fe80::x%eth0',
  ];
  expect(others.filter(allows)).toEqual([]);
});
