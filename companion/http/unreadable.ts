import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { PROBLEMS, type ProblemCode } from '../../shared/contract/errors.ts';
import { Refusal } from '../domain/refusal.ts';
import type { GuardOptions } from './guard.ts';
import { isAuthPath, statusForNginx, wantsNginx } from './hot/auth.ts';
import { problemBody } from './problems.ts';

/** What Node's parser finds wrong with a request, beside everything else that no HTTP is. */
const CODES: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'payload_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};
const DETAILS: Partial<Record<ProblemCode, string>> = {
  bad_request: 'This is no HTTP request that can be read.',
  request_timeout: 'The request did not come whole in time.',
};
/** How long what still comes is read and dropped, in milliseconds: closing at once would take the answer back. */
const LINGER_MS = 500;

type ParserError = NodeJS.ErrnoException & { rawPacket?: Buffer };

/** Whether it is nginx that asks, which passes on what can't be read, such as a header with a control character. */
function isFromNginx({ rawPacket }: ParserError): boolean {
  const url = /^[A-Z]+ (\S+) HTTP\/1\.[01]\r?\n/.exec(rawPacket?.toString('latin1', 0, 2_048) ?? '')?.[1] ?? '';
  return isAuthPath(url) && wantsNginx(url);
}

/** What is told of requests that came to be read, and what is called for one that can't be. */
export interface Unreadable {
  began(request: IncomingMessage, response: ServerResponse): void;
  answer(error: ParserError, socket: Duplex): void;
}

/**
 * Answers what Node's own parser refuses, a broken request, headers that are too large, a sender that is too slow, with a
 * problem like every other (RFC 9457), in the form that nginx takes where it asks, and closes the connection.
 */
export function createUnreadable({ requestId, secureHeaders, log }: GuardOptions): Unreadable {
  const latest = new WeakMap<Duplex, { request: IncomingMessage; response: ServerResponse }>();
  const closing = new WeakSet<Duplex>();
  const write = (socket: Duplex, code: ProblemCode, nginx: boolean) => {
    if (!socket.writable) return void socket.destroy();
    const id = requestId();
    const [known] = PROBLEMS[code];
    const status = nginx ? statusForNginx(known) : known;
    const body = JSON.stringify(problemBody(new Refusal(code, DETAILS[code]), id));
    const headers = {
      'Content-Type': 'application/problem+json',
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      'X-Request-Id': id,
      Date: new Date().toUTCString(),
      ...(nginx ? { 'X-Heex-Status': String(known) } : {}),
      ...secureHeaders,
      Connection: 'close',
    };
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${body}`);
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
    log('info', 'unreadable', { id, status });
  };
  return {
    began: (request, response) => void latest.set(request.socket, { request, response }),
    answer(error, socket) {
      // What comes after is as unreadable, and dropped.
      if (closing.has(socket)) return;
      closing.add(socket);
      const code = CODES[error.code ?? ''] ?? 'bad_request';
      const nginx = isFromNginx(error);
      const { request, response } = latest.get(socket) ?? {};
      if (!request || !response || (request.complete && response.writableFinished)) return write(socket, code, nginx);
      // The one before is still being answered: that answer comes first.
      if (request.complete) return void response.once('close', () => write(socket, code, nginx));
      // The request is wrong that is being answered. Where an answer has begun, there can't be another.
      if (response.headersSent || response.socket !== socket) return void socket.destroy();
      write(socket, code, nginx);
    },
  };
}
