import { tokenOf } from '../../shared/presented-key.ts';
import type { KeyChecker, Verifier } from '../app/deps.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Ctx } from './context.ts';
import { FORM, parseOAuthForm } from './form.ts';
import { mediaType } from './media-type.ts';
import { readBody } from './read-body.ts';

const REALM = 'realm="heex-keys"';

/**
 * The password of an `Authorization: Basic …` header, as OAuth clients send their secret: form-encoded (RFC 6749, 2.3.1). The
 * user name is not looked at: a verifier is known by its secret.
 */
function passwordOf(authorization: string): string | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, 'base64').toString('latin1');
  const password = pair.slice(pair.indexOf(':') + 1);
  return new URLSearchParams(`p=${password.replaceAll('&', '%26')}`).get('p') ?? '';
}

/** What is asked for instead of what was shown (RFC 6749, 5.2; RFC 6750, 3.1). */
function challengeFor(authorization: string | undefined): string {
  if (authorization === undefined) return `Bearer ${REALM}, Basic ${REALM}`;
  return /^Bearer\b/i.test(authorization) ? `Bearer ${REALM}, error="invalid_token"` : `Basic ${REALM}`;
}

/** The secret that a client sends in the form (RFC 6749, 2.3.1). @throws Refusal bad_request */
async function secretInForm(c: Ctx): Promise<string | undefined> {
  if (mediaType(c.req.header('content-type')) !== FORM) return undefined;
  return parseOAuthForm(await readBody(c)).client_secret;
}

/**
 * The verifier that an OAuth client shows itself as: by bearer token, by `client_secret_basic`, or by `client_secret_post`. It is
 * known by its secret; the client id is not looked at.
 * @throws Refusal unauthorized with the fitting challenge, bad_request for two ways at once
 */
export async function requireOAuthClient(c: Ctx, checker: KeyChecker): Promise<Verifier> {
  const authorization = c.req.header('authorization');
  const verifier =
    authorization === undefined
      ? checker.verifier((await secretInForm(c)) ?? '')
      : checker.verifier(tokenOf(authorization) ?? passwordOf(authorization) ?? '');
  if (!verifier) throw new Refusal('unauthorized', '', [], { 'WWW-Authenticate': challengeFor(authorization) });
  if (authorization !== undefined && (await secretInForm(c)) !== undefined)
    throw new Refusal('bad_request', 'client_secret: is there beside the Authorization header; use one of them');
  return verifier;
}
