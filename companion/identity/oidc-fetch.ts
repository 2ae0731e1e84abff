import * as client from 'openid-client';

/** A provider that does not answer must not keep a sign-in, or the owner's settings, waiting for long. */
export const TIMEOUT_SECONDS = 8;
const BODY_LIMIT = 512 * 1024;

/** http is for a provider on this very machine (tests, development); everything else is https. */
export function usesPlainHttp(issuer: URL): boolean {
  const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(issuer.hostname);
  return issuer.protocol === 'http:' && loopback;
}

class ProviderFault extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

async function limited(response: Response): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new ProviderFault('too_large');
    chunks.push(chunk);
  }
  const { status, headers } = response;
  return new Response(size ? Buffer.concat(chunks) : null, { status, headers });
}

/**
 * Requests to a provider: only https (or loopback, when the issuer itself is there), never following a redirect, with a limit on
 * the size of the answer. The metadata names the addresses, so each one is looked at here.
 */
export function providerFetch(plainHttp: boolean): client.CustomFetch {
  return async (url, options) => {
    const target = new URL(url);
    if (target.protocol !== 'https:' && !(plainHttp && usesPlainHttp(target))) throw new ProviderFault('not_https');
    const { body, headers, method, signal } = options;
    return limited(
      await fetch(url, {
        method,
        headers,
        redirect: 'manual',
        ...(body === undefined || body === null ? {} : { body: body as BodyInit }),
        signal: signal ?? AbortSignal.timeout(TIMEOUT_SECONDS * 1000),
      }),
    );
  };
}

export interface Fault {
  /** For the log. */
  code: string;
  /** Whether the provider was out of reach, rather than wrong. */
  away: boolean;
  /** For the person who signs in. */
  message: string;
  /** For the owner who sets it up: what is wrong with the issuer. */
  discovery: string;
}

const word = (text: unknown) => (typeof text === 'string' && /^[a-z0-9_]{1,60}$/i.test(text) ? text : 'unknown_error');

/** What may be said of a failed exchange: never the provider's words, which can hold anything. */
export function faultOf(error: unknown): Fault {
  const fault = (code: string, away: boolean, message: string, discovery: string): Fault => ({
    code,
    away,
    message,
    discovery,
  });
  if (error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError) {
    const said = word(error.error);
    return fault(said, false, `The identity provider refused: ${said}.`, `the provider refused: ${said}`);
  }
  const codes = causes(error);
  if (codes.some((c) => c === 'OAUTH_TIMEOUT' || c === 'TimeoutError' || c === 'AbortError'))
    return fault('timeout', true, 'The identity provider does not answer.', 'does not answer');
  const network = codes.find((c) =>
    /^(E[A-Z_]+|UND_ERR_\w+|CERT_\w+|DEPTH_ZERO\w+|UNABLE_\w+|SELF_SIGNED\w+|ERR_TLS\w+)$/.test(c),
  );
  if (network) return fault(network, true, 'The identity provider can’t be reached.', `can't be reached (${network})`);
  if (error instanceof Error && messages(error).some((m) => m.includes('"auth_time"') && m.includes('missing')))
    return fault(
      'no_auth_time',
      false,
      'Your identity provider does not say when you signed in, so it can’t confirm that it is you. Confirm with a password or a passkey.',
      'does not say when somebody signed in (auth_time)',
    );
  const code = word(codes[0]);
  const discovery: Record<string, string> = {
    OAUTH_RESPONSE_IS_NOT_CONFORM:
      'there is no OpenID Connect provider: /.well-known/openid-configuration is not there',
    OAUTH_RESPONSE_IS_NOT_JSON: 'there is no OpenID Connect provider: /.well-known/openid-configuration is not JSON',
    OAUTH_PARSE_ERROR: 'there is no OpenID Connect provider: /.well-known/openid-configuration is not JSON',
    OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED: 'the provider calls itself by another issuer: use exactly what it says',
  };
  return fault(
    code,
    false,
    'The answer of the identity provider could not be verified. Start again.',
    discovery[code] ?? `is not a usable OpenID Connect provider (${code})`,
  );
}

function messages(error: unknown): string[] {
  const said: string[] = [];
  for (let e = error; e instanceof Error && said.length < 10; e = e.cause) said.push(e.message);
  return said;
}

function causes(error: unknown): string[] {
  const codes: string[] = [];
  for (let e = error; e instanceof Error && codes.length < 10; e = e.cause) {
    const { code } = e as { code?: unknown };
    codes.push(typeof code === 'string' ? code : e.name);
  }
  return codes;
}
