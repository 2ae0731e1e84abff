import { html } from 'hono/html';
import type { SsoStart } from '../../app/sso-attempt.ts';
import type { SsoButton } from '../../app/sso-settings.ts';
import { hidden } from './form.ts';
import { type Html, icon, NOTHING } from './layout.ts';

// Shared by the pages on which somebody signs in, joins or confirms.

/** Where `passkey.js` says what went wrong. */
export const PASSKEY_SCRIPT = 'passkey.js';
export const passkeyTrouble: Html = html`<div class="callout callout--bad" role="alert" data-passkey-trouble hidden>${icon('alert')}<div><p></p></div></div>`;

/**
 * A button that `passkey.js` brings to life; without the script, or in a browser without passkeys, it is not there.
 * @param session with `confirm`: which session
 */
export function passkeyButton(
  act: 'sign-in' | 'confirm',
  text: string,
  next: string,
  options: { primary: boolean; session?: string },
): Html {
  return html`<button type="button" class="btn${options.primary ? ' btn--primary' : ''} btn--lg btn--block" data-passkey="${act}" data-next="${next}"
    data-session="${options.session ?? 'current'}" hidden>${icon('passkey')}${text}</button>`;
}

/** One form for each provider: its answer is a page that goes on to the provider. */
export function ssoButtons(
  buttons: readonly SsoButton[],
  text: (name: string) => string,
  start: Omit<SsoStart, 'workspaceId'>,
): Html {
  const { purpose, invitationToken, sessionId, returnTo } = start;
  return html`${buttons.map(
    ({ workspaceId, name }) => html`<form method="post" action="/sso/start">
      ${hidden({ workspaceId, purpose, next: returnTo, ...(invitationToken ? { token: invitationToken } : {}), ...(sessionId ? { session: sessionId } : {}) })}
      <button type="submit" class="btn btn--lg btn--block">${icon('building')}${text(name)}</button>
    </form>`,
  )}`;
}

/** Between other ways and the password. `passkey.js` shows it, too, when a passkey is the only other way. */
export const or = (text: string, shown: boolean): Html =>
  html`<div class="or" data-passkey-or ${shown ? NOTHING : html`hidden`}>${text}</div>`;

/** On a button that is the main one only where there is no passkey button. */
export const SECOND = html`data-passkey-second`;
