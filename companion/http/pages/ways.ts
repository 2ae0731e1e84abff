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
 * A button that `passkey.js` brings to life, or takes away in a browser without passkeys; without scripts it is not shown.
 * @param options.session with `confirm`: which session
 */
export function passkeyButton(
  act: 'sign-in' | 'confirm' | 'join' | 'setup',
  text: string,
  next: string,
  options: { primary: boolean; session?: string },
): Html {
  return html`<button type="button" class="btn${options.primary ? ' btn--primary' : ''} btn--lg btn--block" data-passkey="${act}" data-next="${next}"
    data-session="${options.session ?? 'current'}">${icon('passkey')}${text}</button>`;
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

/** Between the other ways and the password, where there are others. */
export function or(text: string, others: { passkey: boolean; sso: number }): Html {
  if (!others.passkey && !others.sso) return NOTHING;
  return html`<div class="or"${others.sso ? NOTHING : html` data-with-passkey`}>${text}</div>`;
}

/** A way that is there for who asks for it; open where a browser has no passkeys and nothing else is offered. */
export function instead(words: string, how: { open: boolean; sso: number }, children: Html): Html {
  return html`<details class="instead"${how.open ? html` open` : NOTHING}${how.sso ? NOTHING : html` data-open-without-passkey`}>
    <summary class="link">${words}</summary>
    <div class="stack form">${children}</div>
  </details>`;
}

/** The class of the password's own button: the main one where no passkey comes before it. */
export const submitClass = (passkeyFirst: boolean): string => `btn${passkeyFirst ? '' : ' btn--primary'} btn--lg`;
