import { html } from 'hono/html';
import { people } from '../../../shared/contract/people.ts';
import type { Deps } from '../../app/deps.ts';
import { isSetUp, setUp } from '../../app/setup.ts';
import { Refusal } from '../../domain/refusal.ts';
import { browserLabel } from '../browser-label.ts';
import type { Ctx } from '../context.ts';
import { check, type Errors, errorsOf, field, focused, type Values } from './form.ts';
import { callout, heading, NOTHING, render } from './layout.ts';
import { type Pages, seeOther, signedIn } from './route.ts';
import { PASSKEY_SCRIPT, passkeyButton, passkeyTrouble } from './ways.ts';

const ORDER = ['token', 'workspace', 'name', 'email', 'password'];

/** C1: whoever opens the setup link becomes the owner. */
export function setupPage(pages: Pages, deps: Deps): void {
  pages.get('/setup', async ({ c }) => {
    if (await isSetUp(deps.store.read)) return alreadyDone(c, deps);
    return form(c, deps, {}, {});
  });
  pages.post('/setup', async ({ c, form: values, origin }) => {
    const checked = check(people.setup.body, values);
    if (!checked.ok) return form(c, deps, values, checked.errors, 400);
    try {
      const { session } = await setUp(deps, checked.data, origin, 'web', browserLabel(origin.userAgent));
      return signedIn(c, deps, session, '/');
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.code === 'conflict') return seeOther(c, '/setup');
      if (error.code === 'bad_request') return form(c, deps, values, errorsOf(error.errors), 400);
      if (error.code !== 'unauthorized') throw error;
      return form(c, deps, values, { token: 'This code is not the one of the last start.' }, 401);
    }
  });
}

function alreadyDone(c: Ctx, deps: Deps): Promise<Response> {
  return render(c, deps.config.publicUrl, {
    title: 'Already set up',
    status: 409,
    body: html`${heading('This server is set up already', 'Sign in, or ask an admin to invite you.')}
      <a class="btn btn--primary btn--lg btn--block" href="/signin">Sign in</a>`,
  });
}

function form(c: Ctx, deps: Deps, values: Values, errors: Errors, status = 200): Promise<Response> {
  const focus = focused(errors, ORDER, 'workspace');
  const passkey = deps.passkeys.available();
  const common = (name: string) => ({
    name,
    value: values[name],
    error: errors[name],
    autofocus: focus === name,
  });
  return render(c, deps.config.publicUrl, {
    title: status === 200 ? 'Set up' : 'Error: set up',
    status,
    size: 'wide-card',
    scripts: ['fragment.js', 'reveal.js', PASSKEY_SCRIPT],
    body: html`${heading('Set up Heex Keys', 'You are the first person here, so you become the owner.')}
      <form class="stack form" method="post" action="/setup" id="setup" novalidate>
        ${Object.keys(errors).length ? callout('bad', 'Not set up yet.', 'See what is marked below.') : NOTHING}
        ${field({
          ...common('token'),
          label: 'Setup code',
          autocomplete: 'one-time-code',
          mono: true,
          hint: 'Printed in the server’s log at its start.',
          fragment: true,
        })}
        ${field({ ...common('workspace'), label: 'Workspace', autocomplete: 'organization' })}
        <div class="cols cols--2 cols--tight">
          ${field({ ...common('name'), label: 'Your name', autocomplete: 'name' })}
          ${field({ ...common('email'), label: 'E-mail', type: 'email', autocomplete: 'username' })}
        </div>
        ${field({
          ...common('password'),
          label: 'Password',
          type: 'password',
          autocomplete: 'new-password',
          rule: html`10 characters or more.${passkey ? html`<span data-with-passkey> Or use a passkey and skip it.</span>` : NOTHING}`,
        })}
        ${passkeyTrouble}
        <button type="submit" class="btn btn--primary btn--lg btn--block">Create workspace</button>
        ${passkey ? passkeyButton('setup', 'Use a passkey instead', '/', { primary: false }) : NOTHING}
      </form>`,
  });
}
