import * as z from 'zod/mini';

/**
 * How the extension asks for a session: it opens `{origin}/connect` with these parameters, the person approves there, and
 * the page ends at `{origin}/connect/done` with `#code=…&state=…` or `#error=access_denied&state=…`. The code is exchanged
 * with the verifier at `POST /v1/connect/token` (RFC 7636, S256 only).
 */
export const CONNECT_PATH = '/connect';
export const CONNECT_DONE_PATH = '/connect/done';
/** How long an approval may take, in milliseconds. */
export const CONNECT_LIFETIME_MS = 10 * 60_000;

const opaque = z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/, 'must be 43 base64url characters'));

export const connectQuery = z.strictObject({
  client: z.literal('extension'),
  /** Browser and operating system, as the list of sessions will name it. */
  label: z.string().check(z.trim(), z.minLength(1), z.maxLength(100), z.regex(/^[^\p{C}]*$/u)),
  state: opaque,
  code_challenge: opaque,
  code_challenge_method: z.literal('S256'),
});
export type ConnectQuery = z.infer<typeof connectQuery>;

// Consonants only, as RFC 8628 (6.1) proposes: no words, nothing that reads like another letter.
export const CODE_LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

/**
 * Eight letters that both ends show, so that a person sees that the page asks for the browser in front of them.
 * @param challenge the S256 code challenge, base64url
 */
export function matchCode(challenge: string): string {
  const bytes = atob(challenge.replaceAll('-', '+').replaceAll('_', '/'));
  return [...bytes.slice(0, 8)].map((c) => CODE_LETTERS.charAt(c.charCodeAt(0) % CODE_LETTERS.length)).join('');
}
