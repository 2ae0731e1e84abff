import { html } from 'hono/html';
import type { Passkey } from '../../../shared/contract/identity.ts';
import { passwords } from '../../../shared/contract/identity.ts';
import type { SessionCaller } from '../../app/caller.ts';
import { changePassword } from '../../app/change-password.ts';
import type { Deps } from '../../app/deps.ts';
import { removePasskey } from '../../app/passkeys.ts';
import { requireRecentSignIn } from '../../app/step-up.ts';
import { removeIdentity, type WaysIn, waysIn } from '../../app/ways-in.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Ctx } from '../context.ts';
import { check, type Errors, field, hidden } from './form.ts';
import { callout, type Html, heading, NOTHING, render } from './layout.ts';
import { type FormCall, type Pages, seeOther } from './route.ts';
import { PASSKEY_SCRIPT, passkeyTrouble, ssoButtons } from './ways.ts';

const PATH = '/security';

/** How one signs in: password, passkeys, single sign-on. Changes ask for a recent sign-in. */
export function securityPages(pages: Pages, deps: Deps): void {
  pages.get(PATH, async ({ c, caller }) =>
    caller ? page(c, deps, caller, {}) : seeOther(c, `/signin?next=${encodeURIComponent(PATH)}`),
  );
  const post = (path: string, work: (call: FormCall, caller: SessionCaller) => Promise<Shown | undefined>) =>
    pages.post(`${PATH}${path}`, async (call) => {
      const { c, caller } = call;
      if (!caller) return seeOther(c, `/signin?next=${encodeURIComponent(PATH)}`);
      try {
        const shown = await work(call, caller);
        return shown ? page(c, deps, caller, shown) : seeOther(c, PATH);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.code === 'step_up_required') return seeOther(c, `/confirm?next=${encodeURIComponent(PATH)}`);
        if (error.code === 'not_found') return seeOther(c, PATH);
        return page(c, deps, caller, { status: 409, notice: callout('bad', 'Not done.', error.message) });
      }
    });
  post('/password', async ({ form }, caller) => {
    const checked = check(passwords.changePassword.body, form);
    if (!checked.ok) return { status: 400, errors: checked.errors };
    try {
      const { endedSessions: n } = await changePassword(deps, caller, checked.data);
      const ended = n === 0 ? '' : `${n} other ${n === 1 ? 'session was' : 'sessions were'} ended.`;
      return { notice: callout('ok', 'Password changed.', ended) };
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'forbidden') throw error;
      return { status: 403, errors: { currentPassword: 'The password doesn’t match.' } };
    }
  });
  post('/passkeys/remove', async ({ form }, caller) => {
    requireRecentSignIn(deps, caller);
    await removePasskey(deps, caller, form.id ?? '');
    return undefined;
  });
  post('/identities/remove', async ({ form }, caller) => {
    requireRecentSignIn(deps, caller);
    await removeIdentity(deps, caller, form.id ?? '');
    return undefined;
  });
}

interface Shown {
  status?: number;
  errors?: Errors;
  notice?: Html;
}

async function page(c: Ctx, deps: Deps, caller: SessionCaller, shown: Shown): Promise<Response> {
  const ways = await waysIn(deps, caller);
  const { errors = {}, status = 200 } = shown;
  return render(c, deps.config.publicUrl, {
    title: status < 400 ? 'How you sign in' : 'Error: how you sign in',
    status,
    size: 'wide-card',
    scripts: ['reveal.js', PASSKEY_SCRIPT],
    body: html`${heading('How you sign in', caller.user.email)}
      ${shown.notice ?? NOTHING}
      ${passkeySection(deps, ways.passkeys)}
      ${ssoSection(ways)}
      ${passwordSection(ways, caller, errors)}
      <p class="small card-section"><a class="link" href="/">Back to your account</a></p>`,
  });
}

function passkeySection(deps: Deps, passkeys: readonly Passkey[]): Html {
  const add = deps.passkeys.available()
    ? html`${passkeyTrouble}<form class="stack form card-section" data-passkey="add" data-next="${PATH}">
        ${field({ name: 'name', label: 'Name of a new passkey', autocomplete: 'off', hint: 'Where it is kept, like “MacBook” or “security key”.' })}
        <div class="row"><button type="submit" class="btn end">Add a passkey</button></div>
      </form>`
    : html`<p class="small muted">Passkeys need a host name: open this server by one.</p>`;
  return html`<section class="card-section"><h2>Passkeys</h2>
    ${passkeys.length ? NOTHING : html`<p class="small muted">None yet. A passkey signs you in with your fingerprint, face or PIN.</p>`}
    <ul class="list sessions">${passkeys.map((p) => row(p.id, p.name, aboutPasskey(p), 'passkeys', 'Remove', `Remove passkey ${p.name}`))}</ul>
    ${add}</section>`;
}

const day = (time: string) => html`<time datetime="${time}">${time.slice(0, 10)}</time>`;
const aboutPasskey = (p: Passkey) =>
  html`Added ${day(p.createdAt)} · ${p.lastUsedAt ? html`last used ${day(p.lastUsedAt)}` : 'never used'}${p.synced ? ' · synced' : ''}`;

function row(id: string, name: string, about: Html, kind: string, act: string, label: string): Html {
  return html`<li><span class="grow"><span class="truncate">${name}</span><small>${about}</small></span>
    <form method="post" action="${PATH}/${kind}/remove">${hidden({ id })}<button type="submit" class="btn btn--sm btn--danger-quiet" aria-label="${label}">${act}</button></form></li>`;
}

function ssoSection(ways: WaysIn): Html {
  const open = ways.providers.filter((p) => !p.linked);
  if (!open.length && !ways.identities.length) return NOTHING;
  return html`<section class="card-section"><h2>Single sign-on</h2>
    <ul class="list sessions">${ways.identities.map((i) => row(i.id, i.email ?? i.issuer, html`${new URL(i.issuer).host} · linked ${day(i.linkedAt)}`, 'identities', 'Unlink', `Unlink ${i.email ?? i.issuer}`))}</ul>
    ${ssoButtons(open, (name) => `Link ${name}`, { purpose: 'link', returnTo: PATH })}</section>`;
}

function passwordSection(ways: WaysIn, caller: SessionCaller, errors: Errors): Html {
  return html`<section class="card-section"><h2>Password</h2>
    <form class="stack form" method="post" action="${PATH}/password" novalidate>
      <input type="hidden" name="username" autocomplete="username" value="${caller.user.email}" disabled>
      ${ways.password ? field({ name: 'currentPassword', label: 'Present password', type: 'password', autocomplete: 'current-password', error: errors.currentPassword, autofocus: errors.currentPassword !== undefined }) : NOTHING}
      ${field({ name: 'newPassword', label: 'New password', type: 'password', autocomplete: 'new-password', error: errors.newPassword, autofocus: errors.newPassword !== undefined && errors.currentPassword === undefined, hint: '10 characters or more. Your other sessions end.' })}
      <div class="row"><button type="submit" class="btn end">${ways.password ? 'Change password' : 'Set a password'}</button></div>
    </form></section>`;
}
