import { html } from 'hono/html';
import type { SessionCaller } from '../../app/caller.ts';
import type { Deps } from '../../app/deps.ts';
import { type DeniedClient, isReportMailed, lastDenial, reportDenial } from '../../app/report-denial.ts';
import { Refusal } from '../../domain/refusal.ts';
import { hidden } from './form.ts';
import { type Html, heading, icon, NOTHING, render } from './layout.ts';
import { type Pages, seeOther } from './route.ts';

const PATH = '/denied/report';
const DONE = '/denied/reported';

/** A person reports what they denied. */
export function deniedPages(pages: Pages, deps: Deps): void {
  pages.post(PATH, async ({ c, caller, form }) => {
    if (!caller) return seeOther(c, '/signin');
    try {
      await reportDenial(deps, caller, form.client === 'cli' ? 'cli' : 'extension');
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'not_found') throw error;
      return render(c, deps.config.publicUrl, {
        title: 'Nothing to report',
        status: 404,
        body: html`${heading('There is nothing to report', 'You denied no request within the last hour.')}<a class="link" href="/">Go to your account</a>`,
      });
    }
    return seeOther(c, DONE);
  });
  pages.get(DONE, async ({ c, caller }) => {
    const mailed = caller && (await isReportMailed(deps, caller.user.id));
    return render(c, deps.config.publicUrl, {
      title: 'Reported',
      body: html`<div class="stack form centred"><span class="avatar avatar--done">${icon('check', 'lg')}</span>
        <div><h1>Reported</h1><p class="muted">Your admins see who asked, and from where, in the audit log${mailed ? ', and get a mail' : ''}.</p></div>
        <p class="small muted">You can close this tab.</p></div>`,
    });
  });
}

/** How long ago, in words. */
export function ago(deps: Deps, at: number): string {
  const minutes = Math.floor((deps.now() - at) / 60_000);
  return minutes < 1 ? 'Just now' : minutes === 1 ? '1 minute ago' : `${minutes} minutes ago`;
}

/** What asked, from where, and the way to report it; only what came from elsewhere is a fact that helps. */
export async function whatWasDenied(
  deps: Deps,
  caller: SessionCaller | undefined,
  client: DeniedClient,
): Promise<Html> {
  const denial = caller && (await lastDenial(deps, caller, client));
  const trick = html`<p class="small muted">If you didn’t start it, someone may have tried to trick you with a code. Nothing else to do.</p>`;
  if (!denial) return trick;
  return html`<dl class="facts well facts--page facts--denied">
      <dt>${client === 'cli' ? 'Machine' : 'Browser'}</dt><dd>${denial.label}</dd>
      ${denial.askedFrom === null ? NOTHING : html`<dt>From</dt><dd><code>${denial.askedFrom}</code></dd>`}
      <dt>Denied</dt><dd>${ago(deps, denial.at)}</dd>
    </dl>
    ${trick}
    <form method="post" action="${PATH}">${hidden({ client })}<button type="submit" class="link">Report it to an admin</button></form>`;
}
