import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashToken } from '../../companion/app/sessions.ts';
import { makeToken } from '../../shared/key-format.ts';
import { type Answer, call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';
import { patchOf, scimCaller, scimClient, scimToken, USER } from '../support/scim.ts';

let s: Scenario;
let token: string;
beforeAll(async () => {
  s = await scenario();
  token = await scimToken(s);
});
afterAll(() => s.end());

const { scim, patch, working, verdict } = scimClient(() => ({ s, token }));
const verdictOf = async (verifier: string, key: string) =>
  (await call(s.url, 'POST', '/v1/verify', { token: verifier, body: { key } })).body.code;
const signIn = ({ email, password }: Person) => call(s.url, 'POST', '/v1/sessions', { body: { email, password } });

describe('whoever is in another workspace, too', () => {
  let serial = 0;
  /** A second workspace of the same companion, which has these people and a token of its own. */
  async function secondWorkspace(...people: Person[]) {
    const { store, newId, now } = s.companion.deps;
    const id = newId('ws');
    const secret = makeToken('scim', randomBytes);
    await store.transact(async (tx) => {
      const { id: _id, ...rest } = await tx.selectFrom('workspace').selectAll().executeTakeFirstOrThrow();
      await tx
        .insertInto('workspace')
        .values({ ...rest, id, name: `Other ${++serial}` })
        .execute();
      for (const { userId } of people)
        await tx
          .insertInto('membership')
          .values({
            id: newId('mem'),
            workspace_id: id,
            user_id: userId,
            role: 'member',
            joined_at: now(),
            suspended_at: null,
          })
          .execute();
      const token = {
        id: newId('scim'),
        workspace_id: id,
        name: 'Other',
        prefix: '',
        created_by: '{}',
        created_at: now(),
      };
      await tx
        .insertInto('scim_token')
        .values({ ...token, hash: hashToken(secret), last_used_at: null })
        .execute();
    });
    const ask = scimCaller(() => ({ url: s.url, token: secret }));
    return { id, ask, path: (rest: string) => `/v1/workspaces/${id}${rest}` };
  }
  /** Somebody with a key here and one there. */
  async function inBoth() {
    const { person, secret, id } = await working();
    const other = await secondWorkspace(person);
    const made = await s.as(person, 'POST', other.path('/keys'), { name: 'Over there', environment: 'production' });
    expect(made.status).toBe(201);
    const { store, newId, now } = s.companion.deps;
    const verifier = makeToken('verifier', randomBytes);
    await store.transact(async (tx) => {
      const row = {
        id: newId('ver'),
        workspace_id: other.id,
        name: 'v',
        environment: 'production' as const,
        prefix: '',
        created_by: '{}',
      };
      await tx
        .insertInto('verifier')
        .values({ ...row, hash: s.companion.deps.hashSecret(verifier), created_at: now() })
        .execute();
    });
    const thereIs = () => verdictOf(verifier, made.body.secret);
    return { id, person, secret, other, thereIs };
  }
  const leaving: [string, (id: string) => Promise<Answer>][] = [
    ['active: false', (id) => patch(id, { op: 'replace', value: { active: false } })],
    ['DELETE', (id) => scim('DELETE', `/Users/${id}`)],
  ];

  test.each(leaving)('keeps account and keys there after %s here, and comes in here by no way', async (_, leave) => {
    const { id, person, secret, other, thereIs } = await inBoth();
    expect((await leave(id)).status).toBeLessThan(300);
    expect([await verdict(secret), await thereIs()]).toEqual(['revoked', 'valid']);
    expect((await call(s.url, 'GET', '/v1/me', { token: person.token })).status).toBe(401);
    const again = { ...person, token: (await signIn(person)).body.session.token };
    expect((await s.as(again, 'GET', 'W/keys')).status).toBe(404);
    expect((await s.as(again, 'GET', other.path('/keys'))).status).toBe(200);
    const invited = await s.as(s.owner, 'POST', 'W/invitations', { email: person.email, role: 'member' });
    expect([invited.status, invited.body.code]).toEqual([409, 'conflict']);
    expect(invited.body.detail).toContain(`identity provider took the access of ${person.email} away`);
    const { store, newId, now } = s.companion.deps;
    const row = {
      id: newId('mem'),
      workspace_id: s.workspaceId,
      user_id: id,
      role: 'member' as const,
      joined_at: now(),
      suspended_at: null,
    };
    const insert = store.transact(async (tx) => void (await tx.insertInto('membership').values(row).execute()));
    await expect(insert).rejects.toThrow('deprovisioned');
  });

  test('does not accept an invitation here that was made before DELETE', async () => {
    const { id, person } = await inBoth();
    expect((await s.as(s.owner, 'DELETE', `W/members/${person.membershipId}`)).status).toBe(200);
    const invited = await s.as(s.owner, 'POST', 'W/invitations', { email: person.email, role: 'member' });
    const token = new URL(invited.body.link).hash.slice(1);
    // They come in by another way meanwhile, so that the identity provider has somebody to delete.
    const membership = { id: s.companion.deps.newId('mem'), workspace_id: s.workspaceId, user_id: id };
    const row = { ...membership, role: 'member' as const, joined_at: s.companion.deps.now(), suspended_at: null };
    await s.companion.deps.store.transact(async (tx) => void (await tx.insertInto('membership').values(row).execute()));
    expect((await scim('DELETE', `/Users/${id}`)).status).toBe(204);
    const again = { ...person, token: (await signIn(person)).body.session.token };
    const accepted = await s.as(again, 'POST', '/v1/invitations/accept', { token });
    expect([accepted.status, accepted.body.code]).toEqual([409, 'conflict']);
    expect(accepted.body.detail).toContain('identity provider');
  });

  test('suspended here stays so until the identity provider says otherwise', async () => {
    await s.as(s.owner, 'PATCH', 'W/scim', { deactivation: 'suspend' });
    const { id, person, secret, thereIs } = await inBoth();
    await patch(id, { op: 'replace', value: { active: false } });
    expect([await verdict(secret), await thereIs()]).toEqual(['owner_suspended', 'valid']);
    expect((await s.as(person, 'GET', 'W/keys')).status).toBeGreaterThanOrEqual(400);
    const reinstated = await s.as(s.owner, 'POST', `W/members/${person.membershipId}/reinstate`);
    expect([reinstated.status, reinstated.body.code]).toEqual([409, 'conflict']);
    await patch(id, { op: 'replace', value: { active: true } });
    expect(await verdict(secret)).toBe('valid');
    await s.as(s.owner, 'PATCH', 'W/scim', { deactivation: 'remove' });
  });

  test('signs in by no way once both identity providers have suspended them, until one lets them in again', async () => {
    const { id, person, other, secret, thereIs } = await inBoth();
    const there = (active: boolean) =>
      other.ask('PATCH', `/Users/${id}`, patchOf({ op: 'replace', value: { active } }));
    const { store } = s.companion.deps;
    await store.transact(async (tx) => {
      const setting = { workspace_id: other.id, deactivation: 'suspend' as const };
      await tx.insertInto('scim_setting').values(setting).execute();
    });
    await s.as(s.owner, 'PATCH', 'W/scim', { deactivation: 'suspend' });
    expect((await there(false)).status).toBe(200);
    expect((await s.as(person, 'GET', 'W/keys')).status).toBe(200);
    expect((await patch(id, { op: 'replace', value: { active: false } })).status).toBe(200);
    expect((await call(s.url, 'GET', '/v1/me', { token: person.token })).status).toBe(401);
    expect((await signIn(person)).status).toBe(401);
    expect((await there(true)).status).toBe(200);
    const again = { ...person, token: (await signIn(person)).body.session.token };
    expect((await s.as(again, 'GET', other.path('/keys'))).status).toBe(200);
    expect((await s.as(again, 'GET', 'W/keys')).status).toBe(403);
    expect([await verdict(secret), await thereIs()]).toEqual(['owner_suspended', 'valid']);
    await s.as(s.owner, 'PATCH', 'W/scim', { deactivation: 'remove' });
  });

  test('removed over there by an admin afterwards is let in nowhere, and a further active: false closes the account', async () => {
    const { id, person, other } = await inBoth();
    await patch(id, { op: 'replace', value: { active: false } });
    const { store } = s.companion.deps;
    await store.transact(async (tx) => {
      await tx.deleteFrom('membership').where('workspace_id', '=', other.id).where('user_id', '=', id).execute();
    });
    const { token } = (await signIn(person)).body.session;
    expect((await call(s.url, 'GET', '/v1/me', { token })).body.memberships).toEqual([]);
    await patch(id, { op: 'replace', value: { active: false } });
    expect([(await signIn(person)).status, (await call(s.url, 'GET', '/v1/me', { token })).status]).toEqual([401, 401]);
  });

  test('has an address and ways of signing in that neither token changes', async () => {
    const { id, person, other } = await inBoth();
    await patch(id, {
      op: 'replace',
      value: { userName: 'mine@acme.example', emails: [{ value: 'mine@acme.example' }] },
    });
    expect((await signIn(person)).status).toBe(201);
    // Also where the other workspace has only switched them off.
    await other.ask('PATCH', `/Users/${id}`, {
      schemas: [],
      Operations: [{ op: 'replace', value: { active: false } }],
    });
    await patch(id, { op: 'replace', value: { emails: [{ value: 'yours@acme.example' }] } });
    expect((await signIn(person)).status).toBe(201);
    const reset = await s.as(s.owner, 'POST', `W/members/${person.membershipId}/reset`);
    expect(reset.status).toBe(403);
    await scim('DELETE', `/Users/${id}`);
    await other.ask('PATCH', `/Users/${id}`, patchOf({ op: 'replace', value: { active: true } }));
    expect((await signIn(person)).status).toBe(201);
  });

  test('is not taken in by a token: only by an invitation, which they accept', async () => {
    const { person } = await working();
    const other = await secondWorkspace();
    const taken = await other.ask('POST', '/Users', { schemas: [USER], userName: person.email });
    expect([taken.status, taken.body.scimType]).toEqual([409, 'uniqueness']);
    expect((await other.ask('GET', '/Users')).body.totalResults).toBe(0);
    // Nor after this workspace has switched them off, whose account is then closed.
    await patch(person.userId, { op: 'replace', value: { active: false } });
    expect((await other.ask('POST', '/Users', { schemas: [USER], userName: person.email })).status).toBe(409);
    expect((await signIn(person)).status).toBe(401);
  });
});

test('an account that no workspace has any more is taken in without its password, which anybody may have set', async () => {
  const { id, person } = await working();
  await s.as(s.owner, 'DELETE', `W/members/${person.membershipId}`);
  const token = (await signIn(person)).body.session.token;
  const made = await scim('POST', '/Users', { schemas: [USER], userName: person.email });
  expect([made.status, made.body.id, made.body.active]).toEqual([201, id, true]);
  expect((await call(s.url, 'GET', '/v1/me', { token })).status).toBe(401);
  const again = await signIn(person);
  expect(again.status).toBe(401);
});
