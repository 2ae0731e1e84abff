import { html } from 'hono/html';
import { people } from '../../../shared/contract/people.ts';
import type { Deps } from '../../app/deps.ts';
import { endSession, signIn } from '../../app/sessions.ts';
import { listSsoButtons } from '../../app/sso-settings.ts';
import { Refusal } from '../../domain/refusal.ts';
import { browserLabel } from '../browser-label.ts';
import type { Ctx } from '../context.ts';
import { clearSessionCookie } from '../cookies.ts';
import { check, type Errors, field, focused, hidden, localPath, tooOften, type Values } from './form.ts';
import { callout, type Html, heading, NOTHING, render } from './layout.ts';
import { type Pages, seeOther, signedIn } from './route.ts';
import { or, PASSKEY_SCRIPT, passkeyButton, passkeyTrouble, ssoButtons, submitClass } from './ways.ts';

/** C2, and signing out. `next` is where to go on, a path of ours. */
export function signInPages(pages: Pages, deps: Deps): void {
  pages.get('/signin', async ({ c, caller }) => {
    const next = localPath(c.req.query('next'));
    if (caller) return seeOther(c, next);
    if (!(await workspaceName(deps))) return seeOther(c, '/setup');
    return form(c, deps, { next }, {});
  });
  pages.post('/signin', async ({ c, caller, form: sent, origin }) => {
    const { next: wish, ...values } = sent;
    const next = localPath(wish);
    const checked = check(people.createSession.body, values);
    if (!checked.ok) return form(c, deps, { ...values, next }, checked.errors, { status: 400 });
    try {
      const { session } = await signIn(deps, checked.data, origin, 'web', browserLabel(origin.userAgent));
      if (caller) await endSession(deps, caller, 'current').catch(() => undefined);
      return signedIn(c, deps, session, next);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return refused(c, deps, { ...values, next }, error);
    }
  });
  pages.post('/signout', async ({ c, caller, form: values }) => {
    if (caller) await endSession(deps, caller, 'current').catch(() => undefined);
    clearSessionCookie(c, deps.config.publicUrl);
    // Somebody else's invitation was opened: on to it again, now as nobody.
    if (values.invitation) return seeOther(c, `/accept#${encodeURIComponent(values.invitation)}`);
    const next = localPath(values.next);
    return seeOther(c, next === '/' ? '/signin' : `/signin?next=${encodeURIComponent(next)}`);
  });
}

async function workspaceName(deps: Deps): Promise<string | undefined> {
  return (await deps.store.read.selectFrom('workspace').select('name').executeTakeFirst())?.name;
}

function refused(c: Ctx, deps: Deps, values: Values, refusal: Refusal): Promise<Response> {
  if (refusal.code === 'rate_limited')
    return form(
      c,
      deps,
      values,
      {},
      {
        status: 429,
        notice: tooOften(refusal),
        headers: refusal.headers,
      },
    );
  if (refusal.code !== 'unauthorized') throw refusal;
  return form(
    c,
    deps,
    values,
    { password: '' },
    {
      status: 401,
      notice: callout('bad', 'E-mail and password don’t match.', 'Check both and try again.'),
    },
  );
}

interface Answer {
  status?: number;
  notice?: Html;
  headers?: Readonly<Record<string, string>>;
}

async function form(c: Ctx, deps: Deps, values: Values, errors: Errors, answer: Answer = {}): Promise<Response> {
  const { status = 200, notice, headers = {} } = answer;
  const focus = focused(errors, ['email', 'password'], 'email');
  const next = values.next ?? '/';
  const [buttons, passkey] = [await listSsoButtons(deps), deps.passkeys.available()];
  const response = await render(c, deps.config.publicUrl, {
    title: status === 200 ? 'Sign in' : 'Error: sign in',
    status,
    scripts: ['reveal.js', PASSKEY_SCRIPT],
    body: html`${heading('Sign in', (await workspaceName(deps)) ?? '')}
      <div class="stack form">
      ${notice ?? NOTHING}
      ${passkeyTrouble}
      ${passkey ? passkeyButton('sign-in', 'Continue with a passkey', next, { primary: status === 200 }) : NOTHING}
      ${ssoButtons(buttons, (name) => `Continue with ${name}`, { purpose: 'sign_in', returnTo: next })}
      ${or('or with a password', { passkey, sso: buttons.length })}
      <form class="stack form" method="post" action="/signin" novalidate>
        ${hidden({ next })}
        ${field({
          name: 'email',
          label: 'E-mail',
          type: 'email',
          autocomplete: 'username',
          value: values.email,
          error: errors.email,
          autofocus: focus === 'email',
        })}
        ${field({
          name: 'password',
          label: 'Password',
          type: 'password',
          autocomplete: 'current-password',
          error: errors.password,
          autofocus: focus === 'password',
        })}
        <div class="row row--between"><a class="link small" href="/forgot">Forgot password?</a><button type="submit" class="${submitClass(passkey && status === 200)}" data-submit>Sign in</button></div>
      </form></div>`,
  });
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}
