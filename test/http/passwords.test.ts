import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';
import { type SmtpServer, smtpServer } from '../support/smtp.ts';

const HOUR = 3_600_000;
const NEW = 'a new and better passphrase';
let smtp: SmtpServer;
let s: Scenario;
let ada: Person;
let n = 0;

beforeAll(async () => {
  smtp = await smtpServer();
  s = await scenario({ HEEX_SMTP_URL: smtp.url, HEEX_MAIL_FROM: 'Heex Keys <keys@acme.example>' });
});
beforeEach(async () => {
  s.owner.token = await s.signIn(s.owner);
  ada = await s.member(`Ada ${++n}`);
  await s.companion.deps.background.idle();
  smtp.mails.length = 0;
});
afterAll(async () => {
  await s.end();
  await smtp.close();
});

const signIn = (email: string, password: string) => call(s.url, 'POST', '/v1/sessions', { body: { email, password } });
const forgot = (email: string) => call(s.url, 'POST', '/v1/password/forgot', { body: { email } });
const reset = (token: string, newPassword = NEW) =>
  call(s.url, 'POST', '/v1/password/reset', { body: { token, newPassword } });
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

test('an admin makes a link for a member, which is in the audit log and works once', async () => {
  const admin = await s.member(`Adm ${n}`, 'admin');
  const made = await s.as(admin, 'POST', `W/members/${ada.membershipId}/reset`);
  expect(made.status).toBe(201);
  expect(made.headers.get('cache-control')).toBe('no-store');
  expect(Date.parse(made.body.expiresAt) - s.companion.deps.now()).toBeLessThanOrEqual(HOUR);
  const token = tokenIn(made.body.link);
  expect((await reset(token)).status).toBe(204);
  expect((await reset(token)).status).toBe(404);
  const { items } = (await s.as(s.owner, 'GET', 'W/audit?limit=100')).body;
  expect(items).toContainEqual(
    expect.objectContaining({
      action: 'password.reset_link_created',
      actor: expect.objectContaining({ id: admin.membershipId }),
      target: { type: 'member', id: ada.membershipId, name: ada.email },
    }),
  );
  expect(items).toContainEqual(expect.objectContaining({ action: 'password.reset', after: { endedSessions: 1 } }));
  expect(JSON.stringify(items)).not.toContain(token);
});

test('an admin makes no link for an owner, a member makes none at all, and strangers’ members do not exist', async () => {
  const admin = await s.member(`Adm ${n}`, 'admin');
  expect((await s.as(admin, 'POST', `W/members/${s.owner.membershipId}/reset`)).body.code).toBe('forbidden');
  expect((await s.as(ada, 'POST', `W/members/${s.owner.membershipId}/reset`)).body.code).toBe('forbidden');
  expect((await s.as(admin, 'POST', 'W/members/mem_nobody/reset')).status).toBe(404);
  expect((await s.as(undefined, 'POST', `W/members/${ada.membershipId}/reset`)).status).toBe(401);
});

test('a closed account: no sign-in, no session, no link, and links from before are dead', async () => {
  await forgot(ada.email);
  const before = tokenIn((await mailsTo(ada.email))[0]?.text ?? '');
  const made = tokenIn((await s.as(s.owner, 'POST', `W/members/${ada.membershipId}/reset`)).body.link);
  disable(ada.userId);
  expect([(await reset(before)).status, (await reset(made)).status]).toEqual([404, 404]);
  expect((await signIn(ada.email, ada.password)).status).toBe(401);
  expect(await alive(ada.token)).toBe(false);
  expect((await s.as(s.owner, 'POST', `W/members/${ada.membershipId}/reset`)).body.code).toBe('conflict');
  await forgot(ada.email);
  expect(await mailsTo(ada.email)).toHaveLength(1);
});

test('a removed member’s links die with the membership', async () => {
  const token = tokenIn((await s.as(s.owner, 'POST', `W/members/${ada.membershipId}/reset`)).body.link);
  expect((await s.as(s.owner, 'DELETE', `W/members/${ada.membershipId}`)).status).toBe(200);
  expect((await reset(token)).status).toBe(404);
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
