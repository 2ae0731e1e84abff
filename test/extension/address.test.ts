import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostPattern } from '../../extension/messages/origin.ts';
import { isHostName, parseAddress } from '../../shared/client/address.ts';

describe('a typed server address', () => {
  test.each([
    ['keys.acme.example', 'https://keys.acme.example'],
    ['  https://Keys.Acme.Example/  ', 'https://keys.acme.example'],
    ['https://keys.acme.example:8443/some/page?x#y', 'https://keys.acme.example:8443'],
    ['keys.acme.example:8443', 'https://keys.acme.example:8443'],
    ['HTTPS://keys.acme.example', 'https://keys.acme.example'],
    ['localhost:8787', 'http://localhost:8787'],
    ['127.0.0.1:8787', 'http://127.0.0.1:8787'],
    ['http://keys.localhost:1', 'http://keys.localhost:1'],
    ['https://localhost', 'https://localhost'],
    ['bücher.example', 'https://xn--bcher-kva.example'],
  ])('%s is %s', (typed, origin) => {
    expect(parseAddress(typed)).toMatchObject({ ok: true, origin });
  });

  test.each([
    ['', /Type the address/],
    ['   ', /Type the address/],
    ['http://keys.acme.example', /Use https/],
    ['http://127.0.0.1.evil.example', /Use https/],
    ['http://localhost.evil.example', /Use https/],
    ['http://10.0.0.4', /Use https/],
    ['ftp://keys.acme.example', /https:\/\/, not ftp/],
    ['javascript://alert', /not javascript/],
    ['https://lena:secret@keys.acme.example', /name and password/],
    ['https://', /isn’t an address/],
    ['keys acme', /isn’t an address/],
    ['http://foo bar', /isn’t an address/],
    ['http://foo%20bar', /isn’t an address/],
    ['exa_mple', /isn’t an address/],
    ['a..b', /isn’t an address/],
    ['-keys.acme.example', /isn’t an address/],
  ])('%s is refused, and the reason said', (typed, reason) => {
    const address = parseAddress(typed);
    expect(address.ok).toBe(false);
    expect(address.ok ? '' : address.message).toMatch(reason);
  });

  test.each(['foo%20bar', 'foo bar', 'exa_mple', 'a..b', '.a', '-a', 'a-', '', 'a%2fb', "a'b", 'a'.repeat(64)])(
    'the host %j is none, even where a browser’s URL takes it',
    (host) => expect(isHostName(host)).toBe(false),
  );

  test.each(['a', 'keys.acme.example', 'keys.acme.example.', '10.0.0.4', '[::1]', 'xn--bcher-kva.example', 'a-b.c1'])(
    'the host %j is one',
    (host) => expect(isHostName(host)).toBe(true),
  );

  test('whatever is typed, only https and this computer are ever accepted', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.domain()), (typed) => {
        const address = parseAddress(typed);
        if (!address.ok) return address.message.length > 0;
        const { protocol, hostname, pathname, search, username } = new URL(address.origin);
        const here = /^(localhost|127\.0\.0\.1)$|\.localhost$/.test(hostname);
        return (protocol === 'https:' || (protocol === 'http:' && here)) && pathname === '/' && !search && !username;
      }),
    );
  });

  test('the permission is for its host alone, without a port', () => {
    expect(hostPattern('http://127.0.0.1:8787')).toBe('http://127.0.0.1/*');
    expect(hostPattern('https://keys.acme.example')).toBe('https://keys.acme.example/*');
  });
});
