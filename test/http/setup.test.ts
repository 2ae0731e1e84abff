import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { SETUP_TOKEN, type TestCompanion, testCompanion } from '../support/companion.ts';

let companion: TestCompanion;
beforeAll(async () => {
  companion = await testCompanion();
});
afterAll(() => companion.end());

const ada = {
  token: SETUP_TOKEN,
  workspace: 'Acme',
  name: 'Ada',
  email: 'Ada@Acme.example',
  password: 'correct horse battery',
};

test('the setup token makes the owner once, who can then sign in', async () => {
  expect((await call(companion.url, 'POST', '/v1/setup', { body: { ...ada, token: 'wrong' } })).status).toBe(401);
  const made = await call(companion.url, 'POST', '/v1/setup', { body: ada });
  expect(made.status).toBe(201);
  expect((await call(companion.url, 'POST', '/v1/setup', { body: ada })).status).toBe(409);
  const session = await call(companion.url, 'POST', '/v1/sessions', {
    body: { email: 'ada@acme.example', password: ada.password },
  });
  expect(session.status).toBe(201);
  for (const token of [made.body.session.token, session.body.session.token]) {
    const me = await call(companion.url, 'GET', '/v1/me', { token });
    expect(me.body).toMatchObject({
      user: { email: 'ada@acme.example' },
      memberships: [{ workspaceName: 'Acme', role: 'owner', status: 'active' }],
    });
  }
  await companion.restart();
  expect((await call(companion.url, 'GET', '/v1/me', { token: session.body.session.token })).status).toBe(200);
});

test('a bad body is refused with every wrong field named', async () => {
  const answer = await call(companion.url, 'POST', '/v1/setup', {
    body: { ...ada, name: '', extra: 1, email: undefined },
  });
  expect(answer.status).toBe(400);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.body).toMatchObject({ code: 'bad_request', requestId: answer.headers.get('x-request-id') });
  expect(answer.body.errors.map((e: { path: string }) => e.path).sort()).toEqual(['email', 'extra', 'name']);
});
