import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { SCIM_ERROR, scimClient, scimToken, USER } from '../support/scim.ts';

let s: Scenario;
let token: string;
beforeAll(async () => {
  s = await scenario();
  token = await scimToken(s);
});
afterAll(() => s.end());

const { scim, patch, find, audit, provision } = scimClient(() => ({ s, token }));

test('a person is created, found, changed, replaced and deleted', async () => {
  const body = {
    schemas: [USER, 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'],
    userName: 'Lena.Fischer@Acme.example',
    externalId: '00u1',
    name: { givenName: 'Lena', familyName: 'Fischer' },
    emails: [{ value: 'lena@acme.example', type: 'work', primary: true }],
    active: true,
    password: 'never taken',
    groups: [],
  };
  const made = await scim('POST', '/Users', body);
  expect(made.status).toBe(201);
  expect(made.headers.get('content-type')).toBe('application/scim+json');
  expect(made.headers.get('location')).toBe(made.body.meta.location);
  expect(made.body).toEqual({
    schemas: [USER],
    id: expect.stringMatching(/^usr_/),
    userName: 'Lena.Fischer@Acme.example',
    externalId: '00u1',
    name: { givenName: 'Lena', familyName: 'Fischer' },
    emails: [{ value: 'lena@acme.example', type: 'work', primary: true }],
    active: true,
    meta: {
      resourceType: 'User',
      created: expect.any(String),
      lastModified: expect.any(String),
      location: expect.stringContaining(`/scim/v2/Users/${made.body.id}`),
      version: expect.stringMatching(/^W\//),
    },
  });
  const { id } = made.body;
  const members = (await s.as(s.owner, 'GET', 'W/members?limit=100')).body.items;
  expect(members.find((m: { userId: string }) => m.userId === id)).toMatchObject({
    name: 'Lena Fischer',
    email: 'lena@acme.example',
    role: 'member',
    status: 'active',
  });
  expect((await find('userName eq "lena.fischer@acme.EXAMPLE"')).Resources[0].id).toBe(id);
  expect((await find('externalId eq "00u1"')).totalResults).toBe(1);
  expect((await find('emails.value eq "lena@acme.example" and active eq true')).totalResults).toBe(1);
  const renamed = await patch(id, { op: 'Replace', path: 'name.familyName', value: 'Vogel' });
  expect(renamed.body.name).toEqual({ givenName: 'Lena', familyName: 'Vogel' });
  const put = await scim('PUT', `/Users/${id}`, {
    schemas: [USER],
    userName: 'lena@acme.example',
    displayName: 'Lena V',
  });
  expect(put.body).toMatchObject({ userName: 'lena@acme.example', displayName: 'Lena V', emails: [], active: true });
  expect(put.body.externalId).toBeUndefined();
  expect((await scim('DELETE', `/Users/${id}`)).status).toBe(204);
  expect((await scim('GET', `/Users/${id}`)).body).toMatchObject({ schemas: [SCIM_ERROR], status: '404' });
  expect((await find('userName eq "lena@acme.example"')).totalResults).toBe(0);
  const actions = (await audit()).filter((e: { actor: { type: string } }) => e.actor.type === 'scim');
  expect(actions.map((e: { action: string }) => e.action)).toEqual([
    'member.removed',
    'user.changed',
    'user.changed',
    'member.joined',
  ]);
  expect(actions[2]).toMatchObject({
    actor: { type: 'scim', name: 'Okta' },
    target: { type: 'member', name: 'lena@acme.example' },
    before: { name: { familyName: 'Fischer' } },
    after: { name: { familyName: 'Vogel' } },
    ip: '127.0.0.1',
  });
});

test('whoever was provisioned has no password, and sets one by a reset link that an admin makes', async () => {
  const { id, userName } = await provision();
  const signIn = (password: string) => call(s.url, 'POST', '/v1/sessions', { body: { email: userName, password } });
  for (const password of ['null', ' ', userName]) expect((await signIn(password)).status).toBe(401);
  const members = (await s.as(s.owner, 'GET', 'W/members?limit=100')).body.items;
  const member = members.find((m: { userId: string }) => m.userId === id);
  const made = await s.as(s.owner, 'POST', `W/members/${member.id}/reset`);
  const reset = new URL(made.body.link).hash.slice(1);
  const newPassword = 'a password of my own';
  await call(s.url, 'POST', '/v1/password/reset', { body: { token: reset, newPassword } });
  expect((await signIn(newPassword)).status).toBe(201);
  const another = await s.as(s.owner, 'POST', `W/members/${member.id}/reset`);
  await scim('DELETE', `/Users/${id}`);
  const late = await call(s.url, 'POST', '/v1/password/reset', {
    body: { token: new URL(another.body.link).hash.slice(1), newPassword },
  });
  expect(late.status).toBe(404);
});

test('members who came another way are found, and taken over rather than doubled', async () => {
  const ben = await s.member('Ben');
  const found = await find(`userName eq "${ben.email.toUpperCase()}"`);
  expect(found.Resources).toMatchObject([{ id: ben.userId, userName: ben.email, active: true }]);
  const double = await scim('POST', '/Users', { schemas: [USER], userName: ben.email });
  expect([double.status, double.body.scimType]).toEqual([409, 'uniqueness']);
  const linked = await patch(ben.userId, { op: 'add', path: 'externalId', value: 'ext-ben' });
  expect(linked.body).toMatchObject({ externalId: 'ext-ben', userName: ben.email });
  expect((await find('externalId eq "ext-ben"')).Resources[0].id).toBe(ben.userId);
});

test('a user name, external id or address is one person’s, whatever its case', async () => {
  const one = await provision({ externalId: 'e1', emails: [{ value: 'one@acme.example' }] });
  const two = await provision();
  for (const [body, what] of [
    [{ userName: one.userName.toUpperCase() }, 'userName'],
    [{ userName: 'new@acme.example', externalId: 'e1' }, 'externalId'],
    [{ userName: 'new@acme.example', emails: [{ value: 'ONE@acme.example' }] }, 'e-mail'],
  ] as const) {
    for (const answer of [
      await scim('POST', '/Users', { schemas: [USER], ...body }),
      await scim('PUT', `/Users/${two.id}`, { schemas: [USER], ...body }),
    ]) {
      expect([answer.status, answer.body.scimType], JSON.stringify(body)).toEqual([409, 'uniqueness']);
      expect(answer.body.detail).toContain(what);
    }
  }
});

test('the same person created twice at once is one person', async () => {
  const body = { schemas: [USER], userName: 'twin@acme.example' };
  const answers = await Promise.all([1, 2, 3].map(() => scim('POST', '/Users', body)));
  expect(answers.map((a) => a.status).sort()).toEqual([201, 409, 409]);
  expect((await find('userName eq "twin@acme.example"')).totalResults).toBe(1);
});

test('someone created inactive is no member and can’t sign in until activated', async () => {
  const made = await provision({ active: false });
  expect(made.active).toBe(false);
  const members = (await s.as(s.owner, 'GET', 'W/members?limit=100')).body.items;
  expect(members.some((m: { userId: string }) => m.userId === made.id)).toBe(false);
  expect((await patch(made.id, { op: 'replace', value: { active: true } })).body.active).toBe(true);
});

test('what is not the client’s to say is ignored in POST and PUT, and active counts in every form that it comes in', async () => {
  const claims = {
    id: 'usr_mine',
    meta: { location: 'https://evil.example', version: 'W/"x"' },
    groups: [{ value: 'g' }],
  };
  const made = await provision({ ...claims, active: 'True' });
  expect(made.id).not.toBe(claims.id);
  expect(made.meta.location).toContain(`/Users/${made.id}`);
  expect([made.active, made.groups]).toEqual([true, undefined]);
  const { id, userName } = made;
  for (const active of ['False', 'True', false, true, 'false']) {
    const put = await scim('PUT', `/Users/${id}`, { schemas: [USER], ...claims, userName, active });
    expect([put.status, put.body.id, put.body.active], String(active)).toEqual([
      200,
      id,
      String(active).toLowerCase() === 'true',
    ]);
    expect(put.body.meta.location).toContain(`/Users/${id}`);
  }
  for (const active of ['no', 1, {}])
    expect((await scim('PUT', `/Users/${id}`, { userName, active })).body.scimType, String(active)).toBe(
      'invalidValue',
    );
  for (const path of ['id', 'meta.location'])
    expect((await patch(id, { op: 'replace', path, value: 'x' })).body.scimType).toBe('mutability');
});

test('one bad operation changes nothing', async () => {
  const { id, userName } = await provision();
  const answer = await patch(
    id,
    { op: 'replace', path: 'active', value: false },
    { op: 'replace', path: 'active', value: 1 },
  );
  expect([answer.status, answer.body.scimType]).toEqual([400, 'invalidValue']);
  expect((await scim('GET', `/Users/${id}`)).body).toMatchObject({ userName, active: true });
});
