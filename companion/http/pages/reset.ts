import { html } from 'hono/html';
import { passwords } from '../../../shared/contract/identity.ts';
import type { Deps } from '../../app/deps.ts';
import { forgotPassword, resetPassword } from '../../app/reset.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Ctx } from '../context.ts';
import { clearSessionCookie } from '../cookies.ts';
import { check, type Errors, field, focused, type Values } from './form.ts';
import { callout, heading, NOTHING, render } from './layout.ts';
import type { Pages } from './route.ts';

/** A forgotten password: asking for a link, and using it. */
export function resetPages(pages: Pages, deps: Deps): void {
  pages.get('/forgot', ({ c }) => askPage(c, deps, {}, {}));
  pages.post('/forgot', async ({ c, form, origin }) => {
    const checked = check(passwords.forgotPassword.body, form);
    if (!checked.ok) return askPage(c, deps, form, checked.errors);
    await forgotPassword(deps, checked.data.email, origin);
    return render(c, deps.config.publicUrl, {
      title: 'Look into your mail',
      body: html`${heading('Look into your mail', 'If there is an account of that address, a link is on its way. It works once, for an hour.')}
        <a class="link" href="/signin">Back to sign-in</a>`,
    });
  });
  pages.get('/reset', ({ c }) => newPage(c, deps, {}, {}));
  pages.post('/reset', async ({ c, form, origin }) => {
    const checked = check(passwords.resetPassword.body, form);
    if (!checked.ok) return newPage(c, deps, form, checked.errors);
    try {
      await resetPassword(deps, checked.data, origin, 'web');
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'not_found') throw error;
      return deadLink(c, deps);
    }
    clearSessionCookie(c, deps.config.publicUrl);
    return render(c, deps.config.publicUrl, {
      title: 'Password set',
      body: html`${heading('Your password is set', 'You are signed out everywhere. Passkeys work as before.')}
        <a class="btn btn--primary btn--lg btn--block" href="/signin">Sign in</a>`,
    });
  });
}

function deadLink(c: Ctx, deps: Deps): Promise<Response> {
  return render(c, deps.config.publicUrl, {
    title: 'Link not found',
    status: 404,
    body: html`${heading('This link can’t be used', 'It was used or withdrawn, or is older than an hour. Ask for a new one.')}
      <a class="link" href="/forgot">Ask for a new link</a>`,
  });
}

function askPage(c: Ctx, deps: Deps, values: Values, errors: Errors): Promise<Response> {
  if (!deps.mailer)
    return render(c, deps.config.publicUrl, {
      title: 'Forgotten password',
      body: html`${heading('Forgotten your password?', 'This server sends no mail. Ask an admin of your workspace for a reset link.')}
        <a class="link" href="/signin">Back to sign-in</a>`,
    });
  return render(c, deps.config.publicUrl, {
    title: errors.email ? 'Error: forgotten password' : 'Forgotten password',
    status: errors.email ? 400 : 200,
    body: html`${heading('Forgotten your password?', 'A link to set a new one comes by mail.')}
      <form class="stack form" method="post" action="/forgot" novalidate>
        ${field({
          name: 'email',
          label: 'E-mail',
          type: 'email',
          autocomplete: 'username',
          value: values.email,
          error: errors.email,
          autofocus: true,
        })}
        <button type="submit" class="btn btn--primary btn--lg btn--block">Send the link</button>
        <a class="link" href="/signin">Back to sign-in</a>
      </form>`,
  });
}

function newPage(c: Ctx, deps: Deps, values: Values, errors: Errors): Promise<Response> {
  const focus = focused(errors, ['token', 'newPassword'], 'newPassword');
  const wrong = Object.keys(errors).length > 0;
  return render(c, deps.config.publicUrl, {
    title: wrong ? 'Error: set a new password' : 'Set a new password',
    status: wrong ? 400 : 200,
    scripts: ['fragment.js', 'reveal.js'],
    body: html`${heading('Set a new password', 'You are signed out everywhere else. Your keys go on working.')}
      <form class="stack form" method="post" action="/reset" novalidate>
        ${wrong ? callout('bad', 'Not set yet.', 'See what is marked below.') : NOTHING}
        ${field({
          name: 'token',
          label: 'Reset code',
          autocomplete: 'one-time-code',
          mono: true,
          hint: 'The last part of the link, after the # sign.',
          value: values.token,
          error: errors.token,
          autofocus: focus === 'token',
          fragment: true,
        })}
        ${field({
          name: 'newPassword',
          label: 'New password',
          type: 'password',
          autocomplete: 'new-password',
          rule: '10 characters or more.',
          error: errors.newPassword,
          autofocus: focus === 'newPassword',
        })}
        <button type="submit" class="btn btn--primary btn--lg btn--block">Set password</button>
      </form>`,
  });
}
