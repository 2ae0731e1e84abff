import type { IncomingMessage, ServerResponse } from 'node:http';
import { tokenOf } from '../../../shared/presented-key.ts';
import { badField } from '../../domain/refusal.ts';
import { refuseRepeatedHeaders, refuseWrongHost } from '../guard.ts';
import { requireVerifier } from '../presented.ts';
import type { Hot } from './listener.ts';

/** A listener that does not read is cut off when this many bytes wait for it; it can resume. */
const MOST_WAITING = 1_000_000;

/** `GET /v1/verify/stream`: server-sent events until one of both ends it. @throws Refusal */
export function answerStream(hot: Hot, req: IncomingMessage, res: ServerResponse, requestId: string): void {
  refuseRepeatedHeaders(req.rawHeaders);
  refuseWrongHost(req, hot.hosts);
  const verifier = requireVerifier(hot.deps.checker, req.headers.authorization);
  const [parameter] = new URLSearchParams(req.url?.split('?')[1]).keys();
  if (parameter !== undefined) throw badField(parameter, 'is not a known parameter');
  // A proxy that gathers an answer before passing it on would keep changes back.
  res.writeHead(200, [...hot.headers('text/event-stream', requestId), 'X-Accel-Buffering', 'no']);
  const stop = hot.deps.changes.listen({
    verifier,
    after: req.headers['last-event-id']?.toString(),
    send(text) {
      // Writing after the end would be an error that nobody waits for, and with it the end of the process.
      if (res.writableEnded) return;
      // Left to itself Node puts chunks off until its next tick, by which the change is acknowledged: nobody hears it first from there.
      res.socket?.cork();
      res.write(text);
      res.socket?.uncork();
      if (res.writableLength > MOST_WAITING) res.destroy();
    },
    end: () => res.end(),
  });
  // A line that breaks is not the process's end; what waits for it is over with 'close'.
  res.on('error', () => {});
  res.on('close', stop);
  // Deleted by another process since it showed who it is, it would never be told of it.
  if (!hot.deps.checker.verifier(tokenOf(req.headers.authorization) ?? '')) res.end();
}
