import { html } from 'hono/html';
import * as z from 'zod/mini';
import { password, personName, type Role } from '../../../shared/contract/fields.ts';
import { acceptInvitation, type OpenedInvitation, openInvitation } from '../../app/accept-invitation.ts';
import type { SessionCaller } from '../../app/caller.ts';
import type { Deps } from '../../app/deps.ts';
import { authenticateSession, signIn } from '../../app/sessions.ts';
import { listSsoButtons, type SsoButton } from '../../app/sso-settings.ts';
import { Refusal } from '../../domain/refusal.ts';
import { DAY_MS } from '../../domain/time.ts';
import { browserLabel } from '../browser-label.ts';
import type { Ctx } from '../context.ts';
import { check, type Errors, field, focused, hidden, type Values } from './form.ts';
import { callout, type Html, heading, icon, initials, NOTHING, render } from './layout.ts';
import { type FormCall, type Pages, seeOther, signedIn } from './route.ts';
import { instead, or, PASSKEY_SCRIPT, passkeyButton, passkeyTrouble, ssoButtons, submitClass } from './ways.ts';

export const ROLE_NAMES: Record<Role, string> = { owner: 'an Owner', admin: 'an Admin', member: 'a Member' };

/**
 * C3. The token comes in the fragment, so it reaches the server only in the body of the form that a script sends at once (or
 * that a person fills in where there is no script).
 */
export function acceptPages(pages: Pages, deps: Deps): void {
  pages.get('/accept', ({ c }) => askForToken(c, deps));
  pages.get('/accept/open', async ({ c }) => seeOther(c, '/accept'));
  pages.post('/accept/open', async (call) => {
    const { token } = call.form;
    if (!token) return askForToken(call.c, deps, { token: 'Fill this in.' });
    return withInvitation(call, deps, token, (invitation) => joinForm(call, deps, invitation, { token }, {}));
  });
  pages.post('/accept', async (call) => {
    const { token } = call.form;
    if (!token) return askForToken(call.c, deps, { token: 'Fill this in.' });
    return withInvitation(call, deps, token, (invitation) => accept(call, deps, invitation, token));
  });
}

async function withInvitation(
  call: FormCall,
  deps: Deps,
  token: string,
  work: (invitation: OpenedInvitation) => Promise<Response>,
): Promise<Response> {
  try {
    return await work(await openInvitation(deps, token, call.caller, call.origin));
  } catch (error) {
    if (error instanceof Refusal && error.code === 'not_found') return noSuchInvitation(call, deps, token);
    throw error;
  }
}

/** Joins with what fits: the session that is there, the password of a known account, or as a new person. */
async function accept(call: FormCall, deps: Deps, invitation: OpenedInvitation, token: string): Promise<Response> {
  const { c, caller, origin, form } = call;
  if (caller) {
    await acceptInvitation(deps, { token }, caller, origin, 'web');
    return seeOther(c, '/');
  }
  if (invitation.known) return signInAndAccept(call, deps, invitation, token);
  const checked = check(z.object({ name: personName, password }), form);
  if (!checked.ok) return joinForm(call, deps, invitation, form, checked.errors, 400);
  const label = browserLabel(origin.userAgent);
  const { session } = await acceptInvitation(deps, { token, ...checked.data }, undefined, origin, 'web', label);
  return session ? signedIn(c, deps, session, '/') : seeOther(c, '/signin');
}

async function signInAndAccept(call: FormCall, deps: Deps, invitation: OpenedInvitation, token: string) {
  const { c, origin, form } = call;
  if (!form.password) return joinForm(call, deps, invitation, form, { password: 'Fill this in.' }, 400);
  let session: Awaited<ReturnType<typeof signIn>>['session'];
  try {
    const credentials = { email: invitation.email, password: form.password };
    ({ session } = await signIn(deps, credentials, origin, 'web', browserLabel(origin.userAgent)));
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'unauthorized') throw error;
    return joinForm(call, deps, invitation, form, { password: 'The password doesn’t match.' }, 401);
  }
  const person: SessionCaller = await authenticateSession(deps, session.token, origin);
  await acceptInvitation(deps, { token }, person, origin, 'web');
  return signedIn(c, deps, session, '/');
}

function askForToken(c: Ctx, deps: Deps, errors: Errors = {}): Promise<Response> {
  return render(c, deps.config.publicUrl, {
    title: 'Accept invitation',
    status: errors.token ? 400 : 200,
    scripts: ['fragment.js'],
    body: html`${heading('Accept an invitation', 'The code is the last part of your invitation link, after the # sign.')}
      <form class="stack form" method="post" action="/accept/open" data-submit-at-once novalidate>
        ${field({
          name: 'token',
          label: 'Invitation code',
          autocomplete: 'off',
          mono: true,
          fragment: true,
          autofocus: true,
          error: errors.token,
        })}
        <button type="submit" class="btn btn--primary btn--lg btn--block">Open invitation</button>
      </form>`,
  });
}

function noSuchInvitation({ c, caller }: FormCall, deps: Deps, token: string): Promise<Response> {
  return render(c, deps.config.publicUrl, {
    title: 'Invitation not found',
    status: 404,
    body: html`${heading('This invitation can’t be used', 'It was used or withdrawn, is older than 7 days, or is for somebody else. Ask for a new one.')}
      ${caller ? signedInAs(caller, { invitation: token }) : html`<a class="link" href="/signin">Sign in</a>`}`,
  });
}

/** Who is signed in, with the way out. */
export function signedInAs({ user }: SessionCaller, goOn: { next: string } | { invitation: string }): Html {
  return html`<form class="row row--between small" method="post" action="/signout">
    ${hidden(goOn)}
    <span class="row muted"><span class="avatar" aria-hidden="true">${initials(user.name)}</span><span class="truncate" title="${user.name}, ${user.email}">Signed in as ${user.name}</span></span>
    <button type="submit" class="link nowrap">Not you?</button>
  </form>`;
}
const emailField = (invitation: OpenedInvitation) =>
  field({
    name: 'email',
    label: 'E-mail',
    note: 'From your invitation',
    type: 'email',
    autocomplete: 'username',
    value: invitation.email,
    readonly: true,
  });

interface Offer {
  invitation: OpenedInvitation;
  values: Values;
  errors: Errors;
  /** Whether passkeys can be used here. */
  passkey: boolean;
  sso: readonly SsoButton[];
}

const hiddenToken = ({ values }: Offer) => hidden({ token: values.token ?? '' });
const joinButton = ({ invitation }: Offer, primary: boolean) =>
  html`<button type="submit" form="join" class="${submitClass(!primary)} btn--block" data-submit>Join ${invitation.workspaceName}</button>`;
const providers = ({ sso, values }: Offer) =>
  ssoButtons(sso, (name) => `Join with ${name}`, {
    purpose: 'accept',
    invitationToken: values.token,
    returnTo: '/',
  });

/** Somebody signed in needs no more than to say yes. */
const forSignedIn = (offer: Offer, caller: SessionCaller): Html =>
  html`<form class="stack form" method="post" action="/accept" id="join">${hiddenToken(offer)}${joinButton(offer, true)}</form>
    <div class="stack form card-section">${signedInAs(caller, { invitation: offer.values.token ?? '' })}</div>`;

/** Who has an account here joins by any of its ways in. After a passkey they come back to the invitation, signed in. */
function forKnown(offer: Offer): Html {
  const { invitation, values, errors, passkey, sso } = offer;
  const primary = !passkey || errors.password !== undefined;
  return html`<form class="stack form" method="post" action="/accept" id="join" novalidate>${hiddenToken(offer)}${emailField(invitation)}</form>
    <div class="stack form card-section">
      ${passkeyTrouble}
      ${passkey ? passkeyButton('sign-in', 'Join with your passkey', `/accept#${values.token ?? ''}`, { primary: !primary }) : NOTHING}
      ${providers(offer)}
      ${or('or with your password', { passkey, sso: sso.length })}
      ${field({
        name: 'password',
        label: 'Password',
        type: 'password',
        autocomplete: 'current-password',
        hint: 'Of the account that you have here.',
        form: 'join',
        error: errors.password,
        autofocus: primary,
      })}
      ${joinButton(offer, primary)}
    </div>`;
}

/** Somebody new: the ways that need no password first, where there are any. */
function forNew(offer: Offer): Html {
  const { invitation, values, errors, passkey, sso } = offer;
  const others = passkey || sso.length > 0;
  const focus = focused(errors, ['name', 'password'], 'name');
  const primary = !passkey || errors.password !== undefined;
  const password = html`${field({
    name: 'password',
    label: 'Password',
    type: 'password',
    autocomplete: 'new-password',
    rule: '10 characters or more.',
    form: 'join',
    error: errors.password,
    autofocus: focus === 'password',
  })}
  ${joinButton(offer, primary)}`;
  return html`<form class="stack form" method="post" action="/accept" id="join" novalidate>
      ${hiddenToken(offer)}
      ${emailField(invitation)}
      ${field({
        name: 'name',
        label: 'Your name',
        autocomplete: 'name',
        value: values.name,
        error: errors.name,
        autofocus: focus === 'name',
      })}
    </form>
    <div class="stack form card-section">
      ${passkeyTrouble}
      ${passkey ? passkeyButton('join', 'Join with a passkey', '/', { primary: !primary }) : NOTHING}
      ${providers(offer)}
      ${others ? instead('Set a password instead', { open: Object.keys(errors).length > 0, sso: sso.length }, password) : password}
    </div>`;
}

async function joinForm(
  { c, caller }: FormCall,
  deps: Deps,
  invitation: OpenedInvitation,
  values: Values,
  errors: Errors,
  status = 200,
): Promise<Response> {
  const all = caller ? [] : await listSsoButtons(deps);
  const sso = all.filter((b) => b.workspaceId === invitation.workspaceId);
  const offer: Offer = { invitation, values, errors, passkey: deps.passkeys.available(), sso };
  const days = Math.max(1, Math.ceil((invitation.expiresAt - deps.now()) / DAY_MS));
  return render(c, deps.config.publicUrl, {
    title: `${status === 200 ? '' : 'Error: '}Join ${invitation.workspaceName}`,
    status,
    scripts: ['reveal.js', PASSKEY_SCRIPT],
    foot: html`${icon('clock', 'sm')}<span>Invitation valid ${days} more ${days === 1 ? 'day' : 'days'}</span>`,
    body: html`${heading(`Join ${invitation.workspaceName}`, `${invitation.invitedBy} invited you as ${ROLE_NAMES[invitation.role]}.`)}
      ${Object.keys(errors).length ? html`<div class="form-errors">${callout('bad', 'Not joined yet.', 'See what is marked below.')}</div>` : NOTHING}
      ${caller ? forSignedIn(offer, caller) : invitation.known ? forKnown(offer) : forNew(offer)}
      <div class="stack form card-section">
        <hr class="rule">
        <ul class="small muted stack form--tight">
          <li class="row row--top">${icon('key')}<span>You make your own keys. Nobody else sees their secrets.</span></li>
          <li class="row row--top">${icon('eye')}<span>Admins see names, prefixes and when a key was last used.</span></li>
        </ul>
      </div>`,
  });
}
