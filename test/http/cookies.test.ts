import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpoints } from '../../shared/contract/index.ts';
import { authenticator } from '../support/authenticator.ts';
import { call } from '../support/client.ts';
import { type HostileProvider, hostileProvider } from '../support/hostile-provider.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

let idp: HostileProvider;
beforeAll(async () => {
  idp = await hostileProvider();
});
afterAll(() => idp.close());

const FORM = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };

/** What a browser is told about each cookie of an answer. */
const parse = (headers: Headers) =>
  headers.getSetCookie().map((text) => {
    const [line = '', ...attributes] = text.split('; ');
    const life = attributes.filter((a) => /^(Max-Age|Expires)=/.test(a));
    return {
      line,
      name: line.slice(0, line.indexOf('=')),
      life,
      attributes: attributes.filter((a) => !life.includes(a)),
    };
  });

describe.each([
  ['http', 'http://keys.acme.example', '', []],
  ['https', 'https://keys.acme.example', '__Host-', ['Secure']],
])('over %s', (_, publicUrl, prefix, secure) => {
  let s: Scenario;
  beforeAll(async () => {
    s = await scenario({ HEEX_PUBLIC_URL: publicUrl });
    const client = { issuer: idp.issuer, clientId: 'heex-keys', clientSecret: 'client secret for tests 0123456789' };
    await s.as(s.owner, 'PUT', 'W/sso', { ...client, name: 'Acme SSO', domains: [] });
  });
  afterAll(() => s.end());

  async function cookies(method: string, path: string, headers: Record<string, string>, body?: string) {
    const response = await fetch(s.url + path, { method, redirect: 'manual', headers, ...(body ? { body } : {}) });
    return parse(response.headers);
  }
  const form = (path: string, fields: Record<string, string>, cookie = '') =>
    cookies('POST', path, { ...FORM, cookie }, new URLSearchParams(fields).toString());
  const shared = (sameSite: string) => ['Path=/', 'HttpOnly', ...secure, `SameSite=${sameSite}`];

  test('the session is out of reach of scripts, of other sites’ forms and of neighbouring hosts, until it is cleared', async () => {
    const [given] = await form('/signin', { email: s.owner.email, password: s.owner.password });
    const [cleared] = await form('/signout', {}, given?.line);
    for (const cookie of [given, cleared])
      expect(cookie).toMatchObject({ name: `${prefix}heex_session`, attributes: shared('Lax') });
    expect(cleared?.life).toEqual(['Max-Age=0']);
  });

  test('what a browser carries during single sign-on is too, comes back from the provider, and is taken away there', async () => {
    const start = { workspaceId: s.workspaceId, purpose: 'sign_in', next: '/' };
    const [carried] = await form('/sso/start', start);
    const [taken] = await cookies('GET', '/sso/callback?code=x&state=y', { cookie: carried?.line ?? '' });
    for (const cookie of [carried, taken])
      expect(cookie).toMatchObject({ name: `${prefix}heex_sso`, attributes: shared('Lax') });
    expect([carried?.life, taken?.life]).toEqual([['Max-Age=600'], ['Max-Age=0']]);
  });

  test('what it carries while a passkey is asked for is sent by our own pages only, and is taken away', async () => {
    const { link } = (await s.as(s.owner, 'POST', 'W/invitations', { email: 'gil@acme.example', role: 'member' })).body;
    const person = { token: new URL(link).hash.slice(1), name: 'Gil' };
    const asked = await call(s.url, 'POST', '/v1/passkeys/join/options', { body: person });
    const [carried] = parse(asked.headers);
    const credential = authenticator(publicUrl).create(asked.body.publicKey);
    const headers = { cookie: carried?.line ?? '' };
    const joined = await call(s.url, 'POST', '/v1/passkeys/join', { body: { ...person, credential }, headers });
    const [taken, session] = parse(joined.headers);
    for (const cookie of [carried, taken])
      expect(cookie).toMatchObject({ name: `${prefix}heex_passkey`, attributes: shared('Strict') });
    expect([carried?.life, taken?.life]).toEqual([['Max-Age=300'], ['Max-Age=0']]);
    expect(session).toMatchObject({ name: `${prefix}heex_session`, attributes: shared('Lax') });
  });
});

describe('with the cookie of a browser', () => {
  let s: Scenario;
  let cookie: string;
  beforeAll(async () => {
    s = await scenario();
    const body = new URLSearchParams({ email: s.owner.email, password: s.owner.password }).toString();
    const signIn = await fetch(`${s.url}/signin`, { method: 'POST', redirect: 'manual', headers: FORM, body });
    cookie = signIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  });
  afterAll(() => s.end());

  const changing = endpoints.filter((e) => e.method !== 'GET' && /^(optional_)?session$/.test(e.credential));
  test.each(changing.map((e) => [e.id, e] as const))(
    '%s is refused when another site sends it',
    async (_, endpoint) => {
      const path = endpoint.path.replace(':workspaceId', s.workspaceId).replaceAll(/:\w+/g, 'nobody_here');
      for (const from of [
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: 'https://evil.example' },
      ]) {
        const { status, body } = await call(s.url, endpoint.method, path, {
          headers: { cookie, ...from } as Record<string, string>,
        });
        expect([status, body.detail]).toEqual([403, 'This request comes from another site.']);
      }
    },
  );

  test('a page may show what another site asks for, since nothing but our own pages can read it', async () => {
    const { status, headers } = await call(s.url, 'GET', '/v1/me', {
      headers: { cookie, 'sec-fetch-site': 'cross-site' },
    });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([200, null]);
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
  });
});

test('another site can’t have a browser join by its own passkey', async () => {
  const s = await scenario({ HEEX_PUBLIC_URL: 'http://keys.acme.example' });
  const { link } = (await s.as(s.owner, 'POST', 'W/invitations', { email: 'gil@acme.example', role: 'member' })).body;
  const person = { token: new URL(link).hash.slice(1), name: 'Gil' };
  const asked = await call(s.url, 'POST', '/v1/passkeys/join/options', { body: person });
  const headers = (site: string) => ({
    cookie: asked.headers.getSetCookie()[0]?.split(';')[0] ?? '',
    'sec-fetch-site': site,
  });
  const credential = authenticator('http://keys.acme.example').create(asked.body.publicKey);
  const join = (site: string) =>
    call(s.url, 'POST', '/v1/passkeys/join', { body: { ...person, credential }, headers: headers(site) });
  expect([(await join('cross-site')).status, (await join('same-site')).status]).toEqual([403, 403]);
  expect((await join('same-origin')).status).toBe(201);
  await s.end();
});

test('pages take scripts, styles and forms from this server alone, and answers of the API nothing', async () => {
  const s = await scenario();
  const policy = async (path: string) => (await fetch(s.url + path)).headers.get('content-security-policy');
  expect(await policy('/signin')).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
  for (const path of ['/v1/me', '/openapi.json', '/assets/reveal.js', '/nothing'])
    expect([path, await policy(path)]).toEqual([path, "default-src 'none'; frame-ancestors 'none'"]);
  await s.end();
});
