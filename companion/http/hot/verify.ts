import type { IncomingMessage, ServerResponse } from 'node:http';
import { type VerifyBody, verifyBody } from '../../../shared/contract/verify.ts';
import type { Verifier } from '../../app/deps.ts';
import { Refusal } from '../../domain/refusal.ts';
import { BODY_LIMIT } from '../bind.ts';
import { refuseRepeatedHeaders, refuseWrongHost } from '../guard.ts';
import { parseStrictJson } from '../json.ts';
import { mediaType } from '../media-type.ts';
import { requireVerifier } from '../presented.ts';
import { verdictText } from '../routes/verify.ts';
import { validate } from '../validate.ts';
import { readPlainAsk } from './ask.ts';
import type { Hot } from './listener.ts';
import { send } from './send.ts';

/**
 * `POST /v1/verify`, as it is bound elsewhere, without what a framework costs: the same checks in the same order.
 * @throws Refusal before the body; what is wrong with the body goes to `hot.fail`
 */
export function answerVerify(hot: Hot, req: IncomingMessage, res: ServerResponse, requestId: string): void {
  refuseRepeatedHeaders(req.rawHeaders);
  refuseWrongHost(req, hot.hosts);
  const verifier = requireVerifier(hot.deps.checker, req.headers.authorization);
  if (Number(req.headers['content-length'] ?? 0) > BODY_LIMIT) throw tooLarge();
  let bytes: Buffer | undefined;
  let size = 0;
  const onData = (chunk: Buffer) => {
    size += chunk.length;
    if (size > BODY_LIMIT) {
      req.off('data', onData);
      req.off('end', onEnd);
      hot.fail(res, tooLarge(), requestId);
    } else bytes = bytes ? Buffer.concat([bytes, chunk]) : chunk;
  };
  const onEnd = () => {
    try {
      answer(hot, res, verifier, readAsk(req, bytes), requestId);
    } catch (error) {
      hot.fail(res, error, requestId);
    }
  };
  req.on('data', onData);
  req.on('end', onEnd);
}

// The connection is closed: nobody reads the rest of such a body.
const tooLarge = () => new Refusal('payload_too_large', '', [], { Connection: 'close' });

function readAsk(req: IncomingMessage, bytes: Buffer | undefined): VerifyBody {
  if (!bytes) return validate(verifyBody, {});
  const type = req.headers['content-type'];
  if (type !== 'application/json' && mediaType(type) !== 'application/json')
    throw new Refusal('unsupported_media_type');
  return readPlainAsk(bytes) ?? validate(verifyBody, parseStrictJson(bytes));
}

function answer(hot: Hot, res: ServerResponse, verifier: Verifier, ask: VerifyBody, requestId: string): void {
  send(res, 200, hot.headers('application/json', requestId), verdictText(hot.deps, verifier, ask, requestId));
}
