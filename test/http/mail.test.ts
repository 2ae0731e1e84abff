import { afterEach, expect, test } from 'vitest';
import { BadConfig, readConfig } from '../../companion/config.ts';
import { createMailer } from '../../companion/identity/mail.ts';
import { call } from '../support/client.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { type SmtpServer, smtpServer } from '../support/smtp.ts';

const FROM = 'Heex Keys <keys@acme.example>';
const open: { end?(): Promise<void>; close?(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await (one.end?.() ?? one.close?.());
});
async function server(): Promise<SmtpServer> {
  const smtp = await smtpServer();
  open.push(smtp);
  return smtp;
}
async function withMail(url: string): Promise<Scenario> {
  const s = await scenario({ HEEX_SMTP_URL: url, HEEX_MAIL_FROM: FROM });
  open.push(s);
  return s;
}

test('a mail arrives as it was written, to one address, from the configured sender', async () => {
  const smtp = await server();
  const text = 'Zeile eins: äöü 漢字\n.a line that starts with a dot\nEnd';
  await createMailer(smtp.url, FROM).send({ to: 'ada@acme.example', subject: 'Grüße', text });
  const mail = await smtp.next();
  expect(mail).toMatchObject({ from: 'keys@acme.example', to: ['ada@acme.example'] });
  expect(mail.text.replaceAll('\r\n', '\n').trimEnd()).toBe(text);
  expect(mail.raw).toContain('Auto-Submitted: auto-generated');
});

test('an address or subject can’t add recipients or headers', async () => {
  const smtp = await server();
  const mailer = createMailer(smtp.url, FROM);
  await mailer.send({ to: 'ada@acme.example', subject: 'x\r\nBcc: eve@evil.example', text: '' });
  const mail = await smtp.next();
  expect(mail.to).toEqual(['ada@acme.example']);
  expect(mail.raw).not.toMatch(/^Bcc:/im);
});

test('an invitation is mailed with its link', async () => {
  const smtp = await server();
  const s = await withMail(smtp.url);
  const made = await s.as(s.owner, 'POST', 'W/invitations', { email: 'ben@acme.example', role: 'member' });
  const mail = await smtp.next();
  expect(mail.to).toEqual(['ben@acme.example']);
  expect(mail.text).toContain(made.body.link);
});

test('a workspace mails a hundred invitations an hour; further ones are made all the same, with their link to hand over', async () => {
  const smtp = await server();
  const s = await withMail(smtp.url);
  const invite = async () => {
    const answer = await s.as(s.owner, 'POST', 'W/invitations', { email: 'ben@acme.example', role: 'member' });
    return { status: answer.status, ...answer.body };
  };
  for (let i = 0; i < 100; i++) expect((await invite()).mailed).toBe(true);
  expect(await invite()).toMatchObject({ status: 201, mailed: false, link: expect.stringContaining('/accept#') });
  await s.companion.deps.background.idle();
  expect(smtp.mails).toHaveLength(100);
  s.companion.pass(3_600_000);
  expect((await invite()).mailed).toBe(true);
});

test('a mail server that refuses is logged without the address, and the person is answered as ever', async () => {
  const smtp = await server();
  const s = await withMail(smtp.url);
  smtp.answer(550);
  const forgot = { body: { email: s.owner.email } };
  expect((await call(s.url, 'POST', '/v1/password/forgot', forgot)).status).toBe(202);
  await s.companion.deps.background.idle();
  const line = s.companion.lines.find((l) => l.includes('background work failed'));
  expect(line).toContain('reset mail');
  expect(s.companion.lines.join('\n')).not.toContain(s.owner.email);
});

test('where no mail is configured, the answer says who can help, the same for every address', async () => {
  const s = await scenario();
  open.push(s);
  const [known, unknown] = await Promise.all(
    [s.owner.email, 'nobody@acme.example'].map((email) =>
      call(s.url, 'POST', '/v1/password/forgot', { body: { email } }),
    ),
  );
  expect(known?.status).toBe(409);
  expect(known?.body.detail).toMatch(/Ask an admin/);
  expect(unknown?.body.detail).toBe(known?.body.detail);
});

test('mail settings that can’t work stop the start, and the password in them is not shown', () => {
  const bad = (env: Record<string, string>) => {
    try {
      readConfig(env);
    } catch (error) {
      expect(error).toBeInstanceOf(BadConfig);
      return (error as Error).message;
    }
    throw new Error('was taken');
  };
  const url = 'smtp://keys:hunter2@mail.example.com:587';
  expect(bad({ HEEX_SMTP_URL: url })).toMatch(/HEEX_MAIL_FROM/);
  expect(bad({ HEEX_MAIL_FROM: FROM })).toMatch(/HEEX_SMTP_URL/);
  for (const wrong of ['mail.example.com', 'https://keys:hunter2@mail.example.com', 'smtp://'])
    expect(bad({ HEEX_SMTP_URL: wrong, HEEX_MAIL_FROM: FROM })).not.toContain('hunter2');
  for (const from of ['nobody', 'A <a@b>, B <c@d>', 'a@b\r\nBcc: c@d'])
    expect(bad({ HEEX_SMTP_URL: url, HEEX_MAIL_FROM: from })).toMatch(/^HEEX_MAIL_FROM must be/);
  expect(readConfig({ HEEX_SMTP_URL: url, HEEX_MAIL_FROM: FROM }).mail).toEqual({ smtpUrl: url, from: FROM });
});
