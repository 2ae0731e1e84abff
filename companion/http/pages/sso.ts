import { html } from 'hono/html';
import * as z from 'zod/mini';
import { PROBLEMS } from '../../../shared/contract/errors.ts';
import { id } from '../../../shared/contract/fields.ts';
import type { Deps } from '../../app/deps.ts';
import { endSession } from '../../app/sessions.ts';
import { ATTEMPT_MS, openAttempt, SSO_PURPOSES, startSso } from '../../app/sso-attempt.ts';
import { finishSso } from '../../app/sso-finish.ts';
import { CALLBACK_PATH } from '../../app/sso-settings.ts';
import { Refusal } from '../../domain/refusal.ts';
import { browserLabel } from '../browser-label.ts';
import type { Ctx } from '../context.ts';
import { takeStepCookie, writeStepCookie } from '../cookies.ts';
import { toRefusal } from '../problems.ts';
import { check, localPath } from './form.ts';
import { heading, render } from './layout.ts';
import { type PageCall, type Pages, seeOther, signedIn } from './route.ts';

const startForm = z.object({
  workspaceId: id,
  purpose: z.enum(SSO_PURPOSES),
  token: z.optional(z.string().check(z.maxLength(200))),
  session: z.optional(id),
  next: z.optional(z.string()),
});

/** To the identity provider and back. */
export function ssoPages(pages: Pages, deps: Deps): void {
  pages.post('/sso/start', async ({ c, caller, form }) => {
    const checked = check(startForm, form);
    if (!checked.ok) throw new Refusal('bad_request');
    const { token, session, next, ...input } = checked.data;
    const returnTo = localPath(next);
    try {
      const wish = { ...input, invitationToken: token, sessionId: session, returnTo };
      const { url, sealed } = await startSso(deps, wish, caller);
      writeStepCookie(c, deps.config.publicUrl, 'heex_sso', sealed, ATTEMPT_MS);
      return onward(c, deps, url);
    } catch (error) {
      if (error instanceof Refusal && error.code === 'step_up_required')
        return seeOther(c, `/confirm?next=${encodeURIComponent(returnTo)}`);
      return failed(c, deps, error);
    }
  });
  pages.get(CALLBACK_PATH, (call) => arrived(call, deps));
}

/** A page that goes on by itself: a redirect would be the answer to a form, and those may only end here (CSP `form-action`). */
async function onward(c: Ctx, deps: Deps, url: string): Promise<Response> {
  const { host } = new URL(url);
  const response = await render(c, deps.config.publicUrl, {
    title: 'Single sign-on',
    body: html`${heading('One moment', `Going on to ${host}, where your account is.`)}
      <a class="btn btn--lg btn--block" href="${url}">Go on</a>`,
  });
  response.headers.set('Refresh', `0; url=${url}`);
  return response;
}

async function arrived({ c, caller, origin }: PageCall, deps: Deps): Promise<Response> {
  const attempt = openAttempt(deps, takeStepCookie(c, deps.config.publicUrl, 'heex_sso'));
  try {
    if (!attempt) throw new Refusal('bad_request', 'This took too long, or began in another browser. Start again.');
    // What browsers call us, which is what the provider was told; a proxy may call us something else.
    const callback = new URL(CALLBACK_PATH + new URL(c.req.url).search, deps.config.publicUrl);
    const session = await finishSso(deps, attempt, callback, caller, origin, browserLabel(origin.userAgent));
    if (!session) return seeOther(c, attempt.returnTo);
    if (caller) await endSession(deps, caller, 'current').catch(() => undefined);
    return signedIn(c, deps, session, attempt.returnTo);
  } catch (error) {
    return failed(c, deps, error);
  }
}

const TITLES: Partial<Record<Refusal['code'], string>> = {
  conflict: 'Link it first',
  not_found: 'This invitation can’t be used',
  unavailable: 'Single sign-on is out of reach',
};

function failed(c: Ctx, deps: Deps, error: unknown): Promise<Response> {
  const refusal = toRefusal(error);
  if (refusal.code === 'internal') throw error;
  const [status, title] = PROBLEMS[refusal.code];
  const notFound = 'It was used or withdrawn, is older than 7 days, or is for another e-mail address.';
  const text = refusal.message === title ? (refusal.code === 'not_found' ? notFound : 'Start again.') : refusal.message;
  const next = refusal.code === 'conflict' ? '/security' : '/';
  return render(c, deps.config.publicUrl, {
    title: 'Single sign-on',
    status,
    body: html`${heading(TITLES[refusal.code] ?? 'Not signed in', text)}
      <div class="stack form"><a class="btn btn--primary btn--lg btn--block" href="/signin?next=${encodeURIComponent(next)}">Go to sign-in</a>
      <p class="small muted">Request <code>${c.get('origin').requestId}</code></p></div>`,
  });
}
