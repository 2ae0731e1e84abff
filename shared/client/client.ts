import type { AnswerOf, BodyInput, Endpoint, ParamsOf, QueryInput } from '../contract/endpoint.ts';
import { PROBLEMS, problem } from '../contract/errors.ts';
import { type Failure, TRANSPORT_FAILURES, type TransportFailureCode } from './failure.ts';

/** A call that did not succeed: refused by the server, or lost on the way. */
export class FailureError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.title);
    this.name = 'FailureError';
    this.failure = failure;
  }
}

type Given<K extends string, T> = [T] extends [undefined] ? { [P in K]?: undefined } : { [P in K]: T };
type Params<E extends Endpoint> = keyof ParamsOf<E> extends never ? { params?: undefined } : { params: ParamsOf<E> };
/** What a call of an endpoint takes: its path parameters, query and body, as its declaration says. */
export type CallInput<E extends Endpoint> = Params<E> &
  Given<'query', QueryInput<E>> &
  Given<'body', BodyInput<E>> &
  Extra;

interface Extra {
  idempotencyKey?: string;
  /** The version that was looked at: the change is refused when there is a newer one (RFC 9110, 13.1.1). */
  ifMatch?: string;
  timeoutMs?: number;
}
interface Where {
  origin: string;
  token?: string | undefined;
}
export interface ClientDeps {
  fetch: typeof fetch;
}
/** Calls endpoints of a companion and checks what they answer. Throws `FailureError`. */
export interface Client {
  call<E extends Endpoint>(where: Where, endpoint: E, input: CallInput<E>): Promise<AnswerOf<E>>;
}

const TIMEOUT_MS = 15_000;

const lost = (code: TransportFailureCode): Failure => ({ code, title: TRANSPORT_FAILURES[code] });

interface AnyInput {
  params?: Record<string, string> | undefined;
  query?: unknown;
  body?: unknown;
}

function urlOf(origin: string, endpoint: Endpoint, { params = {}, query }: AnyInput): URL {
  const path = endpoint.path.replace(/:([A-Za-z]+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const url = new URL(path, origin);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The errors of the OAuth endpoints have a form of their own (RFC 6749, 5.2). */
function oauthError(body: unknown): Failure | undefined {
  const { error, error_description } = (body ?? {}) as { error?: unknown; error_description?: unknown };
  if (typeof error !== 'string') return undefined;
  return { code: error, title: typeof error_description === 'string' ? error_description : error };
}

function problemOf(status: number, body: unknown): Failure {
  const parsed = problem.safeParse(body);
  if (!parsed.success) return { ...(oauthError(body) ?? lost('bad_answer')), status };
  const { code, title, detail, requestId, errors, confirmAt } = parsed.data;
  return {
    code,
    title: code in PROBLEMS ? PROBLEMS[code as keyof typeof PROBLEMS][1] : title,
    status,
    requestId,
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
    ...(confirmAt === undefined ? {} : { confirmAt }),
  };
}

/** One typed client over the contract, for whatever can `fetch`. */
export function createClient(deps: ClientDeps): Client {
  async function send(where: Where, endpoint: Endpoint, input: AnyInput & Extra) {
    const headers = new Headers({ Accept: endpoint.produces ? '*/*' : 'application/json' });
    if (where.token) headers.set('Authorization', `Bearer ${where.token}`);
    if (input.idempotencyKey) headers.set('Idempotency-Key', input.idempotencyKey);
    if (input.ifMatch) headers.set('If-Match', `"${input.ifMatch}"`);
    if (input.body !== undefined) headers.set('Content-Type', 'application/json');
    const signal = AbortSignal.timeout(input.timeoutMs ?? TIMEOUT_MS);
    try {
      const response = await deps.fetch(urlOf(where.origin, endpoint, input), {
        method: endpoint.method,
        headers,
        signal,
        // The token goes to this origin alone: no cookies with it, nothing kept, no redirect followed.
        credentials: 'omit',
        cache: 'no-store',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
        ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
      });
      const file = endpoint.produces !== undefined && response.ok;
      return { status: response.status, body: file ? await response.text() : await bodyOf(response) };
    } catch {
      throw new FailureError(lost(signal.aborted ? 'timeout' : 'network'));
    }
  }

  return {
    async call(where, endpoint, input) {
      const { status, body } = await send(where, endpoint, input as AnyInput);
      if (!(status in endpoint.answers)) throw new FailureError(problemOf(status, body));
      const schema = endpoint.answers[status];
      if (!schema) return undefined as AnswerOf<typeof endpoint>;
      const parsed = schema.safeParse(body);
      if (!parsed.success) throw new FailureError({ ...lost('bad_answer'), status });
      return parsed.data as AnswerOf<typeof endpoint>;
    },
  };
}

/** Failures after which it is not known whether the server has done what it was asked. */
export const isUnsure = (failure: Failure): boolean =>
  ['network', 'timeout', 'bad_answer'].includes(failure.code) || (failure.status ?? 0) >= 500;
