import { html } from 'hono/html';
import type { SessionCaller } from '../../app/caller.ts';
import type { Deps } from '../../app/deps.ts';
import { readSessions } from '../../app/sessions.ts';
import { confirmSession } from '../../app/step-up.ts';
import { waysIn } from '../../app/ways-in.ts';
import { Refusal } from '../../domain/refusal.ts';
import { isRecent } from '../../domain/step-up.ts';
import type { Ctx } from '../context.ts';
import { signedInAs } from './accept.ts';
import { field, hidden, localPath } from './form.ts';
import { callout, type Html, heading, icon, NOTHING, render } from './layout.ts';
import { type Pages, seeOther } from './route.ts';
import { or, PASSKEY_SCRIPT, passkeyButton, passkeyTrouble, ssoButtons, submitClass } from './ways.ts';

const DONE = '/confirm/done';
const CLIENTS = { web: 'a browser', extension: 'the extension', cli: 'a command line', api: 'a program' };

interface Wish {
  /** Which session is to count as recently signed in; `current` for this browser. */
  session: string;
  next: string;
}

/** Before a dangerous action: prove again who you are. The extension opens this page with the id of its own session. */
export function confirmPages(pages: Pages, deps: Deps): void {
  const wishOf = (query: Record<string, string>): Wish => ({
    session: query.session ?? 'current',
    next: query.next === undefined ? DONE : localPath(query.next),
  });
  const pathOf = (wish: Wish) => `/confirm?${new URLSearchParams({ session: wish.session, next: wish.next })}`;
  pages.get('/confirm', async ({ c, caller }) => {
    const wish = wishOf(c.req.query());
    if (!caller) return seeOther(c, `/signin?next=${encodeURIComponent(pathOf(wish))}`);
    return page(c, deps, caller, wish);
  });
  pages.post('/confirm', async ({ c, caller, form }) => {
    const wish = wishOf(form);
    if (!caller) return seeOther(c, `/signin?next=${encodeURIComponent(pathOf(wish))}`);
    const { password } = form;
    try {
      await confirmSession(deps, caller, wish.session, password === undefined ? {} : { password }, undefined);
      return seeOther(c, wish.next);
    } catch (error) {
      if (!(error instanceof Refusal) || !['forbidden', 'step_up_required'].includes(error.code)) throw error;
      return page(c, deps, caller, wish, password === undefined ? 'Fill this in.' : 'The password doesn’t match.');
    }
  });
  pages.get(DONE, ({ c }) =>
    render(c, deps.config.publicUrl, {
      title: 'Confirmed',
      body: html`<div class="stack form centred"><span class="avatar avatar--done">${icon('check', 'lg')}</span>
        <div><h1>Confirmed</h1><p class="muted">Close this tab and try again, within 15 minutes.</p></div></div>`,
    }),
  );
}

async function page(c: Ctx, deps: Deps, caller: SessionCaller, wish: Wish, error?: string): Promise<Response> {
  const sessions = await readSessions(deps, caller);
  const target = sessions.find((s) => s.id === wish.session || (s.current && wish.session === 'current'));
  if (!target)
    return render(c, deps.config.publicUrl, {
      title: 'Somebody else’s',
      status: 404,
      body: html`${heading('This is for another account', 'Sign in as the person who uses that extension or command line.')}${signedInAs(caller, { next: `/confirm?session=${encodeURIComponent(wish.session)}` })}`,
    });
  const other = target.current
    ? NOTHING
    : html`<dl class="facts well facts--page"><dt>For</dt><dd>${CLIENTS[target.client]}</dd><dt>Called</dt><dd>${target.label}</dd>
        ${target.ip === null ? NOTHING : html`<dt>From</dt><dd><code>${target.ip}</code></dd>`}</dl>`;
  const recent = !target.current && isRecent(caller.session.authenticatedAt, deps.now());
  return render(c, deps.config.publicUrl, {
    title: error === undefined ? 'Confirm that it’s you' : 'Error: confirm that it’s you',
    status: error === undefined ? 200 : 403,
    scripts: ['reveal.js', PASSKEY_SCRIPT],
    body: html`${heading('Confirm that it’s you', target.current ? 'What comes next asks for a recent sign-in.' : 'Only confirm if you started this yourself, just now.')}
      <div class="stack form">
        ${other}
        ${recent ? oneClick(wish) : await proofs(deps, caller, wish, error)}
        ${signedInAs(caller, { next: '/' })}
      </div>`,
  });
}

const oneClick = (wish: Wish): Html =>
  html`<form method="post" action="/confirm">${hidden({ ...wish })}<button type="submit" class="btn btn--primary btn--lg btn--block">Confirm</button></form>`;

async function proofs(deps: Deps, caller: SessionCaller, wish: Wish, error: string | undefined): Promise<Html> {
  const ways = await waysIn(deps, caller);
  const linked = ways.providers.filter((p) => p.linked);
  const passkey = ways.passkeys.length > 0 && deps.passkeys.available();
  const sso = { purpose: 'confirm' as const, sessionId: wish.session, returnTo: wish.next };
  return html`${error === undefined ? NOTHING : callout('bad', 'Not confirmed.', 'See what is marked below.')}
    ${passkeyTrouble}
    ${passkey ? passkeyButton('confirm', 'Confirm with a passkey', wish.next, { primary: error === undefined, session: wish.session }) : NOTHING}
    ${ssoButtons(linked, (name) => `Confirm with ${name}`, sso)}
    ${ways.password ? or('or with your password', { passkey, sso: linked.length }) : NOTHING}
    ${
      ways.password
        ? html`<form class="stack form" method="post" action="/confirm" novalidate>
            ${hidden({ ...wish })}
            <input type="hidden" name="username" autocomplete="username" value="${caller.user.email}">
            ${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', error, autofocus: true })}
            <div class="row"><button type="submit" class="${submitClass(passkey && error === undefined)} end" data-submit>Confirm</button></div>
          </form>`
        : NOTHING
    }
    ${passkey || linked.length || ways.password ? NOTHING : html`<p class="muted">Ask an admin for a reset link, and set a password.</p>`}`;
}
