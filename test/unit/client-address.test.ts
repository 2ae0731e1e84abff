import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientAddress, parseTrustedProxies, type TrustedProxies } from '../../companion/domain/client-address.ts';
import { Refusal } from '../../companion/domain/refusal.ts';

const trust = (text: string): TrustedProxies => {
  const parsed = parseTrustedProxies(text);
  if (parsed.kind === 'wrong') throw new Error(parsed.why);
  return parsed;
};

test('without trusted proxies the peer is the client, whatever is forwarded', () => {
  expect(clientAddress('198.51.100.1', '10.0.0.1', trust(''))).toBe('198.51.100.1');
  expect(clientAddress('198.51.100.1', 'nonsense', trust('0'))).toBe('198.51.100.1');
});

describe('a list of ranges', () => {
  const ranges = trust('10.0.0.0/8, 2001:db8::/32 127.0.0.1');
  test.each([
    ['203.0.113.9', '1.2.3.4', '203.0.113.9', 'an untrusted peer is the client'],
    ['10.0.0.1', undefined, '10.0.0.1', 'nothing was forwarded'],
    ['10.0.0.1', '203.0.113.9', '203.0.113.9', 'one hop'],
    ['10.0.0.1', '1.1.1.1, 203.0.113.9', '203.0.113.9', 'what the client claims stands further left'],
    ['10.0.0.1', '1.1.1.1, 203.0.113.9,10.9.9.9', '203.0.113.9', 'trusted hops are passed over'],
    ['10.0.0.1', '10.1.1.1, 10.2.2.2', '10.1.1.1', 'all are trusted'],
    ['2001:db8::1', '2001:DB8:0::2, 2001:470::0:1', '2001:470::1', 'IPv6, in its one text'],
    ['127.0.0.1', '::ffff:203.0.113.9', '203.0.113.9', 'IPv4 in IPv6 is IPv4'],
    ['10.0.0.1', 'unknown, , 203.0.113.9, 10.9.9.9', '203.0.113.9', 'what the client claims may be anything'],
  ] as [string, string | undefined, string, string][])('%s with %s: %s (%s)', (peer, forwarded, client, _why) => {
    expect(clientAddress(peer, forwarded, ranges)).toBe(client);
  });
  test.each(['nonsense', '', '1.2.3.4,', '1.2.3.4, unknown', '1.2.3.4:80', '[::1]', '1.2.3', '010.1.1.1', '"1.2.3.4"'])(
    'an entry that is no address refuses the request: %s',
    (forwarded) => {
      expect(() => clientAddress('10.0.0.1', forwarded, ranges)).toThrow(Refusal);
    },
  );
});

describe('a number of hops', () => {
  test.each([
    [1, '1.1.1.1, 2.2.2.2', '2.2.2.2'],
    [2, '1.1.1.1, 2.2.2.2', '1.1.1.1'],
    [2, '9.9.9.9, 1.1.1.1, 2.2.2.2', '1.1.1.1'],
    [3, '1.1.1.1', '127.0.0.1'],
    [2, '1.1.1.1', '127.0.0.1'],
    [1, 'unknown, 1.1.1.1', '1.1.1.1'],
  ])('%i of %s: %s', (hops, forwarded, client) => {
    expect(clientAddress('127.0.0.1', forwarded, trust(String(hops)))).toBe(client);
  });
});

test('what a client writes into the header never moves its address', () => {
  const claim = fc.oneof(fc.ipV4(), fc.string());
  fc.assert(
    fc.property(fc.array(claim), (forged) => {
      const forwarded = [...forged, '203.0.113.9'].join(', ');
      expect(clientAddress('10.0.0.1', forwarded, trust('10.0.0.0/8'))).toBe('203.0.113.9');
      expect(clientAddress('10.0.0.1', forwarded, trust('1'))).toBe('203.0.113.9');
    }),
  );
});

test.each(['11', '10.0.0.0/33', '10.0.0.1/8', 'proxy.example', '1 2', '-1', '::1%eth0'])(
  '%s is refused at the start',
  (text) => {
    expect(parseTrustedProxies(text).kind).toBe('wrong');
  },
);
