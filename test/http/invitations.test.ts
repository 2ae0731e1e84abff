import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { patchOf, scimCaller } from '../support/scim.ts';

let s: Scenario;
beforeAll(async () => {
  s = await scenario();
});
afterAll(() => s.end());

const DAY = 86_400_000;
const tokenOf = (link: string) => new URL(link).hash.slice(1);
const invite = async (email: string, role = 'member') => {
  const { status, body } = await s.as(s.owner, 'POST', 'W/invitations', { email, role });
  expect(status).toBe(201);
  return { id: body.invitation.id as string, token: tokenOf(body.link) };
};
const accept = (token: string, person: object = { name: 'New', password: 'correct horse battery' }, session?: string) =>
  call(s.url, 'POST', '/v1/invitations/accept', { body: { token, ...person }, token: session });

test('an invitation works once, and its link carries the token in the fragment', async () => {
  const { body } = await s.as(s.owner, 'POST', 'W/invitations', { email: 'Once@acme.example', role: 'admin' });
  expect(body).toMatchObject({
    invitation: { email: 'once@acme.example', role: 'admin', invitedBy: { email: 'olga@acme.example' } },
    mailed: false,
  });
  expect(body.link).toMatch(new RegExp(`^${s.url}/accept#[0-9A-Za-z]{40}$`));
  expect(Date.parse(body.invitation.expiresAt) - Date.parse(body.invitation.createdAt)).toBe(7 * DAY);
  const joined = await accept(tokenOf(body.link));
  expect(joined.status).toBe(201);
  expect(joined.body.membership).toMatchObject({ workspaceId: s.workspaceId, role: 'admin', status: 'active' });
  const me = await call(s.url, 'GET', '/v1/me', { token: joined.body.session.token });
  expect(me.body).toMatchObject({
    user: { email: 'once@acme.example' },
    memberships: [{ id: joined.body.membership.id }],
  });
  expect((await accept(tokenOf(body.link))).status).toBe(404);
});

test('used, withdrawn, replaced, unknown and another person’s invitation answer the same 404, as does an expired one', async () => {
  const mia = await s.member('Mia');
  const [used, withdrawn, replaced, expired] = [
    await invite('used@acme.example'),
    await invite('withdrawn@acme.example'),
    await invite('again@acme.example'),
    await invite('expired@acme.example'),
  ];
  const again = await invite('again@acme.example');
  expect((await accept(used.token)).status).toBe(201);
  expect((await s.as(s.owner, 'DELETE', `W/invitations/${withdrawn.id}`)).status).toBe(204);
  expect((await s.as(s.owner, 'DELETE', `W/invitations/${withdrawn.id}`)).status).toBe(404);
  const bodies = [];
  for (const token of [used.token, withdrawn.token, replaced.token, 'x'.repeat(40)]) bodies.push(await accept(token));
  bodies.push(await accept(again.token, {}, mia.token));
  const listed = (await s.as(s.owner, 'GET', 'W/invitations')).body.items;
  expect(listed.map((i: { email: string }) => i.email)).toEqual(['again@acme.example', 'expired@acme.example']);
  expect((await accept(again.token)).status).toBe(201);
  s.companion.pass(7 * DAY + 1);
  bodies.push(await accept(expired.token));
  for (const answer of bodies) {
    expect(answer.status).toBe(404);
    expect({ ...answer.body, requestId: '' }).toEqual({ ...bodies[0]?.body, requestId: '' });
  }
  s.owner.token = await s.signIn(s.owner);
});

test('an admin can’t invite owners, a member invites nobody, and a member is not invited again', async () => {
  const [ada, mel] = [await s.member('Ada', 'admin'), await s.member('Mel')];
  expect((await s.as(ada, 'POST', 'W/invitations', { email: 'o@acme.example', role: 'owner' })).status).toBe(403);
  expect((await s.as(mel, 'POST', 'W/invitations', { email: 'o@acme.example', role: 'member' })).status).toBe(403);
  const known = await s.as(ada, 'POST', 'W/invitations', { email: mel.email, role: 'member' });
  expect([known.status, known.body.code]).toEqual([409, 'conflict']);
  const bad = await s.as(ada, 'POST', 'W/invitations', { email: 'nobody', role: 'king' });
  expect(bad.body.errors.map((e: { path: string }) => e.path).sort()).toEqual(['email', 'role']);
  const owner = await s.as(s.owner, 'POST', 'W/invitations', { email: 'o@acme.example', role: 'owner' });
  expect((await s.as(ada, 'DELETE', `W/invitations/${owner.body.invitation.id}`)).status).toBe(403);
});

test('a repeat with the same Idempotency-Key is the same invitation, without its link', async () => {
  const send = (email: string) =>
    s.as(s.owner, 'POST', 'W/invitations', { email, role: 'member' }, { headers: { 'idempotency-key': 'k1' } });
  const [first, second] = [await send('idem@acme.example'), await send('idem@acme.example')];
  expect(second.body).toEqual({ invitation: first.body.invitation, mailed: false, replayed: true });
  expect((await accept(tokenOf(first.body.link))).status).toBe(201);
  expect((await send('other@acme.example')).status).toBe(422);
});

test('a new person gives name and password; an account of that address has to sign in', async () => {
  const fresh = await invite('fresh@acme.example');
  expect((await accept(fresh.token, {})).body.errors).toMatchObject([{ path: 'name' }]);
  expect((await accept(fresh.token, { name: 'F', password: 'short' })).body.errors).toMatchObject([
    { path: 'password' },
  ]);
  const joined = await accept(fresh.token);
  const token = joined.body.session.token;
  await s.as(s.owner, 'DELETE', `W/members/${joined.body.membership.id}`);
  expect((await call(s.url, 'GET', '/v1/me', { token })).status).toBe(401);
  // Removed: they sign in again and accept a new invitation with that session.
  const again = await invite('fresh@acme.example');
  expect((await accept(again.token)).status).toBe(409);
  const signIn = { email: 'fresh@acme.example', password: 'correct horse battery' };
  const session = (await call(s.url, 'POST', '/v1/sessions', { body: signIn })).body.session.token;
  const back = await accept(again.token, {}, session);
  expect(back.status).toBe(201);
  expect(back.body.session).toBeUndefined();
  expect(back.body.membership.id).not.toBe(joined.body.membership.id);
});

test('of fifty who accept one invitation at once, one joins; fifty invitations at once all work', async () => {
  const one = await invite('race@acme.example');
  const answers = await Promise.all(Array.from({ length: 50 }, () => accept(one.token)));
  expect(answers.map((a) => a.status).sort()).toEqual([201, ...Array(49).fill(404)]);
  const many = [];
  for (let i = 0; i < 50; i++) many.push(await invite(`many${i}@acme.example`));
  const joined = await Promise.all(many.map(({ token }) => accept(token)));
  expect(new Set(joined.map((a) => a.body.membership?.id)).size).toBe(50);
});

test('an invitation rests while whoever made it is suspended, and ends when they are removed', async () => {
  const boss = await s.member('Boss', 'admin');
  const of = async (email: string) => {
    const { body } = await s.as(boss, 'POST', 'W/invitations', { email, role: 'member' });
    return tokenOf(body.link);
  };
  const [one, two] = [await of('one@acme.example'), await of('two@acme.example')];
  const open = async () =>
    (await s.as(s.owner, 'GET', 'W/invitations')).body.items.filter(
      (i: { invitedBy: { email: string } }) => i.invitedBy.email === boss.email,
    ).length;
  expect(await open()).toBe(2);
  const path = `W/members/${boss.membershipId}`;
  expect((await s.as(s.owner, 'POST', `${path}/suspend`)).status).toBe(200);
  expect([(await accept(one)).status, await open()]).toEqual([404, 0]);
  expect((await s.as(s.owner, 'POST', `${path}/reinstate`)).status).toBe(200);
  expect([(await accept(one)).status, await open()]).toEqual([201, 1]);
  expect((await s.as(s.owner, 'DELETE', path)).status).toBe(200);
  expect([(await accept(two)).status, await open()]).toEqual([404, 0]);
  // Not even when they come back.
  const back = await s.as(s.owner, 'POST', 'W/invitations', { email: boss.email, role: 'admin' });
  const token = await s.signIn(boss);
  expect((await accept(tokenOf(back.body.link), {}, token)).status).toBe(201);
  expect((await accept(two)).status).toBe(404);
});

test('who came in by another way than their invitation and was removed, or left, does not come back by it', async () => {
  const made = await s.as(s.owner, 'POST', 'W/scim/tokens', { name: 'Okta' });
  const scim = scimCaller(() => ({ url: s.url, token: made.body.secret }));
  for (const leaves of ['removed', 'by herself, suspended']) {
    const email = `ida.${leaves.length}@acme.example`;
    const open = await invite(email, 'admin');
    expect((await scim('POST', '/Users', { userName: email })).status).toBe(201);
    const { items } = (await s.as(s.owner, 'GET', 'W/members?limit=100')).body;
    const { id } = items.find((m: { email: string }) => m.email === email);
    const { link } = (await s.as(s.owner, 'POST', `W/members/${id}/reset`)).body;
    const password = { token: tokenOf(link), newPassword: 'correct horse battery' };
    expect((await call(s.url, 'POST', '/v1/password/reset', { body: password })).status).toBe(204);
    const signIn = async () => {
      const body = { email, password: 'correct horse battery' };
      return (await call(s.url, 'POST', '/v1/sessions', { body })).body.session.token;
    };
    let session = await signIn();
    expect((await accept(open.token, {}, session)).status).toBe(409);
    if (leaves !== 'removed') expect((await s.as(s.owner, 'POST', `W/members/${id}/suspend`)).status).toBe(200);
    const remover = leaves === 'removed' ? s.owner.token : session;
    const path = `/v1/workspaces/${s.workspaceId}/members/${id}`;
    expect((await call(s.url, 'DELETE', path, { token: remover })).status).toBe(200);
    session = await signIn();
    expect((await accept(open.token, {}, session)).status).toBe(404);
    const again = await invite(email);
    expect((await accept(again.token, {}, session)).status).toBe(201);
  }
});

test('nor by one to the address that was theirs until their identity provider gave them another', async () => {
  const made = await s.as(s.owner, 'POST', 'W/scim/tokens', { name: 'Entra' });
  const scim = scimCaller(() => ({ url: s.url, token: made.body.secret }));
  const change = (id: string, value: object) => scim('PATCH', `/Users/${id}`, patchOf({ op: 'replace', value }));
  const memberOf = async (id: string) =>
    (await s.as(s.owner, 'GET', 'W/members?limit=100')).body.items.find((m: { userId: string }) => m.userId === id);
  const kept = await invite('gustav@acme.example');
  for (const when of ['before', 'after']) {
    const email = `gus.${when}@acme.example`;
    const open = await invite(email, 'admin');
    const { id } = (await scim('POST', '/Users', { userName: email })).body;
    const remove = async () => s.as(s.owner, 'DELETE', `W/members/${(await memberOf(id)).id}`);
    const rename = () => change(id, { userName: `${when}.gus@acme.example` });
    for (const step of when === 'before' ? [rename, remove] : [remove, rename]) expect((await step()).status).toBe(200);
    const joining = { name: 'Gus', password: 'correct horse battery' };
    expect((await accept(open.token, joining)).status).toBe(404);
    expect(
      (await s.as(s.owner, 'GET', `W/audit?action=invitation.withdrawn&target=${email}`)).body.items,
    ).toMatchObject([{ actor: { type: 'scim', name: 'Entra' }, before: { role: 'admin' }, client: 'scim' }]);
    // Whoever has that address now is somebody else, and may be invited anew.
    expect((await accept((await invite(email)).token, joining)).status).toBe(201);
  }
  expect((await accept(kept.token, { name: 'Gustav', password: 'correct horse battery' })).status).toBe(201);
});

test('one whose maker plain SQL made unreadable is none, and leaves the others alone', async () => {
  const [spoilt, other] = [await invite('ulf@acme.example'), await invite('eva@acme.example')];
  const db = new Database(`${s.companion.folder}/heex.sqlite`);
  db.prepare("update invitation set invited_by = 'x' where email = 'ulf@acme.example'").run();
  db.close();
  const listed = (await s.as(s.owner, 'GET', 'W/invitations')).body.items.map((i: { email: string }) => i.email);
  expect(listed).toContain('eva@acme.example');
  expect(listed).not.toContain('ulf@acme.example');
  const joining = { name: 'Somebody', password: 'correct horse battery' };
  expect([(await accept(spoilt.token, joining)).status, (await accept(other.token, joining)).status]).toEqual([
    404, 201,
  ]);
});
