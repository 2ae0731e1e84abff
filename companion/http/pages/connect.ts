import { html } from 'hono/html';
import {
  CONNECT_DONE_PATH,
  CONNECT_LIFETIME_MS,
  CONNECT_PATH,
  type ConnectQuery,
  connectQuery,
  matchCode,
} from '../../../shared/connect.ts';
import type { SessionCaller } from '../../app/caller.ts';
import { approveConnection, denyConnection } from '../../app/connect.ts';
import type { Deps } from '../../app/deps.ts';
import type { Ctx } from '../context.ts';
import { signedInAs } from './accept.ts';
import { codeBoxes, decisionButtons, managingRole, whatItMay } from './approval.ts';
import { whatWasDenied } from './denied.ts';
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
    if (decision === 'deny') await denyConnection(deps, caller, asked.data);
    const answer =
      decision === 'approve'
        ? { code: await approveConnection(deps, caller, asked.data), state }
        : { error: 'access_denied', state };
    return seeOther(c, `${CONNECT_DONE_PATH}#${new URLSearchParams(answer)}`);
  });
  pages.get(CONNECT_DONE_PATH, async ({ c, caller }) =>
    donePage(c, deps, await whatWasDenied(deps, caller, 'extension')),
  );
}

const pathOf = (query: ConnectQuery) => `${CONNECT_PATH}?${new URLSearchParams(query)}`;

function badLink(c: Ctx, deps: Deps): Promise<Response> {
  return render(c, deps.config.publicUrl, {
    title: 'Not a request',
    status: 400,
    body: html`${heading('This is not a complete request', 'Start again from the extension: Connect.')}<a class="link" href="/">Go to your account</a>`,
  });
}

async function approvePage(c: Ctx, deps: Deps, caller: SessionCaller, asked: ConnectQuery, ip: string | null) {
  const managing = await managingRole(deps, caller);
  return render(c, deps.config.publicUrl, {
    title: 'Approve this browser',
    scripts: ['countdown.js'],
    foot: html`${icon('clock', 'sm')}<span data-ends-in="${CONNECT_LIFETIME_MS}" data-ended="This request has ended. Start again from the extension.">This request ends in 10 minutes</span>`,
    body: html`${heading('Approve this browser?', 'Only approve if you started this yourself, just now.')}
      <div class="stack form--loose">
        <div class="stack form--tight"><p class="small muted centred">Does this match the code you see there?</p>${codeBoxes(matchCode(asked.code_challenge))}</div>
        <dl class="facts well facts--page">
          <dt>Asks</dt><dd>Heex Keys extension</dd>
          <dt>Browser</dt><dd>${asked.label}</dd>
          ${ip === null ? NOTHING : html`<dt>From</dt><dd><code>${ip}</code></dd>`}
        </dl>
        ${whatItMay(managing, 'Disconnect any time there, or end its session in your account.')}
        <form class="cols cols--2 cols--buttons" method="post" action="${CONNECT_PATH}">
          ${hidden(asked)}
          ${decisionButtons}
        </form>
        ${signedInAs(caller, { next: pathOf(asked) })}
      </div>`,
  });
}

function donePage(c: Ctx, deps: Deps, denied: Html): Promise<Response> {
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
        ${denied}
      </div>`,
  });
}
