import { html } from 'hono/html';
import {
  CONNECT_DONE_PATH,
  CONNECT_LIFETIME_MS,
  CONNECT_PATH,
  type ConnectQuery,
  connectQuery,
  matchCode,
} from '../../../shared/connect.ts';
import type { Role } from '../../../shared/contract/fields.ts';
import type { SessionCaller } from '../../app/caller.ts';
import { approveConnection } from '../../app/connect.ts';
import type { Deps } from '../../app/deps.ts';
import { readMe } from '../../app/me.ts';
import type { Ctx } from '../context.ts';
import { signedInAs } from './accept.ts';
import { check, hidden } from './form.ts';
import { type Html, heading, icon, NOTHING, render } from './layout.ts';
import { type Pages, seeOther } from './route.ts';

/** C4 and C5: the signed-in person lets a browser's extension in. */
export function connectPages(pages: Pages, deps: Deps): void {
  pages.get(CONNECT_PATH, async ({ c, caller, origin }) => {
    const asked = check(connectQuery, c.req.query());
    if (!asked.ok) return badLink(c, deps);
    if (!caller) return seeOther(c, `/signin?next=${encodeURIComponent(pathOf(asked.data))}`);
    return approvePage(c, deps, caller, asked.data, origin.ip);
  });
  pages.post(CONNECT_PATH, async ({ c, caller, form }) => {
    const { decision, ...query } = form;
    const asked = check(connectQuery, query);
    if (!asked.ok || (decision !== 'approve' && decision !== 'deny')) return badLink(c, deps);
    if (!caller) return seeOther(c, `/signin?next=${encodeURIComponent(pathOf(asked.data))}`);
    const { state } = asked.data;
    const answer =
      decision === 'approve'
        ? { code: await approveConnection(deps, caller, asked.data), state }
        : { error: 'access_denied', state };
    return seeOther(c, `${CONNECT_DONE_PATH}#${new URLSearchParams(answer)}`);
  });
  pages.get(CONNECT_DONE_PATH, ({ c }) => donePage(c, deps));
}

const pathOf = (query: ConnectQuery) => `${CONNECT_PATH}?${new URLSearchParams(query)}`;

function badLink(c: Ctx, deps: Deps): Promise<Response> {
  return render(c, deps.config.publicUrl, {
    title: 'Not a request',
    status: 400,
    body: html`${heading('This is not a complete request', 'Start again from the extension: Connect.')}<a class="link" href="/">Go to your account</a>`,
  });
}

function matchBoxes(challenge: string): Html {
  const letters = [...matchCode(challenge)];
  const spelled = `${letters.slice(0, 4).join(' ')}, ${letters.slice(4).join(' ')}`;
  const box = (letter: string) => html`<span>${letter}</span>`;
  return html`<div class="devcode" role="img" aria-label="Code ${spelled}">${letters.slice(0, 4).map(box)}<i></i>${letters.slice(4).map(box)}</div>`;
}

async function approvePage(c: Ctx, deps: Deps, caller: SessionCaller, asked: ConnectQuery, ip: string | null) {
  const { memberships } = await readMe(deps, caller);
  const managing = memberships.find((m) => m.role !== 'member')?.role;
  return render(c, deps.config.publicUrl, {
    title: 'Approve this browser',
    scripts: ['countdown.js'],
    foot: html`${icon('clock', 'sm')}<span data-ends-in="${CONNECT_LIFETIME_MS}">This request ends in 10 minutes</span>`,
    body: html`${heading('Approve this browser?', 'Only approve if you started this yourself, just now.')}
      <div class="stack form--loose">
        <div class="stack form--tight"><p class="small muted centred">Does this match the code you see there?</p>${matchBoxes(asked.code_challenge)}</div>
        <dl class="facts well facts--page">
          <dt>Asks</dt><dd>Heex Keys extension</dd>
          <dt>Browser</dt><dd>${asked.label}</dd>
          ${ip === null ? NOTHING : html`<dt>From</dt><dd><code>${ip}</code></dd>`}
        </dl>
        ${whatItMay(managing)}
        <form class="cols cols--2 cols--buttons" method="post" action="${CONNECT_PATH}">
          ${hidden(asked)}
          <button type="submit" name="decision" value="deny" class="btn btn--lg btn--block">Deny</button>
          <button type="submit" name="decision" value="approve" class="btn btn--primary btn--lg btn--block">Approve</button>
        </form>
        ${signedInAs(caller, { next: pathOf(asked) })}
      </div>`,
  });
}

function whatItMay(managing: Role | undefined): Html {
  return html`<ul class="small muted stack form--tight">
    <li class="row row--top">${icon('check')}<span>See, create, rotate and revoke <b>your own</b> keys</span></li>
    ${managing ? html`<li class="row row--top">${icon('check')}<span>Manage the team, because you are an ${managing}</span></li>` : NOTHING}
    <li class="row row--top">${icon('x')}<span>Never sees your password. Disconnect any time in Settings.</span></li>
  </ul>`;
}

function donePage(c: Ctx, deps: Deps): Promise<Response> {
  return render(c, deps.config.publicUrl, {
    title: 'Done',
    scripts: ['done.js'],
    body: html`<div class="stack form centred" data-when="connected">
        <span class="avatar avatar--done">${icon('check', 'lg')}</span>
        <div><h1>Connected</h1><p class="muted">You can close this tab.</p></div>
        <p class="small muted">Open Heex Keys from the toolbar, or press <span class="nowrap"><kbd class="kbd">Alt</kbd> <kbd class="kbd">Shift</kbd> <kbd class="kbd">K</kbd></span> on any page.</p>
        <a class="link" href="/">Go to your account instead</a>
      </div>
      <div class="stack form centred" data-when="denied" hidden>
        <span class="avatar avatar--denied">${icon('ban', 'lg')}</span>
        <div><h1>Request denied</h1><p class="muted">The browser that asked gets no access.</p></div>
        <p class="small muted">If you didn’t start it, someone may have tried to trick you with a code. Nothing else to do.</p>
      </div>`,
  });
}
