import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HttpBindings } from '@hono/node-server';
import type { App, Upgrade } from './context.ts';

function headersOf(request: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  return headers;
}

async function writeAnswer(socket: Duplex, answer: Response): Promise<void> {
  const body = Buffer.from(await answer.arrayBuffer());
  const head = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`];
  for (const [name, value] of answer.headers) head.push(`${name}: ${value}`);
  head.push('Connection: close', `Content-Length: ${body.length}`, '', '');
  socket.end(Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), body]));
}

/**
 * Answers a request to leave HTTP (`Upgrade: websocket`) by the same app as every other: the same checks of host and headers,
 * the same problems, the same log. A handler takes the socket over by setting `take`; else its answer is written and the
 * connection closed.
 */
export async function answerUpgrade(app: App, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  // A peer that goes away meanwhile is no fault of ours.
  const ignore = () => {};
  socket.on('error', ignore);
  const upgrade: Upgrade = { socket, head, take: undefined };
  try {
    // What host it names is checked by the app; an address that is none must not throw before that.
    const url = URL.parse(request.url ?? '/', 'http://upgrade.invalid') ?? 'http://upgrade.invalid/';
    const bindings = { incoming: request, upgrade } as unknown as HttpBindings;
    const answer = await app.fetch(
      new Request(url, { method: request.method ?? 'GET', headers: headersOf(request) }),
      bindings,
    );
    if (socket.destroyed) return;
    if (!upgrade.take) return await writeAnswer(socket, answer);
    socket.off('error', ignore);
    upgrade.take();
  } catch {
    socket.destroy();
  }
}
