import type { StatusCode } from 'hono/utils/http-status';
import type { AnswerOf, BodyOf, Endpoint, ParamsOf, QueryOf, StatusOf } from '../../shared/contract/endpoint.ts';
import type { MemberCaller, SessionCaller } from '../app/caller.ts';
import type { HeldKey, Origin, Verifier } from '../app/deps.ts';
import type { Idempotency } from '../app/idempotency.ts';
import { badField, Refusal } from '../domain/refusal.ts';
import type { Authenticate } from './authenticate.ts';
import type { App, Ctx } from './context.ts';
import { FORM, parseOAuthForm } from './form.ts';
import { parseStrictJson } from './json.ts';
import { mediaType } from './media-type.ts';
import { oauthError } from './oauth.ts';
import { readBody } from './read-body.ts';
import { readQuery, validate } from './validate.ts';

/** Who calls, by the endpoint's declaration. */
type CallerOf<E extends Endpoint> = E extends { credential: 'session' }
  ? E extends { action: string }
    ? MemberCaller
    : SessionCaller
  : E extends { credential: 'optional_session' }
    ? SessionCaller | undefined
    : E extends { credential: 'verifier' }
      ? Verifier
      : E extends { credential: 'key' }
        ? HeldKey
        : undefined;

export interface Call<E extends Endpoint> {
  params: ParamsOf<E>;
  query: QueryOf<E>;
  body: BodyOf<E>;
  caller: CallerOf<E>;
  origin: Origin;
  /** The Idempotency-Key with what it stands for; undefined where none was sent. */
  idempotency: Idempotency | undefined;
  c: Ctx;
}

/** Answers with the body, with a `Reply`, or with a `Response` where the answer is no JSON. */
export type Handler<E extends Endpoint> = (call: Call<E>) => Promise<AnswerOf<E> | Reply<E> | Response>;
export type Handlers<G extends Record<string, Endpoint>> = { [K in keyof G]: Handler<G[K]> };

/** An answer with a status other than the endpoint's first, or with headers. */
export class Reply<E extends Endpoint> {
  readonly status: StatusOf<E>;
  readonly body: AnswerOf<E>;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: StatusOf<E>, body: AnswerOf<E>, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** @returns `body` as the endpoint takes it; `input` as it was sent, none counting as one without fields */
async function readInput(c: Ctx, endpoint: Endpoint): Promise<{ body: unknown; input: unknown }> {
  if (endpoint.method === 'GET' || endpoint.method === 'DELETE') return { body: undefined, input: {} };
  const bytes = await readBody(c);
  // An operation whose fields are all optional takes no body at all, too.
  if (!bytes.length) return { body: endpoint.body ? validate(endpoint.body, {}) : undefined, input: {} };
  const type = mediaType(c.req.header('content-type'));
  const accepts: readonly string[] = endpoint.accepts ?? ['application/json'];
  if (!accepts.includes(type))
    throw new Refusal('unsupported_media_type', `The body has to be ${accepts.join(' or ')}.`);
  const input = type === FORM ? parseOAuthForm(bytes) : parseStrictJson(bytes);
  if (endpoint.body) return { body: validate(endpoint.body, input), input };
  const fields = input !== null && typeof input === 'object' && !Array.isArray(input) ? Object.keys(input) : undefined;
  if (!fields) throw new Refusal('bad_request', 'This takes no body.');
  if (fields[0] !== undefined) throw badField(fields[0], 'is not a known field');
  return { body: undefined, input };
}

function readIdempotencyKey(c: Ctx, endpoint: Endpoint, body: unknown): Idempotency | undefined {
  const key = endpoint.idempotent ? c.req.header('idempotency-key') : undefined;
  if (key === undefined) return undefined;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) throw badField('Idempotency-Key', 'must be 1 to 255 visible ASCII characters');
  return { key, body };
}

/** Binds one endpoint of the contract: credential first, then input, then the handler. */
export function bind<E extends Endpoint>(app: App, endpoint: E, authenticate: Authenticate, handler: Handler<E>): void {
  app.on(endpoint.method, endpoint.path, async (c) => {
    if (endpoint.errors !== 'oauth') return respond(c, endpoint, authenticate, handler);
    return respond(c, endpoint, authenticate, handler).catch(oauthError);
  });
}

async function respond<E extends Endpoint>(
  c: Ctx,
  endpoint: E,
  authenticate: Authenticate,
  handler: Handler<E>,
): Promise<Response> {
  const caller = await authenticate(c, endpoint);
  const query = validateQuery(c, endpoint);
  const { body, input } = await readInput(c, endpoint);
  const result = await handler({
    params: c.req.param(),
    query,
    body,
    caller,
    origin: c.get('origin'),
    idempotency: readIdempotencyKey(c, endpoint, input),
    c,
    // What the declaration promises was just checked against it; the compiler can't follow that.
  } as unknown as Call<E>);
  if (result instanceof Response) return result;
  const reply = result instanceof Reply ? result : undefined;
  const status = reply ? Number(reply.status) : Number(Object.keys(endpoint.answers)[0]);
  const answer = reply ? reply.body : result;
  // By the context, not as a bare response: cookies that the handler set go along.
  return c.newResponse(answer === undefined ? null : JSON.stringify(answer), status as StatusCode, {
    ...(answer === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...reply?.headers,
  });
}

function validateQuery(c: Ctx, endpoint: Endpoint): unknown {
  const query = readQuery(new URL(c.req.url).searchParams);
  if (endpoint.query) return validate(endpoint.query, query);
  const unknown = Object.keys(query)[0];
  if (unknown !== undefined) throw badField(unknown, 'is not a known parameter');
  return undefined;
}

/** Binds a group of endpoints; a missing handler does not compile. */
export function bindAll<G extends Record<string, Endpoint>>(
  app: App,
  group: G,
  authenticate: Authenticate,
  handlers: Handlers<G>,
): void {
  for (const name of Object.keys(group))
    bind(app, group[name] as Endpoint, authenticate, handlers[name] as unknown as Handler<Endpoint>);
}
