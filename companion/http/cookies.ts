import { getCookie, setCookie } from 'hono/cookie';
import type { Ctx } from './context.ts';

const isHttps = (publicUrl: string) => publicUrl.startsWith('https:');
// The prefix makes a browser accept the cookie only from this host, over https (RFC 6265bis).
const cookieName = (https: boolean) => (https ? '__Host-heex_session' : 'heex_session');

/** The session token of the companion's own pages. Over https only the prefixed one counts: a neighbour can't have set it. */
export function readSessionCookie(c: Ctx, publicUrl: string): string | undefined {
  return getCookie(c, cookieName(isHttps(publicUrl)));
}

/** Hands the browser its session: out of reach of scripts, and not sent along from other sites' forms. */
export function writeSessionCookie(c: Ctx, publicUrl: string, token: string, expiresAt: Date): void {
  const https = isHttps(publicUrl);
  setCookie(c, cookieName(https), token, {
    path: '/',
    httpOnly: true,
    sameSite: 'Lax',
    secure: https,
    expires: expiresAt,
  });
}

/** Ends it in the browser. */
export function clearSessionCookie(c: Ctx, publicUrl: string): void {
  const https = isHttps(publicUrl);
  setCookie(c, cookieName(https), '', { path: '/', httpOnly: true, sameSite: 'Lax', secure: https, maxAge: 0 });
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a changing request with the cookie was sent by another site's page (Fetch Metadata, with Origin for older browsers). */
export function crossSite(c: Ctx): boolean {
  if (SAFE.has(c.req.method)) return false;
  const site = c.req.header('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const origin = c.req.header('origin');
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== c.req.header('host'));
}
