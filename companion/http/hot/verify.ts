import type { IncomingMessage, ServerResponse } from 'node:http';
import { type RateState, type VerifyBody, verifyBody } from '../../../shared/contract/verify.ts';
import { tokenOf } from '../../../shared/presented-key.ts';
import { Refusal } from '../../domain/refusal.ts';
import { refuseRepeatedHeaders, refuseWrongHost } from '../guard.ts';
import { parseStrictJson } from '../json.ts';
import { mediaType } from '../media-type.ts';
import { requireVerifier } from '../presented.ts';
import { Gathered } from '../read-body.ts';
import { validate } from '../validate.ts';
import { readPlainAsk } from './ask.ts';
import type { Hot } from './listener.ts';
import { send } from './send.ts';

/**
 * `POST /v1/verify`, as it is bound elsewhere, without what a framework costs: the same checks in the same order. The body is
 * gathered first and looked at last, so that verifier and key are decided at one moment.
 */
export function answerVerify(hot: Hot, req: IncomingMessage, res: ServerResponse, requestId: string): void {
  refuseRepeatedHeaders(req.rawHeaders);
  refuseWrongHost(req, hot.hosts);
  const gathered = new Gathered();
  const finish = (work: () => void) => {
    try {
      work();
    } catch (error) {
      hot.fail(res, error, requestId);
    }
  };
  const onData = (piece: Buffer) => {
    try {
      gathered.add(piece);
    } catch (error) {
      req.off('data', onData);
      req.off('end', onEnd);
      finish(() => {
        requireVerifier(hot.deps.checker, req.headers.authorization);
        throw error;
      });
    }
  };
  const onEnd = () => finish(() => answer(hot, req, res, gathered.bytes, requestId));
  req.on('data', onData);
  req.on('end', onEnd);
}

function answer(
  hot: Hot,
  req: IncomingMessage,
  res: ServerResponse,
  bytes: Buffer | undefined,
  requestId: string,
): void {
  const admitted = hot.deps.checker.admit(tokenOf(req.headers.authorization) ?? '');
  if (!admitted) throw new Refusal('unauthorized');
  const { key, permissions, customer, ip = null, userAgent = null } = readAsk(req, bytes);
  const verdict = admitted.ask({ key, permissions, customer, ip, userAgent, requestId });
  const found = verdict.key ? `,"key":${verdict.key.identityJson()}` : '';
  const rate = verdict.rateLimit ? `,"rateLimit":${rateJson(verdict.rateLimit)}` : '';
  const text = `{"valid":${verdict.code === 'valid'},"code":"${verdict.code}","requestId":"${requestId}"${found}${rate}}`;
  send(res, 200, hot.headers('application/json', requestId), text);
}

const rateJson = ({ limit, windowSeconds, remaining, resetSeconds }: RateState) =>
  `{"limit":${limit},"windowSeconds":${windowSeconds},"remaining":${remaining},"resetSeconds":${resetSeconds}}`;

function readAsk(req: IncomingMessage, bytes: Buffer | undefined): VerifyBody {
  if (!bytes) return validate(verifyBody, {});
  const type = req.headers['content-type'];
  if (type !== 'application/json' && mediaType(type) !== 'application/json')
    throw new Refusal('unsupported_media_type', 'The body has to be application/json.');
  return readPlainAsk(bytes) ?? validate(verifyBody, parseStrictJson(bytes));
}
