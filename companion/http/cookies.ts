import { getCookie, setCookie } from 'hono/cookie';
import type { Ctx } from './context.ts';

const isHttps = (publicUrl: string) => publicUrl.startsWith('https:');
// The prefix makes a browser accept the cookie only from this host, over https (RFC 6265bis).
const hostCookie = (https: boolean, name: string) => (https ? `__Host-${name}` : name);
const cookieName = (https: boolean) => hostCookie(https, 'heex_session');

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

/** Something sealed that this browser carries from one step of a sign-in to the next. */
export type StepCookie = 'heex_sso' | 'heex_passkey';

/** @param lifetimeMs in milliseconds */
export function writeStepCookie(c: Ctx, publicUrl: string, name: StepCookie, value: string, lifetimeMs: number): void {
  const secure = isHttps(publicUrl);
  // Coming back from the identity provider is a navigation from another site: Strict would leave the cookie out.
  const sameSite = name === 'heex_sso' ? 'Lax' : 'Strict';
  const maxAge = Math.ceil(lifetimeMs / 1000);
  setCookie(c, hostCookie(secure, name), value, { path: '/', httpOnly: true, sameSite, secure, maxAge });
}

/** What the browser brought back, which it then forgets: every step can be taken once. */
export function takeStepCookie(c: Ctx, publicUrl: string, name: StepCookie): string | undefined {
  const value = getCookie(c, hostCookie(isHttps(publicUrl), name));
  if (value !== undefined) writeStepCookie(c, publicUrl, name, '', 0);
  return value;
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
