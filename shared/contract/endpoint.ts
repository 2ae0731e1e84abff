import type * as z from 'zod/mini';
import type { Action } from './actions.ts';
import type { ProblemCode } from './errors.ts';

/** What a caller has to show: nothing, a person's session, an API key, a verifier secret, a SCIM token, or one of its own. */
export type Credential = 'none' | 'session' | 'optional_session' | 'key' | 'verifier' | 'scim' | 'own';

type Schema = z.ZodMiniType;

/**
 * One operation of the HTTP interface, as data. The server binds it, clients parse answers with it, the OpenAPI document
 * and the generated tests are made from it.
 */
export interface Endpoint {
  /** `operationId` of the OpenAPI document. */
  id: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with `:name` parameters. */
  path: `/${string}`;
  summary: string;
  credential: Credential;
  /** What the session's role must allow; `domain/access` says to whom. Only for paths below a workspace. */
  action?: Action;
  query?: Schema;
  body?: Schema;
  /** Answers under every method; `method` is the one that the reference shows. */
  anyMethod?: boolean;
  /** Every success status with the schema of its body; `undefined` where there is none. */
  answers: Readonly<Record<number, Schema | undefined>>;
  /** The media types of the body where it is not only JSON. */
  accepts?: readonly string[];
  /** The media types of the answer where it is no JSON. */
  produces?: readonly string[];
  /** Errors have the form of RFC 6749 (5.2) or RFC 7644 (3.12) rather than that of RFC 9457. */
  errors?: 'oauth' | 'scim';
  /** Codes beyond those that credential, action and input imply. */
  problems?: readonly ProblemCode[];
  /** `Idempotency-Key` is honoured. */
  idempotent?: boolean;
  /** `If-Match` is honoured (RFC 9110, 13.1.1). */
  ifMatch?: boolean;
  /** The answer carries a secret: it must not be stored by any cache. */
  secret?: boolean;
  /** A recent sign-in is asked for. */
  stepUp?: boolean;
}

/** Declares an operation; the literal types are kept, so that binding and calling it are checked. */
export function endpoint<const E extends Endpoint>(e: E): E {
  return e;
}

type Names<P extends string> = P extends `${string}:${infer N}/${infer R}`
  ? N | Names<R>
  : P extends `${string}:${infer N}`
    ? N
    : never;
type Output<S> = S extends Schema ? z.infer<S> : undefined;
type Input<S> = S extends Schema ? z.input<S> : undefined;

export type ParamsOf<E extends Endpoint> = Record<Names<E['path']>, string>;
export type QueryOf<E extends Endpoint> = Output<E['query']>;
export type BodyOf<E extends Endpoint> = Output<E['body']>;
export type BodyInput<E extends Endpoint> = Input<E['body']>;
export type QueryInput<E extends Endpoint> = Input<E['query']>;
export type StatusOf<E extends Endpoint> = Extract<keyof E['answers'], number>;
/** The body of any success answer. */
export type AnswerOf<E extends Endpoint> = { [S in StatusOf<E>]: Output<E['answers'][S]> }[StatusOf<E>];
