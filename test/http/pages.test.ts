import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROBLEMS } from '../../shared/contract/errors.ts';
import { endpoints } from '../../shared/contract/index.ts';
import { visitor } from '../support/browserless.ts';
import { call } from '../support/client.ts';
import { SETUP_TOKEN, type TestCompanion, testCompanion } from '../support/companion.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let fresh: TestCompanion;
beforeAll(async () => {
  [s, fresh] = await Promise.all([scenario(), testCompanion()]);
});
afterAll(() => Promise.all([s.end(), fresh.end()]));

const credentials = () => ({ email: s.owner.email, password: s.owner.password });
const invitationFor = async (email: string) => {
  const { body } = await s.as(s.owner, 'POST', 'W/invitations', { email, role: 'member' });
  return new URL(body.link).hash.slice(1);
};

test('setting up by the page signs the owner in; wrong fields are named and kept, the password never', async () => {
  const v = visitor(fresh.url);
  expect((await v.get('/')).location).toBe('/signin');
  expect((await v.get('/signin')).location).toBe('/setup');
  const form = { token: SETUP_TOKEN, workspace: 'Acme <b>', name: 'Lena', email: 'lena', password: 'swordfish' };
  const wrong = await v.submit('/setup', form);
  expect(wrong.status).toBe(400);
  expect(wrong.html).toContain('Acme &lt;b&gt;');
  expect(wrong.html).toContain('id="email-error"');
  expect(wrong.html).toContain('Use at least 10 characters.');
  // Said once: the rule is in the error.
  expect(wrong.html).not.toContain('10 characters or more.');
  expect((await v.get('/setup')).html).toContain('10 characters or more.');
  expect(wrong.html).not.toContain('swordfish');
  const right = { ...form, email: 'lena@acme.example', password: 'correct horse battery' };
  expect((await v.submit('/setup', { ...right, token: 'another' })).status).toBe(401);
  const done = await v.submit('/setup', right);
  expect([done.status, done.location]).toEqual([303, '/']);
  expect((await v.get('/')).html).toContain('lena@acme.example');
  expect((await v.get('/setup')).status).toBe(409);
});

test('every page forbids inline script and style, framing and caching, and brings none', async () => {
  const v = visitor(s.url);
  const token = await invitationFor('csp@acme.example');
  const signIn = await v.submit('/signin', credentials());
  expect(signIn.headers.get('set-cookie')).toMatch(
    /^heex_session=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
  );
  const answers = [
    await v.get('/'),
    await visitor(s.url).get('/signin'),
    await v.get('/setup'),
    await v.get('/accept'),
    await visitor(s.url).submit('/accept/open', { token }),
    await v.get(`/connect?${connectQuery}`),
    await v.get('/connect/done'),
    await v.get('/docs'),
  ];
  for (const { html, headers } of answers) {
    expect(html).toMatch(/^<!doctype html>/);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(html).not.toMatch(/ style=| on[a-z]+="|<style|<script>|javascript:/);
    for (const [, path] of html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g))
      expect((await v.get(path as string)).status).toBe(200);
  }
});

test('assets are named files and nothing else of the disk', async () => {
  const v = visitor(s.url);
  const sheet = await v.get('/assets/tokens.css');
  expect(sheet.headers.get('content-type')).toBe('text/css; charset=utf-8');
  expect((await v.get('/assets/tokens.css', { 'if-none-match': sheet.headers.get('etag') ?? '' })).status).toBe(304);
  for (const path of ['/assets/nope.css', '/assets/..%2findex.ts', '/assets/%2e%2e/index.ts', '/assets/'])
    expect((await v.get(path)).status).toBe(404);
  expect(readdirSync('companion/http/pages/assets').length).toBeGreaterThan(3);
});

test('signing in goes on to a path of ours only', async () => {
  for (const [next, to] of [
    ['/connect?client=x', '/connect?client=x'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['/%0d%0aSet-Cookie:x', '/%0d%0aSet-Cookie:x'],
    ['/a\r\nSet-Cookie: x=y', '/'],
    ['javascript:alert(1)', '/'],
    ['/x//y', '/x//y'],
  ] as const) {
    const done = await visitor(s.url).submit('/signin', { ...credentials(), next });
    expect([next, done.status, done.location]).toEqual([next, 303, to]);
  }
  const v = visitor(s.url);
  await v.submit('/signin', credentials());
  expect((await v.get('/signin?next=//evil.example')).location).toBe('/');
});

test('a wrong password and an unknown address look the same, and the address is kept', async () => {
  const [wrong, unknown] = [
    await visitor(s.url).submit('/signin', { email: s.owner.email, password: 'not this one' }),
    await visitor(s.url).submit('/signin', { email: 'nobody@acme.example', password: 'not this one' }),
  ];
  expect([wrong.status, unknown.status]).toEqual([401, 401]);
  expect(wrong.html.replaceAll(s.owner.email, '')).toBe(unknown.html.replaceAll('nobody@acme.example', ''));
  expect(wrong.html).toContain(`value="${s.owner.email}"`);
  expect(wrong.html).not.toContain('not this one');
});

test('who tries too often is told when it goes on: what the header says, in words', async () => {
  const guess = () => visitor(s.url).submit('/signin', { email: 'tried@acme.example', password: 'not this one' });
  let answer = await guess();
  for (let tries = 1; tries < 20 && answer.status === 401; tries++) answer = await guess();
  expect(answer.status).toBe(429);
  expect(answer.html).toMatch(
    new RegExp(`Too many attempts\\.</b> Try again in ${answer.headers.get('retry-after')} seconds?\\.`),
  );
});

test('a form that another site sends does nothing, with a session or without', async () => {
  const v = visitor(s.url);
  await v.submit('/signin', credentials());
  const token = v.cookies.get('heex_session') ?? '';
  const me = () => call(s.url, 'GET', '/v1/me', { token });
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': '', origin: 'https://evil.example' },
    { 'sec-fetch-site': '', origin: 'null' },
  ]) {
    const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value));
    const send = async (path: string, form: Record<string, string>) =>
      (
        await fetch(s.url + path, {
          method: 'POST',
          redirect: 'manual',
          headers: { cookie: `heex_session=${token}`, ...sent },
          body: new URLSearchParams(form),
        })
      ).status;
    expect(await send('/signout', {})).toBe(403);
    expect(await send('/signin', credentials())).toBe(403);
    expect(await send('/sessions/end', { id: 'current' })).toBe(403);
    expect(await send(`/connect`, { ...Object.fromEntries(connectQuery), decision: 'approve' })).toBe(403);
    // The same cookie on the API.
    const api = await call(s.url, 'DELETE', '/v1/sessions/current', {
      headers: { cookie: `heex_session=${token}`, ...sent },
    });
    expect(api.status).toBe(403);
    expect((await me()).status).toBe(200);
  }
  expect((await v.submit('/signout', {})).location).toBe('/signin');
  expect((await me()).status).toBe(401);
});

test('a form that is refused is told so in words of its own, not in those of the API', async () => {
  const v = visitor(s.url);
  const foreign = await v.submit('/signin', credentials(), { 'sec-fetch-site': 'cross-site' });
  expect(foreign.status).toBe(403);
  expect(foreign.html).toContain('This form was sent by another site');
  expect(foreign.html).not.toContain('role');
  const send = (type: string, body: string | Uint8Array<ArrayBuffer>) =>
    fetch(`${s.url}/signin`, {
      method: 'POST',
      headers: { origin: s.url, 'sec-fetch-site': 'same-origin', 'content-type': type },
      body,
    });
  const json = await send('application/json', '{}');
  expect(json.status).toBe(415);
  const page = await json.text();
  expect(page).toContain('This form can’t be read');
  expect(page).not.toContain('application/json');
  const form = 'application/x-www-form-urlencoded';
  expect((await send(form, Uint8Array.from([...Buffer.from('email='), 0xff]))).status).toBe(400);
  expect((await send(form, 'email=a&email=b')).status).toBe(400);
});

test('over https the cookie is bound to the host and sent over https only', async () => {
  const secure = await testCompanion({ HEEX_PUBLIC_URL: 'https://keys.acme.example' });
  const form = {
    token: SETUP_TOKEN,
    workspace: 'A',
    name: 'B',
    email: 'b@c.example',
    password: 'correct horse battery',
  };
  const v = visitor(secure.url);
  const done = await v.submit('/setup', form);
  expect(done.headers.get('set-cookie')).toMatch(
    /^__Host-heex_session=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
  );
  const token = v.cookies.get('__Host-heex_session') ?? '';
  // A cookie without the prefix may come from a neighbouring host: it counts for nothing.
  const planted = await fetch(`${secure.url}/`, { redirect: 'manual', headers: { cookie: `heex_session=${token}` } });
  expect(planted.headers.get('location')).toBe('/signin');
  expect((await v.get('/')).status).toBe(200);
  await secure.end();
});

test('the account page lists sessions and ends one; signing in again in the same browser replaces its session', async () => {
  const [v, w] = [visitor(s.url), visitor(s.url)];
  await v.submit('/signin', credentials());
  await w.submit('/signin', credentials(), { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/141.0' });
  const before = w.cookies.get('heex_session');
  const home = (await v.get('/')).html;
  expect(home).toContain('Firefox 141 on Linux');
  expect(home).toContain('This browser');
  await w.submit('/signin', credentials());
  expect((await call(s.url, 'GET', '/v1/me', { token: before })).status).toBe(401);
  const sessions = (await call(s.url, 'GET', '/v1/sessions', { token: w.cookies.get('heex_session') })).body.items;
  const current = sessions.find((one: { current: boolean }) => one.current);
  expect((await v.submit('/sessions/end', { id: current.id })).location).toBe('/');
  expect((await w.get('/')).location).toBe('/signin');
});

test('setting up speaks of passkeys only where there can be some: under a host name', async () => {
  const named = await testCompanion({ HEEX_PUBLIC_URL: 'https://keys.acme.example' });
  const bare = await testCompanion();
  const offers = async (url: string) => (await visitor(url).get('/setup')).html.match(/se a passkey [^<.]+/g);
  expect(await offers(named.url)).toEqual(['se a passkey and skip it', 'se a passkey instead']);
  expect(await offers(bare.url)).toBeNull();
  await Promise.all([named.end(), bare.end()]);
});

test('an invitation is opened and accepted by a new person, who is then signed in', async () => {
  const token = await invitationFor('tomas@acme.example');
  const v = visitor(s.url);
  const opened = await v.submit('/accept/open', { token });
  expect(opened.html).toContain('Join Acme Robotics');
  expect(opened.html).toContain('Olga Owner invited you as a Member.');
  expect(opened.html).toContain('tomas@acme.example');
  const wrong = await v.submit('/accept', { token, name: 'Tomás', password: 'short' });
  expect([wrong.status, wrong.html.includes('value="Tomás"')]).toEqual([400, true]);
  const done = await v.submit('/accept', { token, name: 'Tomás', password: 'correct horse battery' });
  expect([done.status, done.location]).toEqual([303, '/']);
  expect((await v.get('/')).html).toContain('tomas@acme.example');
  expect((await v.submit('/accept/open', { token })).status).toBe(404);
});

test('an invitation for somebody else is refused, and they can sign out and go on with it', async () => {
  const token = await invitationFor('else@acme.example');
  const v = visitor(s.url);
  await v.submit('/signin', credentials());
  const [other, unknown] = [await v.submit('/accept/open', { token }), await v.submit('/accept/open', { token: 'x' })];
  expect([other.status, unknown.status]).toEqual([404, 404]);
  expect(other.html.replaceAll(token, 'x')).toBe(unknown.html);
  expect((await v.submit('/accept', { token })).status).toBe(404);
  expect((await v.submit('/signout', { invitation: token })).location).toBe(`/accept#${token}`);
  expect((await v.submit('/accept/open', { token })).status).toBe(200);
});

test('a person with an account joins with their password, or with their session', async () => {
  const again = await s.member('Again');
  await s.as(s.owner, 'DELETE', `W/members/${again.membershipId}`);
  const token = await invitationFor(again.email);
  const v = visitor(s.url);
  expect((await v.submit('/accept/open', { token })).html).toContain('autocomplete="current-password"');
  expect((await v.submit('/accept', { token, password: 'a wrong password' })).status).toBe(401);
  expect((await v.submit('/accept', { token, password: again.password })).location).toBe('/');
  const me = await call(s.url, 'GET', '/v1/me', { token: v.cookies.get('heex_session') });
  expect(me.body.memberships).toHaveLength(1);
  await s.as(s.owner, 'DELETE', `W/members/${me.body.memberships[0].id}`);
  await v.submit('/signin', { email: again.email, password: again.password });
  const third = await invitationFor(again.email);
  expect((await v.submit('/accept/open', { token: third })).html).not.toContain('type="password"');
  expect((await v.submit('/accept', { token: third })).location).toBe('/');
});

const connectQuery = new URLSearchParams({
  client: 'extension',
  label: 'Chrome 142 on macOS',
  state: 's'.repeat(43),
  code_challenge: 'c'.repeat(43),
  code_challenge_method: 'S256',
});

test('the reference names every operation and explains every error', async () => {
  const { html } = await visitor(s.url).get('/docs');
  for (const endpoint of endpoints) expect(html).toContain(`id="${endpoint.id}"`);
  for (const code of Object.keys(PROBLEMS)) expect(html).toContain(`id="error-${code}"`);
});
