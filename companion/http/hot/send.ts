import type { ServerResponse } from 'node:http';
import { PROBLEMS } from '../../../shared/contract/errors.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { problemBody, problemHeaders } from '../problems.ts';

/** Answers with a body of JSON. @param headers names and values, one after another */
export function send(res: ServerResponse, status: number, headers: readonly string[], body: string): void {
  const length = Buffer.byteLength(body);
  res.writeHead(status, [...headers, 'Content-Length', String(length)]);
  // Plain ASCII needs no encoding, and Node writes it in one piece with the headers.
  res.end(body, length === body.length ? 'latin1' : 'utf8');
}

/** Answers with a problem (RFC 9457). @param status another than the problem's own, for callers that take only a few */
export function sendProblem(
  res: ServerResponse,
  refusal: Refusal,
  requestId: string,
  headers: readonly string[],
  status: number = PROBLEMS[refusal.code][0],
): void {
  const all = [...headers, ...Object.entries(problemHeaders(refusal)).flat()];
  send(res, status, all, JSON.stringify(problemBody(refusal, requestId)));
}
