import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

export interface Mail {
  from: string;
  to: string[];
  /** Headers and body as they came, dots unstuffed. */
  raw: string;
  /** The body, decoded. */
  text: string;
}

export interface SmtpServer {
  url: string;
  mails: Mail[];
  /** What the next recipients are answered; 250 takes them. */
  answer(code: number): void;
  /** Waits for the next mail that has not been waited for. */
  next(): Promise<Mail>;
  close(): Promise<void>;
}

function decode(raw: string): string {
  const at = raw.indexOf('\r\n\r\n');
  const [head, body] = [raw.slice(0, at), raw.slice(at + 4)];
  if (/^content-transfer-encoding: base64/im.test(head)) return Buffer.from(body, 'base64').toString('utf8');
  if (!/^content-transfer-encoding: quoted-printable/im.test(head)) return body;
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** A mail server on loopback that takes everything (RFC 5321, as much of it as one client needs). */
export async function smtpServer(): Promise<SmtpServer> {
  const mails: Mail[] = [];
  const waiting: ((mail: Mail) => void)[] = [];
  const sockets = new Set<Socket>();
  let taken = 0;
  let recipientCode = 250;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    let [text, inData] = ['', false];
    let mail: Mail = { from: '', to: [], raw: '', text: '' };
    const say = (line: string) => socket.write(`${line}\r\n`);
    const command = (line: string) => {
      const verb = line.slice(0, 4).toUpperCase();
      const address = /<([^>]*)>/.exec(line)?.[1] ?? '';
      if (verb === 'EHLO') say('250-loopback\r\n250 SMTPUTF8');
      else if (verb === 'MAIL') {
        mail = { from: address, to: [], raw: '', text: '' };
        say('250 ok');
      } else if (verb === 'RCPT') {
        if (recipientCode === 250) mail.to.push(address);
        say(recipientCode === 250 ? '250 ok' : `${recipientCode} no such user ${address}`);
      } else if (verb === 'DATA') {
        inData = true;
        say('354 go on');
      } else say(verb === 'QUIT' ? '221 bye' : '250 ok');
    };
    const finish = (raw: string) => {
      inData = false;
      const unstuffed = raw.replace(/^\.\./gm, '.');
      const whole = { ...mail, raw: unstuffed, text: decode(unstuffed) };
      mails.push(whole);
      say('250 queued');
      waiting.shift()?.(whole);
    };
    say('220 loopback');
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (;;) {
        const end = text.indexOf(inData ? '\r\n.\r\n' : '\r\n');
        if (end < 0) return;
        const part = text.slice(0, end);
        text = text.slice(end + (inData ? 5 : 2));
        if (inData) finish(part);
        else command(part);
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    answer(code) {
      recipientCode = code;
    },
    next() {
      taken++;
      const there = mails[taken - 1];
      return there ? Promise.resolve(there) : new Promise((resolve) => waiting.push(resolve));
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((done) => server.close(() => done()));
    },
  };
}
