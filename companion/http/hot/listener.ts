import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Deps } from '../../app/deps.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { AddressOf } from '../client-address.ts';
import type { SecureHeaders } from '../guard.ts';
import { describeError, type Log } from '../log.ts';
import { toRefusal } from '../problems.ts';
import { answerAuth, isAuthPath } from './auth.ts';
import { sendProblem } from './send.ts';
import { answerStream } from './stream.ts';
import { answerVerify } from './verify.ts';

export interface HotOptions {
  deps: Deps;
  log: Log;
  hosts: ReadonlySet<string>;
  addressOf: AddressOf;
  requestId(): string;
  secureHeaders: SecureHeaders;
}

export interface Hot extends HotOptions {
  /** The headers of every answer, names and values one after another. */
  headers(contentType: string, requestId: string): string[];
  /** What was thrown, as a refusal; a fault of ours is logged. */
  explain(error: unknown, requestId: string): Refusal;
  /** Answers whatever was thrown. */
  fail(res: ServerResponse, error: unknown, requestId: string): void;
}

/**
 * The two calls that come with every use of a key, straight on `node:http`, `POST /v1/verify` and any `/v1/auth`; and the stream of
 * changes, which has no end that a framework could wait for. They have no
 * line in the log of requests: checks of known keys have their rows in the request log, and the metrics count them all.
 * @returns a listener that says whether the request was one of these
 */
export function createHotListener(options: HotOptions): (req: IncomingMessage, res: ServerResponse) => boolean {
  const always = Object.entries(options.secureHeaders).flat();
  const hot: Hot = {
    ...options,
    headers: (contentType, requestId) => [
      'Content-Type',
      contentType,
      'X-Request-Id',
      requestId,
      'Cache-Control',
      'no-store',
      ...always,
    ],
    explain(error, requestId) {
      const refusal = toRefusal(error);
      if (refusal.code === 'internal') options.log('error', 'fault', { id: requestId, ...describeError(error) });
      return refusal;
    },
    fail(res, error, requestId) {
      sendProblem(res, hot.explain(error, requestId), requestId, hot.headers('application/problem+json', requestId));
    },
  };
  const guarded = (answer: typeof answerVerify, req: IncomingMessage, res: ServerResponse) => {
    const requestId = hot.requestId();
    try {
      answer(hot, req, res, requestId);
    } catch (error) {
      hot.fail(res, error, requestId);
    }
    return true;
  };
  return (req, res) => {
    const { url = '' } = req;
    if (req.headers.host === undefined && req.httpVersion === '1.1') return guarded(refuseWithoutHost, req, res);
    if (req.method === 'POST' && url === '/v1/verify') return guarded(answerVerify, req, res);
    if (req.method === 'GET' && /^\/v1\/verify\/stream(\?|$)/.test(url)) return guarded(answerStream, req, res);
    if (url.startsWith('/v1/auth') && isAuthPath(url)) return guarded(answerAuth, req, res);
    return false;
  };
}

/** A host is needed from HTTP/1.1 on (RFC 9112, 3.2), by gateways too. @throws Refusal bad_request */
function refuseWithoutHost(): never {
  const errors = [{ path: 'host', message: 'is required' }];
  throw new Refusal('bad_request', 'host: is required', errors, { Connection: 'close' });
}
