import type { IncomingMessage, ServerResponse } from 'node:http';
import { statusOf } from '../../../shared/check.ts';
import { PROBLEMS } from '../../../shared/contract/errors.ts';
import { authQuery, cutUserAgent, type RateState, type VerifyCode } from '../../../shared/contract/verify.ts';
import { keyOfRequest } from '../../../shared/presented-key.ts';
import { rateHeaders } from '../../../shared/rate-headers.ts';
import { Refusal } from '../../domain/refusal.ts';
import { identityHeaders } from '../identity-headers.ts';
import { validate } from '../validate.ts';
import type { Hot } from './listener.ts';
import { send, sendProblem } from './send.ts';

interface AuthAsk {
  nginx: boolean;
  permissions: string[] | undefined;
  customer: string | undefined;
}
const PLAIN: AuthAsk = { nginx: false, permissions: undefined, customer: undefined };

const ENVOY = '/v1/auth/envoy/';

/** Whether that is where gateways ask: `/v1/auth`, with or without a slash, and whatever Envoy appends to its own prefix. */
export const isAuthPath = (url: string): boolean => /^\/v1\/auth\/?(\?|$)/.test(url) || url.startsWith(ENVOY);

/** A gateway asks with the same query every time: what it means is worked out once. */
const understood = new Map<string, AuthAsk>();
const MOST_UNDERSTOOD = 1_000;

/**
 * What the query asks for. Below `/v1/auth/envoy/` it is not looked at: there Envoy appends what its client asked for.
 * @throws Refusal bad_request
 */
function readQuery(url: string): AuthAsk {
  const start = url.indexOf('?');
  if (start < 0 || url.startsWith(ENVOY)) return PLAIN;
  const text = url.slice(start + 1);
  const known = understood.get(text);
  if (known) return known;
  const search = new URLSearchParams(text);
  const given: Record<string, unknown> = {};
  for (const name of new Set(search.keys())) {
    const values = search.getAll(name);
    if (name !== 'permission' && values.length > 1)
      throw new Refusal('bad_request', `${name}: is there more than once`, [
        { path: name, message: 'is there more than once' },
      ]);
    given[name] = name === 'permission' ? values : values[0];
  }
  const { mode, permission, customer } = validate(authQuery, given);
  const ask = { nginx: mode === 'nginx', permissions: permission, customer };
  if (understood.size < MOST_UNDERSTOOD) understood.set(text, ask);
  return ask;
}

/** Whether nginx asks there. Told by the raw text, so that an error on the way to understanding it has the right form, too. */
export const wantsNginx = (url: string): boolean => !url.startsWith(ENVOY) && /[?&]mode=nginx(&|$)/.test(url);

/** `/v1/auth`, for gateways: the caller's key in, a status and identity headers out. Whatever the method. */
export function answerAuth(hot: Hot, req: IncomingMessage, res: ServerResponse, requestId: string): void {
  try {
    decideAuth(hot, req, res, requestId);
  } catch (error) {
    refuse(hot, res, hot.explain(error, requestId), requestId, wantsNginx(req.url ?? ''));
  }
}

function decideAuth(hot: Hot, req: IncomingMessage, res: ServerResponse, requestId: string): void {
  const { headers } = req;
  const admitted = hot.deps.checker.admit(headerText(headers['x-heex-verifier']) ?? '');
  if (!admitted) throw new Refusal('unauthorized');
  const ask = readQuery(req.url ?? '');
  const verdict = admitted.ask({
    // What no key can look like: a header that is there twice is as wrong as a malformed key.
    key: keyOfRequest(req) ?? '',
    permissions: ask.permissions,
    customer: ask.customer,
    ip: hot.addressOf(req),
    userAgent: cutUserAgent(headers['user-agent'] ?? '') || null,
    requestId,
  });
  if (!verdict.key) {
    refuse(hot, res, refusalOf(verdict), requestId, ask.nginx);
    return;
  }
  const given = hot.headers('application/json', requestId);
  given.push(...identityHeaders(verdict.key), ...Object.entries(rateHeaders(verdict.rateLimit, false)).flat());
  if (ask.nginx) given.push('X-Heex-Status', '200');
  send(res, 200, given, '{}');
}

const headerText = (value: string | string[] | undefined) => (Array.isArray(value) ? value.join() : value);

/** What the caller of the service learns: that the key is no good, or what it may not do. */
function refusalOf({ code, rateLimit }: { code: VerifyCode; rateLimit?: RateState | undefined }): Refusal {
  const status = statusOf(code);
  if (status === 401) return new Refusal('unauthorized');
  if (status === 429)
    return new Refusal('rate_limited', 'This key is over its rate limit.', [], rateHeaders(rateLimit, true));
  return new Refusal('forbidden', DENIED[code] ?? '');
}

const DENIED: Partial<Record<VerifyCode, string>> = {
  ip_not_allowed: 'This key may not be used from this address.',
  insufficient_permissions: 'This key lacks a permission that is needed here.',
  customer_not_allowed: 'This key may not be used for this customer.',
};

/** The status that nginx is answered, which makes a 500 of anything else; the true one stands beside it, in `X-Heex-Status`. */
export const statusForNginx = (status: number): 401 | 403 => (status === 401 ? 401 : 403);

function refuse(hot: Hot, res: ServerResponse, refusal: Refusal, requestId: string, nginx: boolean): void {
  const [status] = PROBLEMS[refusal.code];
  const headers = hot.headers('application/problem+json', requestId);
  if (!nginx) sendProblem(res, refusal, requestId, headers);
  else sendProblem(res, refusal, requestId, [...headers, 'X-Heex-Status', String(status)], statusForNginx(status));
}
