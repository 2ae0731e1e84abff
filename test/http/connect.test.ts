import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { matchCode } from '../../shared/connect.ts';
import { type PageVisitor, visitor } from '../support/browserless.ts';
import { call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
beforeAll(async () => {
  s = await scenario();
});
afterAll(() => s.end());

const verifier = 'v'.repeat(43);
const challenge = createHash('sha256').update(verifier).digest('base64url');
const state = randomBytes(32).toString('base64url');
const query = (overrides: Record<string, string> = {}) => ({
  client: 'extension',
  label: 'Chrome 142 on macOS',
  state,
  code_challenge: challenge,
  code_challenge_method: 'S256',
  ...overrides,
});

async function signedIn(person: Person): Promise<PageVisitor> {
  const v = visitor(s.url);
  await v.submit('/signin', { email: person.email, password: person.password });
  return v;
}
async function approve(v: PageVisitor): Promise<string> {
  const done = await v.submit('/connect', { ...query(), decision: 'approve' });
  const answer = new URLSearchParams(new URL(done.location ?? '', s.url).hash.slice(1));
  expect([done.status, answer.get('state')]).toEqual([303, state]);
  return answer.get('code') ?? '';
}
const exchange = (code: string, codeVerifier = verifier) =>
  call(s.url, 'POST', '/v1/connect/token', { body: { code, codeVerifier } });

test('a person signs in, approves, and the extension gets a session of its own', async () => {
  const v = visitor(s.url);
  const asked = await v.get(`/connect?${new URLSearchParams(query())}`);
  expect(asked.location).toMatch(/^\/signin\?next=%2Fconnect/);
  const next = new URL(asked.location ?? '', s.url).searchParams.get('next') ?? '';
  const back = await v.submit('/signin', { email: s.owner.email, password: s.owner.password, next });
  const page = await v.get(back.location ?? '');
  expect(page.html).toContain('Approve this browser?');
  expect(page.html).toContain('Chrome 142 on macOS');
  const letters = [...matchCode(challenge)];
  expect(page.html).toContain(`Code ${letters.slice(0, 4).join(' ')}, ${letters.slice(4).join(' ')}`);
  const code = await approve(v);
  const answer = await exchange(code);
  expect(answer.status).toBe(201);
  expect(answer.body.user.email).toBe(s.owner.email);
  const sessions = await call(s.url, 'GET', '/v1/sessions', { token: answer.body.session.token });
  expect(sessions.body.items.find((one: { current: boolean }) => one.current)).toMatchObject({
    client: 'extension',
    label: 'Chrome 142 on macOS',
  });
  // The approving browser signs out; the extension stays.
  await v.submit('/signout', {});
  expect((await call(s.url, 'GET', '/v1/me', { token: answer.body.session.token })).status).toBe(200);
});

test('a code works once, within a minute, with its verifier; a wrong verifier burns it', async () => {
  const v = await signedIn(s.owner);
  const used = await approve(v);
  expect((await exchange(used)).status).toBe(201);
  const burnt = await approve(v);
  const refused = [
    await exchange(used),
    await exchange(burnt, 'w'.repeat(43)),
    await exchange(burnt),
    await exchange('no'),
  ];
  const late = await approve(v);
  s.companion.pass(60_001);
  refused.push(await exchange(late));
  for (const answer of refused) {
    expect(answer.status).toBe(401);
    expect({ ...answer.body, requestId: '' }).toEqual({ ...refused[0]?.body, requestId: '' });
  }
  expect((await exchange('x', 'short')).body.errors).toMatchObject([{ path: 'codeVerifier' }]);
});

test('of many exchanges of one code at once, one succeeds', async () => {
  const code = await approve(await signedIn(s.owner));
  const answers = await Promise.all(Array.from({ length: 10 }, () => exchange(code)));
  expect(answers.filter((a) => a.status === 201)).toHaveLength(1);
});

test('denying makes no code and leaves on record who denied what, from where', async () => {
  const v = await signedIn(s.owner);
  const done = await v.submit('/connect', { ...query({ label: 'Firefox 140 on Windows' }), decision: 'deny' });
  expect(done.location).toBe(`/connect/done#error=access_denied&state=${state}`);
  const { items } = (await s.as(s.owner, 'GET', 'W/audit?action=session.denied')).body;
  expect(items).toEqual([
    expect.objectContaining({
      actor: { type: 'member', id: s.owner.membershipId, name: s.owner.email },
      target: { type: 'user', id: s.owner.userId, name: s.owner.email },
      after: { client: 'extension', label: 'Firefox 140 on Windows', askedFrom: '127.0.0.1' },
      ip: '127.0.0.1',
      client: 'web',
    }),
  ]);
});

test('a request that is not whole is refused before anybody is asked', async () => {
  const v = await signedIn(s.owner);
  for (const wrong of [
    { client: 'cli' },
    { state: 'short' },
    { code_challenge_method: 'plain' },
    { code_challenge: '' },
    { label: 'x'.repeat(101) },
    { label: 'two\nlines' },
    { more: '1' },
  ]) {
    const sent = query(wrong as Record<string, string>);
    expect([wrong, (await v.get(`/connect?${new URLSearchParams(sent)}`)).status]).toEqual([wrong, 400]);
    expect((await v.submit('/connect', { ...sent, decision: 'approve' })).status).toBe(400);
  }
});

test('a removed person’s approval is worth nothing', async () => {
  const rob = await s.member('Rob');
  const code = await approve(await signedIn(rob));
  await s.as(s.owner, 'DELETE', `W/members/${rob.membershipId}`);
  expect((await exchange(code)).status).toBe(401);
});

test('neither code nor verifier nor token is in the database or in the log', async () => {
  const code = await approve(await signedIn(s.owner));
  const { body } = await exchange(code);
  const rows = JSON.stringify([
    await s.companion.deps.store.read.selectFrom('session').selectAll().execute(),
    await s.companion.deps.store.read.selectFrom('connect_code').selectAll().execute(),
    await s.companion.deps.store.read.selectFrom('audit').selectAll().execute(),
    s.companion.lines,
  ]);
  for (const secret of [code, verifier, body.session.token, s.owner.password]) expect(rows).not.toContain(secret);
});
