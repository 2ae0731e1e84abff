import { createTransport } from 'nodemailer';
import type { Mailer } from '../app/deps.ts';

/**
 * Mail by SMTP.
 * @param url `smtp://` (upgraded by STARTTLS where the server offers it; `?requireTLS=true` insists) or `smtps://`
 * @param from the sender, e.g. `Heex Keys <keys@example.com>`
 */
export function createMailer(url: string, from: string): Mailer {
  const target = new URL(url);
  // A server that does not answer must not hold mail, or a stop, for minutes.
  for (const limit of ['connectionTimeout', 'greetingTimeout', 'socketTimeout'])
    if (!target.searchParams.has(limit)) target.searchParams.set(limit, '10000');
  const transport = createTransport(target.href);
  return {
    async send({ to, subject, text }) {
      await transport.sendMail({
        from,
        to: { name: '', address: to },
        subject,
        text,
        // No "out of office" in answer (RFC 3834).
        headers: { 'Auto-Submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
      });
    },
  };
}
