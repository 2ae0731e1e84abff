import type { IncomingMessage } from 'node:http';
import { cutUserAgent } from '../../shared/contract/verify.ts';
import { repeatedHeader } from '../../shared/presented-key.ts';
import { Refusal } from '../domain/refusal.ts';
import type { AddressOf } from './client-address.ts';
import type { App, Ctx } from './context.ts';
import { describeError, type Log } from './log.ts';
import { problemResponse, toRefusal } from './problems.ts';
import { isScim, scimRefused } from './scim/answer.ts';

export interface GuardOptions {
  /** Values of `Host` that are answered, lower case. */
  hosts: ReadonlySet<string>;
  log: Log;
  requestId(): string;
  addressOf: AddressOf;
  secureHeaders: SecureHeaders;
}

/** Headers of which a second one would let two servers read one request differently. */
const repeatedSingle = repeatedHeader([
  'host',
  'authorization',
  'x-api-key',
  'x-heex-verifier',
  'content-type',
  'content-length',
  'idempotency-key',
]);

/** @throws Refusal bad_request */
export function refuseRepeatedHeaders(rawHeaders: readonly string[]): void {
  const name = repeatedSingle(rawHeaders);
  if (name !== undefined)
    throw new Refusal('bad_request', `${name}: is there more than once`, [
      { path: name, message: 'is there more than once' },
    ]);
}

/** A browser on a name that an attacker points at this server (DNS rebinding) sends that name: only ours are answered. */
export function refuseWrongHost({ headers, url }: IncomingMessage, hosts: ReadonlySet<string>): void {
  if (!hosts.has((headers.host ?? '').toLowerCase())) throw new Refusal('wrong_host');
  if (url && !url.startsWith('/')) throw new Refusal('bad_request', 'The request target has to be a path.');
}

const SECURITY_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};
/** A page has its own of these. */
const PAGES_OWN = new Set(['Content-Security-Policy', 'Referrer-Policy']);
export const API_POLICY = "default-src 'none'; frame-ancestors 'none'";

export type SecureHeaders = Readonly<Record<string, string>>;

/** What every answer carries. @param https whether browsers reach the companion by https */
export function secureHeaders(https: boolean): SecureHeaders {
  return {
    ...SECURITY_HEADERS,
    'Content-Security-Policy': API_POLICY,
    'Referrer-Policy': 'no-referrer',
    ...(https ? { 'Strict-Transport-Security': 'max-age=31536000' } : {}),
  };
}

const userAgentOf = (c: Ctx) => cutUserAgent(c.req.header('user-agent') ?? '') || null;

/** What goes around every request: its id, the checks that come before any route, headers, the log line, the mapping of errors. */
export function guard(app: App, options: GuardOptions): void {
  const { log } = options;
  app.use(async (c, next) => {
    const started = performance.now();
    const requestId = options.requestId();
    c.set('origin', { requestId, ip: null, userAgent: userAgentOf(c) });
    refuseRepeatedHeaders(c.env.incoming.rawHeaders);
    refuseWrongHost(c.env.incoming, options.hosts);
    c.set('origin', {
      requestId,
      ip: options.addressOf(c.env.incoming),
      userAgent: userAgentOf(c),
    });
    await next();
    finish(c, options, requestId);
    log('info', 'request', {
      id: requestId,
      method: c.req.method,
      route: routeOf(c),
      status: c.env.upgrade?.take ? 101 : c.res.status,
      ms: Math.round(performance.now() - started),
    });
  });
  app.onError((error, c) => {
    const { requestId } = c.get('origin');
    const refusal = toRefusal(error);
    if (refusal.code === 'internal')
      log('error', 'fault', { id: requestId, route: routeOf(c), ...describeError(error) });
    const response = isScim(c.req.path) ? scimRefused(refusal) : problemResponse(refusal, requestId);
    c.res = response;
    finish(c, options, requestId);
    return c.res;
  });
  app.notFound((c) => problemResponse(new Refusal('not_found'), c.get('origin').requestId));
}

// The pattern, not the path: ids and codes stay out of the log.
const routeOf = (c: Ctx): string => c.req.routePath;

function finish(c: Ctx, options: GuardOptions, requestId: string): void {
  const { headers } = c.res;
  headers.set('X-Request-Id', requestId);
  for (const [name, value] of Object.entries(options.secureHeaders)) {
    if (!PAGES_OWN.has(name) || !headers.has(name)) headers.set(name, value);
  }
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store');
}
