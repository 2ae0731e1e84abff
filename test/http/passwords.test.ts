import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';
import { patchOf, scimCaller } from '../support/scim.ts';
import { type SmtpServer, smtpServer } from '../support/smtp.ts';

const HOUR = 3_600_000;
const NEW = 'a new and better passphrase';
let smtp: SmtpServer;
let s: Scenario;
/** A server that sends no mail. */
let quiet: Scenario;
let ada: Person;
let n = 0;

beforeAll(async () => {
  smtp = await smtpServer();
  quiet = await scenario();
  s = await scenario({ HEEX_SMTP_URL: smtp.url, HEEX_MAIL_FROM: 'Heex Keys <keys@acme.example>' });
});
beforeEach(async () => {
  s.owner.token = await s.signIn(s.owner);
  ada = await s.member(`Ada ${++n}`);
  await s.companion.deps.background.idle();
  smtp.mails.length = 0;
});
afterAll(async () => {
  await Promise.all([s.end(), quiet.end()]);
  await smtp.close();
});

const signIn = (email: string, password: string) => call(s.url, 'POST', '/v1/sessions', { body: { email, password } });
const forgot = (email: string) => call(s.url, 'POST', '/v1/password/forgot', { body: { email } });
const reset = (token: string, newPassword = NEW, on = s) =>
  call(on.url, 'POST', '/v1/password/reset', { body: { token, newPassword } });
const alive = async (token: string) => (await call(s.url, 'GET', '/v1/me', { token })).status === 200;
const tokenIn = (text: string) => /\/reset#(\w+)/.exec(text)?.[1] ?? '';
const mailsTo = async (email: string) => {
  await s.companion.deps.background.idle();
  return smtp.mails.filter((m) => m.to.includes(email));
};
const disable = (userId: string) => {
  const db = new Database(s.companion.deps.store.files.database);
  db.prepare('update user set disabled_at = 1 where id = ?').run(userId);
  db.close();
};

test('a changed password ends every other session and keeps the one that changed it', async () => {
  const other = await s.signIn(ada);
  const body = { currentPassword: ada.password, newPassword: NEW };
  expect((await s.as(ada, 'POST', '/v1/me/password', body)).body).toEqual({ endedSessions: 1 });
  expect([await alive(ada.token), await alive(other)]).toEqual([true, false]);
  expect((await signIn(ada.email, ada.password)).status).toBe(401);
  expect((await signIn(ada.email, NEW)).status).toBe(201);
  const [mail] = await mailsTo(ada.email);
  expect(mail?.raw).toContain('Subject: Your Heex Keys password was changed');
});

test('without the present password a recent sign-in is asked for, with the place where to confirm', async () => {
  s.companion.pass(16 * 60_000);
  const refused = await s.as(ada, 'POST', '/v1/me/password', { newPassword: NEW });
  expect(refused.status).toBe(403);
  expect(refused.body).toMatchObject({ code: 'step_up_required' });
  expect(refused.body.confirmAt).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/confirm\?session=ses_\w+$/);
  ada.token = await s.signIn(ada);
  expect((await s.as(ada, 'POST', '/v1/me/password', { newPassword: NEW })).status).toBe(200);
});

test('a wrong present password changes nothing, however recent the sign-in', async () => {
  const body = { currentPassword: 'not the password', newPassword: NEW };
  expect((await s.as(ada, 'POST', '/v1/me/password', body)).body).toMatchObject({ code: 'forbidden' });
  expect((await signIn(ada.email, ada.password)).status).toBe(201);
});

test('a new password that is too short is named', async () => {
  const answer = await s.as(ada, 'POST', '/v1/me/password', { newPassword: 'short' });
  expect(answer.body.errors).toEqual([{ path: 'newPassword', message: 'use at least 10 characters' }]);
});

test('a mailed link sets a new password once and ends every session', async () => {
  expect((await forgot(ada.email)).status).toBe(202);
  const [mail] = await mailsTo(ada.email);
  const token = tokenIn(mail?.text ?? '');
  expect(token).toHaveLength(40);
  expect((await reset(token)).status).toBe(204);
  expect(await alive(ada.token)).toBe(false);
  expect((await signIn(ada.email, NEW)).status).toBe(201);
  expect((await reset(token, 'yet another passphrase')).status).toBe(404);
  expect((await signIn(ada.email, NEW)).status).toBe(201);
});

test('the answer for an unknown address is the one for a known address, and no mail is sent', async () => {
  const [known, unknown] = [await forgot(ada.email), await forgot('nobody@acme.example')];
  const shown = (a: typeof known) => [a.status, a.body, [...a.headers.keys()].sort()];
  expect(shown(unknown)).toEqual(shown(known));
  expect(await mailsTo('nobody@acme.example')).toEqual([]);
  expect(await mailsTo(ada.email)).toHaveLength(1);
});

test('a link dies after an hour, and with the next password', async () => {
  await forgot(ada.email);
  const late = tokenIn((await mailsTo(ada.email))[0]?.text ?? '');
  s.companion.pass(HOUR);
  expect((await reset(late)).status).toBe(404);
  await forgot(ada.email);
  await forgot(ada.email);
  const [, first, second] = (await mailsTo(ada.email)).map((m) => tokenIn(m.text));
  expect((await reset(first ?? '')).status).toBe(204);
  expect((await reset(second ?? '')).status).toBe(404);
});

test('one person gets at most five links an hour', async () => {
  for (let i = 0; i < 7; i++) await forgot(ada.email);
  expect(await mailsTo(ada.email)).toHaveLength(5);
});

const makeLink = (maker: Person | undefined, of: Person, on = s) =>
  on.as(maker, 'POST', `W/members/${of.membershipId}/reset`);

test('where no mail is sent, an admin is given a link for a member, which is in the audit log and works once', async () => {
  const [admin, bo] = [await quiet.member(`Adm ${n}`, 'admin'), await quiet.member(`Bo ${n}`)];
  const made = await makeLink(admin, bo, quiet);
  expect(made.status).toBe(201);
  expect(Object.keys(made.body)).toEqual(['link', 'expiresAt']);
  expect(made.headers.get('cache-control')).toBe('no-store');
  expect(Date.parse(made.body.expiresAt) - quiet.companion.deps.now()).toBeLessThanOrEqual(HOUR);
  const token = tokenIn(made.body.link);
  expect((await reset(token, NEW, quiet)).status).toBe(204);
  expect((await reset(token, NEW, quiet)).status).toBe(404);
  const { items } = (await quiet.as(quiet.owner, 'GET', 'W/audit?limit=100')).body;
  expect(items).toContainEqual(
    expect.objectContaining({
      action: 'password.reset_link_created',
      actor: expect.objectContaining({ id: admin.membershipId }),
      target: { type: 'member', id: bo.membershipId, name: bo.email },
      after: { mailed: false },
    }),
  );
  expect(items).toContainEqual(expect.objectContaining({ action: 'password.reset', after: { endedSessions: 1 } }));
  expect(JSON.stringify(items)).not.toContain(token);
});

test('where mail is sent, the link goes to the member and to nobody else', async () => {
  const admin = await s.member(`Adm ${n}`, 'admin');
  await s.companion.deps.background.idle();
  smtp.mails.length = 0;
  const made = await makeLink(admin, ada);
  expect([made.status, made.body]).toEqual([201, { mailed: true, expiresAt: expect.any(String) }]);
  const mails = await mailsTo(ada.email);
  expect(smtp.mails).toEqual(mails);
  const [mail] = mails;
  expect(mail?.text).toContain(`Adm ${n} asked for a new password`);
  expect((await reset(tokenIn(mail?.text ?? ''))).status).toBe(204);
  expect((await signIn(ada.email, NEW)).status).toBe(201);
  const { items } = (await s.as(s.owner, 'GET', 'W/audit?action=password.reset_link_created')).body;
  expect(items[0]).toMatchObject({ target: { id: ada.membershipId }, after: { mailed: true } });
});

test('admins and the forgetful together have at most five links an hour mailed to one person', async () => {
  for (let i = 0; i < 3; i++) await makeLink(s.owner, ada);
  for (let i = 0; i < 2; i++) await forgot(ada.email);
  await s.companion.deps.background.idle();
  const refused = await makeLink(s.owner, ada);
  expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3500);
  expect(await mailsTo(ada.email)).toHaveLength(5);
  s.companion.pass(HOUR);
  s.owner.token = await s.signIn(s.owner);
  expect((await makeLink(s.owner, ada)).status).toBe(201);
});

test('only an owner makes a link for an admin or an owner', async () => {
  for (const on of [s, quiet]) {
    const [admin, other] = [await on.member(`Adm ${n}`, 'admin'), await on.member(`Ben ${n}`, 'admin')];
    const [second, member] = [await on.member(`Own ${n}`, 'owner'), await on.member(`Cy ${n}`)];
    const codes = [];
    for (const [maker, of] of [
      [admin, other],
      [admin, second],
      [member, member],
      [member, admin],
      [second, admin],
      [second, on.owner],
    ] as const)
      codes.push((await makeLink(maker, of, on)).body.code);
    expect(codes).toEqual(['forbidden', 'forbidden', 'forbidden', 'forbidden', undefined, undefined]);
  }
  expect((await s.as(s.owner, 'POST', 'W/members/mem_nobody/reset')).status).toBe(404);
  expect((await makeLink(undefined, ada)).status).toBe(401);
});

test.each([
  ['removed', 'DELETE', '', undefined],
  ['suspended', 'POST', '/suspend', undefined],
  ['demoted', 'PATCH', '', { role: 'member' }],
])(
  'a link dies with the say of the admin who was handed it: %s, they come in by nobody’s account',
  async (_, method, path, body) => {
    const [admin, bo] = [await quiet.member(`Adm ${++n}`, 'admin'), await quiet.member(`Bo ${n}`)];
    const token = tokenIn((await makeLink(admin, bo, quiet)).body.link);
    expect((await quiet.as(quiet.owner, method, `W/members/${admin.membershipId}${path}`, body)).status).toBe(200);
    expect((await reset(token, NEW, quiet)).status).toBe(404);
    expect((await quiet.as(bo, 'GET', '/v1/me')).status).toBe(200);
  },
);

test('a link from before opens no account that has become an owner’s since, unless an owner made it', async () => {
  const [admin, bo] = [await quiet.member(`Adm ${++n}`, 'admin'), await quiet.member(`Bo ${n}`)];
  const [byAdmin, byOwner] = [await makeLink(admin, bo, quiet), await makeLink(quiet.owner, bo, quiet)];
  const role = { role: 'owner' };
  expect((await quiet.as(quiet.owner, 'PATCH', `W/members/${bo.membershipId}`, role)).status).toBe(200);
  expect((await reset(tokenIn(byAdmin.body.link), NEW, quiet)).status).toBe(404);
  expect((await reset(tokenIn(byOwner.body.link), NEW, quiet)).status).toBe(204);
});

test('a link of somebody who was removed stays dead when they come back', async () => {
  const [admin, bo] = [await quiet.member(`Adm ${++n}`, 'admin'), await quiet.member(`Bo ${n}`)];
  const token = tokenIn((await makeLink(admin, bo, quiet)).body.link);
  await quiet.as(quiet.owner, 'DELETE', `W/members/${admin.membershipId}`);
  const invited = await quiet.as(quiet.owner, 'POST', 'W/invitations', { email: admin.email, role: 'admin' });
  const back = { token: new URL(invited.body.link).hash.slice(1) };
  const session = await quiet.signIn(admin);
  expect((await call(quiet.url, 'POST', '/v1/invitations/accept', { body: back, token: session })).status).toBe(201);
  expect((await reset(token, NEW, quiet)).status).toBe(404);
});

test('a password opens every workspace of a person: whoever makes a link has that say in each of them', async () => {
  const admin = await quiet.member(`Adm ${n}`, 'admin');
  const bo = await quiet.member(`Bo ${n}`);
  const db = new Database(quiet.companion.deps.store.files.database);
  db.exec(`insert into workspace (id, name, plan, key_limit, created_at) values ('ws_${n}', 'Other', 'team', 10, 1)`);
  const joined = (userId: string, role: string) =>
    db
      .prepare('insert into membership (id, workspace_id, user_id, role, joined_at) values (?, ?, ?, ?, 1)')
      .run(`mem_${userId}_${n}`, `ws_${n}`, userId, role);
  const now = (sql: string) => db.exec(`${sql} where workspace_id = 'ws_${n}'`);
  const codes = async () =>
    [await makeLink(admin, bo, quiet), await makeLink(quiet.owner, bo, quiet)].map((a) => a.status);
  joined(bo.userId, 'member');
  expect(await codes()).toEqual([403, 403]);
  joined(admin.userId, 'admin');
  joined(quiet.owner.userId, 'owner');
  expect(await codes()).toEqual([201, 201]);
  now(`update membership set suspended_at = 1`);
  expect(await codes()).toEqual([403, 403]);
  now(`update membership set suspended_at = null`);
  db.prepare(`update membership set role = 'admin' where id = ?`).run(`mem_${bo.userId}_${n}`);
  expect(await codes()).toEqual([403, 201]);
  db.close();
});

test('one’s own link is mailed, and not made where no mail is sent: it would outlast the recent sign-in', async () => {
  const admin = await s.member(`Adm ${n}`, 'admin');
  for (const own of [s.owner, admin]) expect((await makeLink(own, own)).body.mailed).toBe(true);
  const links = (await mailsTo(admin.email)).filter((mail) => tokenIn(mail.text));
  expect(links).toHaveLength(1);
  const refused = await makeLink(quiet.owner, quiet.owner, quiet);
  expect([refused.status, refused.body.code]).toEqual([409, 'conflict']);
});

test('a closed account: no sign-in, no session, no link, and links from before are dead', async () => {
  await forgot(ada.email);
  const before = tokenIn((await mailsTo(ada.email))[0]?.text ?? '');
  await makeLink(s.owner, ada);
  const made = tokenIn((await mailsTo(ada.email))[1]?.text ?? '');
  disable(ada.userId);
  expect([(await reset(before)).status, (await reset(made)).status]).toEqual([404, 404]);
  expect((await signIn(ada.email, ada.password)).status).toBe(401);
  expect(await alive(ada.token)).toBe(false);
  expect((await makeLink(s.owner, ada)).body.code).toBe('conflict');
  await forgot(ada.email);
  expect(await mailsTo(ada.email)).toHaveLength(2);
});

test('a removed member’s links die with the membership', async () => {
  await makeLink(s.owner, ada);
  const token = tokenIn((await mailsTo(ada.email))[0]?.text ?? '');
  expect((await s.as(s.owner, 'DELETE', `W/members/${ada.membershipId}`)).status).toBe(200);
  expect((await reset(token)).status).toBe(404);
});

test('a link dies with the address that it was mailed to', async () => {
  await forgot(ada.email);
  const token = tokenIn((await mailsTo(ada.email))[0]?.text ?? '');
  const { secret } = (await s.as(s.owner, 'POST', 'W/scim/tokens', { name: 'Okta' })).body;
  const scim = scimCaller(() => ({ url: s.url, token: secret }));
  const moved = patchOf({
    op: 'replace',
    value: { userName: `new.${ada.email}`, emails: [{ value: `new.${ada.email}` }] },
  });
  expect((await scim('PATCH', `/Users/${ada.userId}`, moved)).status).toBe(200);
  expect((await reset(token)).status).toBe(404);
  expect((await signIn(`new.${ada.email}`, ada.password)).status).toBe(201);
});

test('reset tokens and passwords are in no log line and not in the database', async () => {
  await forgot(ada.email);
  const token = tokenIn((await mailsTo(ada.email))[0]?.text ?? '');
  await reset(token);
  await signIn(ada.email, 'a wrong password here');
  const log = s.companion.lines.join('\n');
  for (const secret of [token, NEW, 'a wrong password here', ada.email]) expect(log).not.toContain(secret);
  const db = new Database(s.companion.deps.store.files.database, { readonly: true });
  const dump = JSON.stringify(db.prepare('select * from reset_token').all());
  db.close();
  expect(dump).not.toContain(token);
});
