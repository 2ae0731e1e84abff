import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PageVisitor, visitor } from '../support/browserless.ts';
import { call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';
import { type SmtpServer, smtpServer } from '../support/smtp.ts';

let s: Scenario;
let smtp: SmtpServer;
let ada: Person;
let page: PageVisitor;
beforeAll(async () => {
  smtp = await smtpServer();
  s = await scenario({ HEEX_SMTP_URL: smtp.url, HEEX_MAIL_FROM: 'keys@acme.example' });
  ada = await s.member('Ada');
  page = visitor(s.url);
  await page.submit('/signin', { email: ada.email, password: ada.password });
});
afterAll(async () => {
  await s.end();
  await smtp.close();
});

const FORM = 'application/x-www-form-urlencoded';
async function denyTerminal(who = page): Promise<void> {
  const begun = await fetch(`${s.url}/v1/device/code`, {
    method: 'POST',
    headers: { 'content-type': FORM },
    body: new URLSearchParams({ client_id: 'heex', device_name: '<b>bench</b>-rig' }),
  });
  const { user_code } = (await begun.json()) as { user_code: string };
  expect((await who.submit('/device/decide', { code: user_code, decision: 'deny' })).location).toBe('/device/denied');
}
const reports = async () => (await s.as(s.owner, 'GET', 'W/audit?action=session.reported')).body.items;
const report = (client: string, who = page) => who.submit('/denied/report', { client });

test('what nobody denied can’t be reported', async () => {
  expect((await page.get('/device/denied')).html).not.toContain('Report it');
  expect((await report('cli')).status).toBe(404);
  expect((await report('cli', visitor(s.url))).location).toBe('/signin');
  expect(await reports()).toEqual([]);
});

test('the page of a denial says what asked, from where, and lets it be reported to the admins, once', async () => {
  const amy = await s.member('Amy', 'admin');
  await denyTerminal();
  const denied = (await page.get('/device/denied')).html;
  expect(denied).toContain('&lt;b&gt;bench&lt;/b&gt;-rig');
  expect(denied).toContain('127.0.0.1');
  expect(denied).toContain('Report it to an admin');
  const before = smtp.mails.length;
  expect((await report('cli')).location).toBe('/denied/reported');
  expect((await page.get('/denied/reported')).html).toContain('and get a mail');
  await expect.poll(() => smtp.mails.length).toBe(before + 2);
  const mails = smtp.mails.slice(before);
  expect(mails.flatMap(({ to }) => to).sort()).toEqual([amy.email, s.owner.email].sort());
  expect(mails[0]?.text).toContain(`(${ada.email}) denied a request for access`);
  expect(mails[0]?.text).toContain('“<b>bench</b>-rig”, at 127.0.0.1');
  expect((await report('cli')).location).toBe('/denied/reported');
  const [denial] = (await s.as(s.owner, 'GET', 'W/audit?action=session.denied')).body.items;
  expect(await reports()).toEqual([
    expect.objectContaining({
      actor: { type: 'member', id: ada.membershipId, name: ada.email },
      target: { type: 'user', id: ada.userId, name: ada.email },
      after: { client: 'cli', label: '<b>bench</b>-rig', askedFrom: '127.0.0.1', denial: denial.seq },
      client: 'web',
    }),
  ]);
  // A second one is another matter.
  await denyTerminal();
  await report('cli');
  expect(await reports()).toHaveLength(2);
});

test('a denial is its own person’s to report, of the kind that it was, and for an hour', async () => {
  await denyTerminal();
  const count = (await reports()).length;
  const other = visitor(s.url);
  await other.submit('/signin', { email: s.owner.email, password: s.owner.password });
  expect((await other.get('/device/denied')).html).not.toContain('bench');
  expect((await report('cli', other)).status).toBe(404);
  expect((await report('extension')).status).toBe(404);
  expect((await page.get('/connect/done')).html).not.toContain('Report it');
  const asked = {
    client: 'extension',
    label: 'Firefox 145 on Windows',
    state: 'x'.repeat(43),
    code_challenge: 'y'.repeat(43),
    code_challenge_method: 'S256',
  };
  await page.submit('/connect', { ...asked, decision: 'deny' });
  expect((await page.get('/connect/done')).html).toContain('Firefox 145 on Windows');
  expect((await call(s.url, 'POST', '/denied/report')).status).toBe(415);
  s.companion.pass(3_600_001);
  expect((await report('extension')).status).toBe(404);
  expect((await page.get('/device/denied')).html).not.toContain('Report it');
  expect(await reports()).toHaveLength(count);
});

test('nobody has the server mail the admins without end: five reports an hour are mailed, further ones are on record', async () => {
  const mia = await s.member('Mia');
  const own = visitor(s.url);
  await own.submit('/signin', { email: mia.email, password: mia.password });
  const before = { reports: (await reports()).length, mails: smtp.mails.length };
  const toOwner = () => smtp.mails.slice(before.mails).filter(({ to }) => to.includes(s.owner.email)).length;
  for (let n = 1; n <= 7; n++) {
    await denyTerminal(own);
    expect((await report('cli', own)).location).toBe('/denied/reported');
    expect((await own.get('/denied/reported')).html.includes('and get a mail')).toBe(n <= 5);
  }
  await s.companion.deps.background.idle();
  expect([toOwner(), (await reports()).length - before.reports]).toEqual([5, 7]);
  // Somebody else's are their own.
  await denyTerminal();
  await report('cli');
  await s.companion.deps.background.idle();
  expect(toOwner()).toBe(6);
  s.companion.pass(3_600_001);
  await denyTerminal(own);
  await report('cli', own);
  await s.companion.deps.background.idle();
  expect(toOwner()).toBe(7);
});

test('a row of the audit log that somebody made unreadable past its trigger is nobody’s denial, and stands in nobody’s way', async () => {
  await denyTerminal();
  const db = new Database(s.companion.deps.store.files.database);
  db.exec('drop trigger audit_readable');
  const row = db.prepare(
    `insert into audit (workspace_id, at, actor, action, target, after) values (?, ?, '{}', 'session.denied', ?, 'no JSON')`,
  );
  for (const target of ['no JSON', JSON.stringify({ type: 'user', id: ada.userId })])
    row.run(s.workspaceId, s.companion.deps.now(), target);
  db.close();
  expect((await page.get('/device/denied')).html).toContain('Report it to an admin');
  const count = (await reports()).length;
  expect((await report('cli')).location).toBe('/denied/reported');
  expect(await reports()).toHaveLength(count + 1);
});

test('an admin who reports is not mailed what they say themselves', async () => {
  s.owner.token = await s.signIn(s.owner);
  const bea = await s.member('Bea', 'admin');
  const own = visitor(s.url);
  await own.submit('/signin', { email: bea.email, password: bea.password });
  await denyTerminal(own);
  const before = smtp.mails.length;
  await report('cli', own);
  await s.companion.deps.background.idle();
  const told = smtp.mails.slice(before).flatMap(({ to }) => to);
  expect(told).toContain(s.owner.email);
  expect(told).not.toContain(bea.email);
});
