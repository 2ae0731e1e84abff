import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';
import { scimClient, scimToken, USER } from '../support/scim.ts';
import { smtpServer } from '../support/smtp.ts';

let s: Scenario;
let token: string;
beforeAll(async () => {
  s = await scenario();
  token = await scimToken(s);
});
afterAll(() => s.end());

const { scim, patch, find, audit, verdict, provision, working } = scimClient(() => ({ s, token }));
let others = 0;
function sql(text: string): void {
  const db = new Database(s.companion.deps.store.files.database);
  db.exec(text);
  db.close();
}

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
    const invited = await s.member(`Other ${++others}`);
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

  test('can’t be invited, nor does the database let anybody make them a member or sign them in', async () => {
    const { id, person } = await working();
    await scim('DELETE', `/Users/${id}`);
    const invited = await s.as(s.owner, 'POST', 'W/invitations', { email: person.email, role: 'member' });
    expect(invited.status).toBe(409);
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
    const [identityId, passkeyId] = [newId('idn'), newId('psk')];
    await store.transact(async (tx) => {
      const [user_id, linked_at] = [id, now()];
      const identity = {
        id: identityId,
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
      const passkey = { id: passkeyId, user_id, credential_id: id, public_key: 'x', counter: 0, transports: '[]' };
      await tx
        .insertInto('passkey')
        .values({ ...passkey, name: 'Laptop', synced: 0, created_at: linked_at, last_used_at: null })
        .execute();
    });
    await scim('DELETE', `/Users/${id}`);
    const forgotten = async (action: string, target: string) =>
      (await audit(`&action=${action}&target=${target}`)).map((row: { actor: object }) => row.actor);
    const byOkta = [expect.objectContaining({ type: 'scim', name: 'Okta' })];
    expect(await forgotten('password.removed', id)).toEqual(byOkta);
    expect(await forgotten('passkey.removed', passkeyId)).toEqual(byOkta);
    expect((await scim('POST', '/Users', { schemas: [USER], userName: person.email })).status).toBe(201);
    expect(await forgotten('identity.unlinked', identityId)).toEqual(byOkta);
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
