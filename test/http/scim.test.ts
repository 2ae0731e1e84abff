import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createScimUser } from '../../companion/app/scim.ts';
import { authenticateScim } from '../../companion/app/scim-tokens.ts';
import { type Answer, call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';
import { patchOf, scimCaller, USER } from '../support/scim.ts';
import { smtpServer } from '../support/smtp.ts';

const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';

let s: Scenario;
let token: string;
beforeAll(async () => {
  s = await scenario();
  token = await newToken('Okta');
});
afterAll(() => s.end());

async function newToken(name: string): Promise<string> {
  return (await s.as(s.owner, 'POST', 'W/scim/tokens', { name })).body.secret;
}
const scim = scimCaller(() => ({ url: s.url, token }));
const patch = (id: string, ...operations: unknown[]) => scim('PATCH', `/Users/${id}`, patchOf(...operations));
const find = async (filter: string) => (await scim('GET', `/Users?filter=${encodeURIComponent(filter)}`)).body;
const audit = async (query = '') => (await s.as(s.owner, 'GET', `W/audit?limit=100${query}`)).body.items;
const verdict = async (secret: string) =>
  (await call(s.url, 'POST', '/v1/verify', { token: await s.verifier(), body: { key: secret } })).body.code;

let made = 0;
async function provision(overrides: Record<string, unknown> = {}): Promise<Answer['body']> {
  const userName = `person${++made}@acme.example`;
  const answer = await scim('POST', '/Users', {
    schemas: [USER],
    userName,
    displayName: `Person ${made}`,
    ...overrides,
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body;
}
function sql(text: string): void {
  const db = new Database(s.companion.deps.store.files.database);
  db.exec(text);
  db.close();
}
/** A member with a session and a live key. */
async function working(): Promise<{ id: string; person: Person; secret: string }> {
  const person = await s.member(`Worker ${++made}`);
  const { secret } = await s.key(person);
  return { id: person.userId, person, secret };
}

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
  expect((await scim('GET', `/Users/${id}`)).body).toMatchObject({ schemas: [ERROR], status: '404' });
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

describe('whoever the identity provider deactivates or deletes', () => {
  const ways: [string, (id: string) => Promise<Answer>][] = [
    ['by Okta’s PATCH', (id) => patch(id, { op: 'replace', value: { active: false } })],
    ['by Entra’s PATCH', (id) => patch(id, { op: 'Replace', path: 'active', value: 'False' })],
    ['by DELETE', (id) => scim('DELETE', `/Users/${id}`)],
    [
      'by PUT',
      async (id) => {
        const { userName } = (await scim('GET', `/Users/${id}`)).body;
        return scim('PUT', `/Users/${id}`, { schemas: [USER], userName, active: false });
      },
    ],
  ];
  test.each(ways)('is removed, %s: keys revoked, sessions ended, the account closed', async (_, leave) => {
    const { id, person, secret } = await working();
    const invited = await s.member(`Other ${made}`);
    expect(await verdict(secret)).toBe('valid');
    expect((await leave(id)).status).toBeLessThan(300);
    expect(await verdict(secret)).toBe('revoked');
    expect((await call(s.url, 'GET', '/v1/me', { token: person.token })).status).toBe(401);
    const signIn = { email: person.email, password: person.password };
    expect((await call(s.url, 'POST', '/v1/sessions', { body: signIn })).status).toBe(401);
    const rows = (await audit('&actor=Okta')).filter(
      (e: { target: { name: string }; action: string }) => e.target.name === person.email || e.action === 'key.revoked',
    );
    expect(rows.slice(0, 2)).toMatchObject([
      { action: 'key.revoked', after: { reason: 'member_left' } },
      { action: 'member.removed', actor: { type: 'scim' } },
    ]);
    expect((await s.as(invited, 'GET', 'W/keys')).status).toBe(200);
  });

  test('can’t accept an invitation, come in through a reset link or an approved device', async () => {
    const { id, person } = await working();
    await scim('DELETE', `/Users/${id}`);
    const invited = await s.as(s.owner, 'POST', 'W/invitations', { email: person.email, role: 'member' });
    const invitation = new URL(invited.body.link).hash.slice(1);
    const body = { token: invitation, name: 'Again', password: 'a new password' };
    const accepted = await call(s.url, 'POST', '/v1/invitations/accept', { body });
    expect(accepted.status).toBe(409);
    // The database itself refuses what no use case should try.
    const { store, newId, now } = s.companion.deps;
    const insert = (table: 'session' | 'membership') =>
      store.transact(async (tx) => {
        if (table === 'membership')
          await tx
            .insertInto('membership')
            .values({
              id: newId('mem'),
              workspace_id: s.workspaceId,
              user_id: id,
              role: 'member',
              joined_at: now(),
              suspended_at: null,
            })
            .execute();
        else
          await tx
            .insertInto('session')
            .values({
              id: newId('ses'),
              user_id: id,
              token_hash: newId('x'),
              client: 'web',
              label: '',
              ip: null,
              user_agent: null,
              created_at: now(),
              last_used_at: now(),
              expires_at: now() + 1,
              authenticated_at: now(),
            })
            .execute();
      });
    await expect(insert('session')).rejects.toThrow('deprovisioned');
    await expect(insert('membership')).rejects.toThrow('deprovisioned');
  });

  test('comes back as a plain member, without any key', async () => {
    const { id, person, secret } = await working();
    await s.as(s.owner, 'PATCH', `W/members/${person.membershipId}`, { role: 'admin' });
    await patch(id, { op: 'replace', value: { active: false } });
    expect((await scim('GET', `/Users/${id}`)).body.active).toBe(false);
    expect((await find(`userName eq "${person.email}"`)).Resources[0]).toMatchObject({ id, active: false });
    const back = await patch(id, { op: 'Replace', path: 'active', value: 'True' });
    expect(back.body.active).toBe(true);
    expect(await verdict(secret)).toBe('revoked');
    const again = { ...person, token: await s.signIn(person) };
    expect((await s.as(again, 'GET', 'W/keys')).body.items).toEqual([]);
    expect((await call(s.url, 'GET', '/v1/me', { token: again.token })).body.memberships[0].role).toBe('member');
    await scim('DELETE', `/Users/${id}`);
    const anew = await scim('POST', '/Users', { schemas: [USER], userName: person.email });
    expect([anew.status, anew.body.id, anew.body.active]).toEqual([201, id, true]);
    expect(await verdict(secret)).toBe('revoked');
  });

  test('whom an admin had removed can’t sign in any more either, and that is in the log', async () => {
    const { id, userName } = await provision();
    const memberOf = async () =>
      (await s.as(s.owner, 'GET', 'W/members?limit=100')).body.items.find((m: { userId: string }) => m.userId === id)
        .id;
    const password = 'a password of my own';
    const link = (await s.as(s.owner, 'POST', `W/members/${await memberOf()}/reset`)).body.link;
    const token = new URL(link).hash.slice(1);
    await call(s.url, 'POST', '/v1/password/reset', { body: { token, newPassword: password } });
    const signIn = async () =>
      (await call(s.url, 'POST', '/v1/sessions', { body: { email: userName, password } })).status;
    await s.as(s.owner, 'DELETE', `W/members/${await memberOf()}`);
    // Another change is no deprovisioning.
    await patch(id, { op: 'replace', path: 'displayName', value: 'Removed By Admin' });
    expect(await signIn()).toBe(201);
    expect((await patch(id, { op: 'replace', path: 'active', value: false })).body.active).toBe(false);
    expect(await signIn()).toBe(401);
    await patch(id, { op: 'replace', path: 'active', value: false });
    const rows = (await audit('&action=user.deprovisioned')).filter(
      (e: { target: { id: string } }) => e.target.id === id,
    );
    expect(rows).toMatchObject([{ actor: { type: 'scim', name: 'Okta' } }]);
  });

  const signIn = async ({ email, password }: Person) =>
    (await call(s.url, 'POST', '/v1/sessions', { body: { email, password } })).status;
  const leaving: [string, (person: Person) => unknown][] = [
    ['removed by an admin', (person) => s.as(s.owner, 'DELETE', `W/members/${person.membershipId}`)],
    ['who left', (person) => s.as(person, 'DELETE', `W/members/${person.membershipId}`)],
    ['removed by plain SQL', ({ membershipId }) => sql(`delete from membership where id = '${membershipId}'`)],
  ];
  test.each(leaving)('may be somebody %s, whom it never provisioned: their account closes', async (_, leave) => {
    const [one, two] = [await working(), await working()];
    for (const { id, person } of [one, two]) {
      await leave(person);
      expect(await signIn(person)).toBe(201);
      expect((await find(`userName eq "${person.email}"`)).Resources).toMatchObject([{ id, active: false }]);
    }
    expect((await patch(one.id, { op: 'replace', path: 'active', value: false })).body.active).toBe(false);
    expect((await scim('DELETE', `/Users/${two.id}`)).status).toBe(204);
    for (const { id, person } of [one, two]) {
      expect(await signIn(person)).toBe(401);
      const rows = (await audit('&action=user.deprovisioned')).filter(
        (e: { target: { id: string } }) => e.target.id === id,
      );
      expect(rows).toMatchObject([{ actor: { type: 'scim' }, target: { name: person.email } }]);
    }
    expect((await scim('GET', `/Users/${one.id}`)).status).toBe(200);
    expect((await scim('GET', `/Users/${two.id}`)).status).toBe(404);
    expect((await find(`userName eq "${two.person.email}"`)).totalResults).toBe(0);
  });

  test('is not somebody who left and whom another workspace has', async () => {
    const { id, person } = await working();
    await s.as(s.owner, 'DELETE', `W/members/${person.membershipId}`);
    sql(`insert into workspace (id, name, plan, key_limit, created_at) values ('ws_next', 'Next', 'team', 10, 1);
      insert into membership (id, workspace_id, user_id, role, joined_at) values ('mem_next', 'ws_next', '${id}', 'member', 1)`);
    expect((await scim('GET', `/Users/${id}`)).status).toBe(404);
    expect((await scim('DELETE', `/Users/${id}`)).status).toBe(404);
    expect((await find(`userName eq "${person.email}"`)).totalResults).toBe(0);
    expect(await signIn(person)).toBe(201);
  });

  test('joins again by active: true after an admin’s removal, as a plain member without a key', async () => {
    const { id, person, secret } = await working();
    await s.as(s.owner, 'PATCH', `W/members/${person.membershipId}`, { role: 'admin' });
    await s.as(s.owner, 'DELETE', `W/members/${person.membershipId}`);
    expect((await patch(id, { op: 'replace', path: 'active', value: true })).body.active).toBe(true);
    const members = (await s.as(s.owner, 'GET', 'W/members?limit=100')).body.items;
    expect(members.find((m: { userId: string }) => m.userId === id)).toMatchObject({ role: 'member' });
    expect(await verdict(secret)).toBe('revoked');
  });

  test('by DELETE has no way of signing in left when the address comes again', async () => {
    const { id, person } = await working();
    const { store, newId, now } = s.companion.deps;
    await store.transact(async (tx) => {
      const [user_id, linked_at] = [id, now()];
      const identity = {
        id: newId('idn'),
        user_id,
        issuer: 'https://idp.example',
        subject: id,
        email: null,
        linked_at,
      };
      await tx
        .insertInto('identity')
        .values({ ...identity, last_used_at: null })
        .execute();
      const passkey = { id: newId('psk'), user_id, credential_id: id, public_key: 'x', counter: 0, transports: '[]' };
      await tx
        .insertInto('passkey')
        .values({ ...passkey, name: 'Laptop', synced: 0, created_at: linked_at, last_used_at: null })
        .execute();
    });
    await scim('DELETE', `/Users/${id}`);
    expect((await scim('POST', '/Users', { schemas: [USER], userName: person.email })).status).toBe(201);
    const signIn = { email: person.email, password: person.password };
    expect((await call(s.url, 'POST', '/v1/sessions', { body: signIn })).status).toBe(401);
    for (const table of ['identity', 'passkey'] as const)
      expect(await store.read.selectFrom(table).select('id').where('user_id', '=', id).execute(), table).toEqual([]);
  });

  test('may be the last owner: the keys die all the same, and it is reported', async () => {
    const smtp = await smtpServer();
    const t = await scenario({ HEEX_SMTP_URL: smtp.url, HEEX_MAIL_FROM: 'Heex Keys <keys@acme.example>' });
    const secret = (await t.as(t.owner, 'POST', 'W/scim/tokens', { name: 'Entra' })).body.secret;
    const admin = await t.member('Ann', 'admin');
    await t.companion.deps.background.idle();
    const mailed = smtp.mails.length;
    const key = await t.key(t.owner);
    const verifier = await t.verifier();
    const gone = await call(t.url, 'DELETE', `/scim/v2/Users/${t.owner.userId}`, { token: secret });
    expect(gone.status).toBe(204);
    const checked = await call(t.url, 'POST', '/v1/verify', { token: verifier, body: { key: key.secret } });
    expect(checked.body.code).toBe('revoked');
    const log = (await t.as(admin, 'GET', 'W/audit')).body.items;
    expect(log[0]).toMatchObject({ action: 'workspace.ownerless', before: { owner: t.owner.email } });
    expect(t.companion.lines.filter((l) => l.includes('last owner')).map((l) => JSON.parse(l).level)).toEqual(['warn']);
    await t.companion.deps.background.idle();
    const mails = smtp.mails.slice(mailed);
    expect(mails.map((m) => m.to)).toEqual([[admin.email]]);
    expect(mails[0]?.text).toContain(t.owner.email);
    await t.end();
    await smtp.close();
  });

  test('goes whole or not at all, also when two changes come at once', async () => {
    const { id, person, secret } = await working();
    const answers = await Promise.all([
      patch(id, { op: 'replace', value: { active: false } }),
      s.as(person, 'POST', 'W/keys', { name: 'made at the same time', environment: 'staging' }),
      scim('DELETE', `/Users/${id}`),
      patch(id, { op: 'replace', value: { displayName: 'New' } }),
    ]);
    for (const { status } of answers) expect(status).toBeLessThan(500);
    const live = await s.companion.deps.store.read
      .selectFrom('api_key')
      .select('id')
      .where('created_by', 'like', `%${person.email}%`)
      .where('revoked_at', 'is', null)
      .execute();
    expect([live, await verdict(secret)]).toEqual([[], 'revoked']);
    const removals = (await audit('&action=member.removed')).filter(
      (e: { target: { name: string } }) => e.target.name === person.email,
    );
    expect(removals).toHaveLength(1);
  });
});

test('the same person created twice at once is one person', async () => {
  const body = { schemas: [USER], userName: 'twin@acme.example' };
  const answers = await Promise.all([1, 2, 3].map(() => scim('POST', '/Users', body)));
  expect(answers.map((a) => a.status).sort()).toEqual([201, 409, 409]);
  expect((await find('userName eq "twin@acme.example"')).totalResults).toBe(1);
});

test('where the workspace says so, active: false suspends, and only its own suspension is lifted', async () => {
  await s.as(s.owner, 'PATCH', 'W/scim', { deactivation: 'suspend' });
  const { id, person, secret } = await working();
  await patch(id, { op: 'replace', value: { active: false } });
  expect(await verdict(secret)).toBe('owner_suspended');
  expect(
    (await call(s.url, 'POST', '/v1/sessions', { body: { email: person.email, password: person.password } })).status,
  ).toBe(401);
  const reinstated = await s.as(s.owner, 'POST', `W/members/${person.membershipId}/reinstate`);
  expect([reinstated.status, reinstated.body.code]).toEqual([409, 'conflict']);
  await patch(id, { op: 'replace', value: { active: true } });
  expect(await verdict(secret)).toBe('valid');
  await s.as(s.owner, 'POST', `W/members/${person.membershipId}/suspend`);
  await patch(id, { op: 'replace', value: { active: false } });
  s.companion.pass(1000);
  await patch(id, { op: 'replace', value: { active: true } });
  expect(await verdict(secret)).toBe('owner_suspended');
  const closings = (await audit(`&target=${person.membershipId}&actor=Okta`)).slice(0, 2);
  expect(closings.map((e: { action: string }) => e.action)).toEqual(['user.reactivated', 'user.deprovisioned']);
  await scim('DELETE', `/Users/${id}`);
  expect(await verdict(secret)).toBe('revoked');
  await s.as(s.owner, 'PATCH', 'W/scim', { deactivation: 'remove' });
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

test('lists are paged from 1, counted whole, and in a stable order', async () => {
  for (let i = 0; i < 3; i++) await provision();
  const all = (await scim('GET', '/Users')).body;
  expect(all.schemas).toEqual(['urn:ietf:params:scim:api:messages:2.0:ListResponse']);
  expect(all.totalResults).toBe(all.Resources.length);
  const ids = all.Resources.map((r: { id: string }) => r.id);
  const paged = [];
  for (let i = 1; i <= all.totalResults; i += 2) {
    const { body } = await scim('GET', `/Users?startIndex=${i}&count=2`);
    expect([body.totalResults, body.startIndex, body.itemsPerPage]).toEqual([
      all.totalResults,
      i,
      body.Resources.length,
    ]);
    paged.push(...body.Resources.map((r: { id: string }) => r.id));
  }
  expect(paged).toEqual(ids);
  for (const [query, count, start] of [
    ['count=0', 0, 1],
    ['count=-5', 0, 1],
    ['startIndex=0&count=1', 1, 1],
    ['startIndex=9999', 0, 9999],
  ] as const) {
    const { body } = await scim('GET', `/Users?${query}`);
    expect([body.Resources.length, body.startIndex, body.totalResults], query).toEqual([
      count,
      start,
      all.totalResults,
    ]);
  }
  expect((await scim('GET', '/Users?count=x')).body.scimType).toBe('invalidValue');
  expect((await scim('GET', '/Users?filter=userName')).body.scimType).toBe('invalidFilter');
  const only = (await scim('GET', '/Users?attributes=userName&count=1')).body.Resources[0];
  expect(Object.keys(only).sort()).toEqual(['id', 'meta', 'schemas', 'userName']);
  const rest = (await scim('GET', '/Users?excludedAttributes=emails,name&count=1')).body.Resources[0];
  expect(rest).not.toHaveProperty('emails');
  expect(rest).toHaveProperty('userName');
  for (const [query, count] of [
    ['startIndex=-3&count=2', 2],
    ['startIndex=&count=', all.totalResults],
    ['startIndex=1&count=999999', all.totalResults],
  ] as const)
    expect((await scim('GET', `/Users?${query}`)).body).toMatchObject({ startIndex: 1, itemsPerPage: count });
  for (const query of ['startIndex=x', 'count=1.5', 'startIndex=1e3'])
    expect((await scim('GET', `/Users?${query}`)).body.scimType, query).toBe('invalidValue');
});

test('of complex attributes the parts that are asked for are answered, and those that are not wanted left out', async () => {
  const emails = [
    { value: 'parts@acme.example', type: 'work', primary: true },
    { value: 'parts@home.example', type: 'home' },
  ];
  const { id } = await provision({ name: { givenName: 'Ada', familyName: 'Parts' }, emails });
  const shown = async (query: string) => {
    const { schemas: _schemas, meta: _meta, id: _id, ...rest } = (await scim('GET', `/Users/${id}?${query}`)).body;
    return rest;
  };
  expect(await shown('attributes=name.familyName')).toEqual({ name: { familyName: 'Parts' } });
  expect(await shown(`attributes=${USER}:NAME.givenname,emails.value`)).toEqual({
    name: { givenName: 'Ada' },
    emails: emails.map(({ value }) => ({ value })),
  });
  expect(await shown('attributes=name.familyName,name')).toEqual({ name: { givenName: 'Ada', familyName: 'Parts' } });
  expect(await shown('attributes=name.middleName,emails.primary')).toEqual({ emails: [{ primary: true }] });
  const most = await shown('excludedAttributes=name.familyName,emails.type,emails.primary,displayName,id');
  expect(most).toEqual({
    userName: expect.any(String),
    active: true,
    name: { givenName: 'Ada' },
    emails: emails.map(({ value }) => ({ value })),
  });
  const patched = await scim(
    'PATCH',
    `/Users/${id}?attributes=name.familyName`,
    patchOf({ op: 'add', value: { title: 'x' } }),
  );
  expect(patched.body.name).toEqual({ familyName: 'Parts' });
  expect(patched.body.userName).toBeUndefined();
});

test('what describes the service takes no filter, and a resource says where it is', async () => {
  for (const path of [
    '/Schemas',
    '/ResourceTypes',
    '/ServiceProviderConfig',
    `/Schemas/${USER}`,
    '/ResourceTypes/User',
  ]) {
    const refused = await scim('GET', `${path}?filter=${encodeURIComponent('id eq "User"')}`);
    expect([refused.status, refused.body.schemas, refused.body.status], path).toEqual([403, [ERROR], '403']);
    // Other parameters are ignored.
    expect((await scim('GET', `${path}?count=1&sortBy=id`)).status, path).toBe(200);
  }
  const base = `${s.companion.deps.config.publicUrl}/scim/v2`;
  const { id } = await provision();
  const one = await scim('GET', `/Users/${id}`);
  expect([one.body.meta.location, one.headers.get('content-location')]).toEqual([
    `${base}/Users/${id}`,
    `${base}/Users/${id}`,
  ]);
  for (const path of [`/Schemas/${USER}`, '/ResourceTypes/User', '/ServiceProviderConfig'])
    expect((await scim('GET', path)).body.meta.location).toBe(base + path);
});

test('a version stands for one state: known ones are 304, outdated ones 412', async () => {
  const { id, meta } = await provision();
  for (const known of [meta.version, meta.version.slice(2), `"x", ${meta.version}`, '*'])
    expect((await scim('GET', `/Users/${id}`, undefined, { 'if-none-match': known })).status, known).toBe(304);
  const operations = { schemas: [], Operations: [{ op: 'replace', path: 'displayName', value: 'New' }] };
  const changed = await scim('PATCH', `/Users/${id}`, operations, { 'if-match': meta.version });
  expect(changed.headers.get('etag')).toBe(changed.body.meta.version);
  expect(changed.body.meta.version).not.toBe(meta.version);
  for (const [method, body] of [
    ['PATCH', operations],
    ['PUT', { userName: 'x@y.example' }],
    ['DELETE', undefined],
  ] as const)
    expect((await scim(method, `/Users/${id}`, body, { 'if-match': meta.version })).status).toBe(412);
  expect((await scim('GET', `/Users/${id}`)).body.displayName).toBe('New');
});

test('what is supported is said, and what is not is refused in SCIM’s own format', async () => {
  const config = (await scim('GET', '/ServiceProviderConfig')).body;
  expect(config).toMatchObject({ patch: { supported: true }, bulk: { supported: false }, filter: { supported: true } });
  expect(config).toMatchObject({ etag: { supported: true }, sort: { supported: false } });
  expect((await scim('GET', '/ResourceTypes')).body.Resources).toMatchObject([{ id: 'User', endpoint: '/Users' }]);
  const schemas = (await scim('GET', '/Schemas')).body;
  expect(schemas.Resources[0].attributes.map((a: { name: string }) => a.name)).toContain('userName');
  expect((await scim('GET', `/Schemas/${USER}`)).body.id).toBe(USER);
  for (const [method, path, body, status] of [
    ['POST', '/Bulk', {}, 501],
    ['GET', '/Me', undefined, 501],
    ['GET', '/Groups', undefined, 501],
    ['POST', '/Users/.search', {}, 501],
    ['POST', '/.search', {}, 501],
    ['DELETE', '/Users', undefined, 405],
    ['GET', '/Nothing', undefined, 404],
    ['GET', '/Users/usr_nobody', undefined, 404],
    ['POST', '/Users', 'not json', 400],
    ['POST', '/Users', {}, 400],
  ] as const) {
    const answer = await scim(method, path, body);
    expect([answer.status, answer.headers.get('content-type')], path).toEqual([status, 'application/scim+json']);
    expect(answer.body).toMatchObject({ schemas: [ERROR], status: String(status), detail: expect.any(String) });
  }
  expect((await scim('POST', '/Users/.search', {})).body.detail).toContain('GET /Users');
  const plain = await scim('POST', '/Users', {}, { 'content-type': 'text/plain' });
  expect([plain.status, plain.body.detail]).toEqual([
    415,
    'The body has to be application/scim+json or application/json.',
  ]);
});

test('a token works for SCIM alone, is shown once, and is refused as soon as it is rotated or removed', async () => {
  const made = await s.as(s.owner, 'POST', 'W/scim/tokens', { name: 'Spare' });
  expect(made.body.secret).toMatch(/^heexm_/);
  const { id } = made.body.token;
  const users = async (bearer?: string) => (await call(s.url, 'GET', '/scim/v2/Users', { token: bearer })).status;
  expect(await users(made.body.secret)).toBe(200);
  const settings = await s.as(s.owner, 'GET', 'W/scim');
  expect(settings.body).toMatchObject({
    baseUrl: `${s.companion.deps.config.publicUrl}/scim/v2`,
    deactivation: 'remove',
    tokens: [{ name: 'Okta' }, { name: 'Spare', prefix: made.body.token.prefix, lastUsedAt: expect.any(String) }],
  });
  expect(JSON.stringify(settings.body)).not.toContain(made.body.secret);
  const rotated = await s.as(s.owner, 'POST', `W/scim/tokens/${id}/rotate`);
  expect([await users(made.body.secret), await users(rotated.body.secret)]).toEqual([401, 200]);
  expect((await s.as(s.owner, 'DELETE', `W/scim/tokens/${id}`)).status).toBe(204);
  for (const bearer of [rotated.body.secret, s.owner.token, await s.verifier(), undefined, 'x'])
    expect(await users(bearer)).toBe(401);
  expect((await call(s.url, 'GET', '/v1/me', { token })).status).toBe(401);
  const answer = await call(s.url, 'GET', '/scim/v2/Users');
  expect([answer.headers.get('www-authenticate'), answer.body.schemas]).toEqual(['Bearer realm="heex-keys"', [ERROR]]);
  const rows = (await audit('&action=scim_token')).map((e: { action: string }) => e.action);
  expect(rows.slice(0, 3)).toEqual(['scim_token.removed', 'scim_token.rotated', 'scim_token.created']);
  expect(JSON.stringify(await audit())).not.toMatch(/heex[a-z]?_\w{40}/);
});

test('a token that is removed while a request is on its way changes nothing any more', async () => {
  const made = await s.as(s.owner, 'POST', 'W/scim/tokens', { name: 'Late' });
  const origin = { requestId: 'req_1', ip: null, userAgent: null };
  const caller = await authenticateScim(s.companion.deps, made.body.secret, origin);
  await s.as(s.owner, 'DELETE', `W/scim/tokens/${made.body.token.id}`);
  const late = createScimUser(s.companion.deps, caller, { userName: 'late@acme.example' });
  await expect(late).rejects.toMatchObject({ code: 'unauthorized' });
});

test('a companion’s own disk has the hash of a token only', async () => {
  const rows = await s.companion.deps.store.read.selectFrom('scim_token').selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain(token);
  expect(s.companion.lines.join('\n')).not.toContain(token);
});
