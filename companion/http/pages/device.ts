import { html } from 'hono/html';
import type { DeviceRequest } from '../../../shared/contract/device.ts';
import type { SessionCaller } from '../../app/caller.ts';
import type { Deps } from '../../app/deps.ts';
import { decideDevice, plainUserCode, readDevice } from '../../app/device.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Ctx } from '../context.ts';
import { signedInAs } from './accept.ts';
import { codeBoxes, decisionButtons, managingRole, whatItMay } from './approval.ts';
import { ago, whatWasDenied } from './denied.ts';
import { field, hidden, tooOften } from './form.ts';
import { type Html, heading, icon, NOTHING, render } from './layout.ts';
import { type FormCall, type Pages, seeOther } from './route.ts';

const PATH = '/device';
const SIGN_IN = `/signin?next=${encodeURIComponent(PATH)}`;

/**
 * The signed-in person types the code that a terminal shows, sees who asks from where, and lets it in (RFC 8628, 3.3). The code is
 * never part of an address: a link alone can't bring anybody to the second step.
 */
export function devicePages(pages: Pages, deps: Deps): void {
  pages.get(PATH, async ({ c, caller }) => (caller ? codeForm(c, deps, caller) : seeOther(c, SIGN_IN)));
  pages.post(PATH, async (call) => {
    const { c, caller, form, origin } = call;
    if (!caller) return seeOther(c, SIGN_IN);
    return orAgain(call, deps, caller, async () => {
      const code = plainUserCode(form.code ?? '');
      return approvePage(c, deps, caller, code, await readDevice(deps, caller, code), origin.ip);
    });
  });
  pages.post(`${PATH}/decide`, async (call) => {
    const { c, caller, form } = call;
    if (!caller) return seeOther(c, SIGN_IN);
    return orAgain(call, deps, caller, async () => {
      const approved = form.decision === 'approve';
      await decideDevice(deps, caller, form.code ?? '', approved ? 'approved' : 'denied');
      return seeOther(c, approved ? `${PATH}/approved` : `${PATH}/denied`);
    });
  });
  pages.get(`${PATH}/approved`, ({ c }) => done(c, deps, APPROVED));
  pages.get(`${PATH}/denied`, async ({ c, caller }) =>
    done(c, deps, { ...DENIED, more: await whatWasDenied(deps, caller, 'cli') }),
  );
}

/** The form again, where the code is not one that waits. */
async function orAgain(
  { c, form }: FormCall,
  deps: Deps,
  caller: SessionCaller,
  work: () => Promise<Response>,
): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal) || (error.code !== 'not_found' && error.code !== 'rate_limited')) throw error;
    return codeForm(c, deps, caller, { typed: form.code ?? '', refusal: error });
  }
}

function codeForm(c: Ctx, deps: Deps, caller: SessionCaller, again?: { typed: string; refusal: Refusal }) {
  const limited = again?.refusal.code === 'rate_limited' ? again.refusal : undefined;
  return render(c, deps.config.publicUrl, {
    title: again ? 'Error: connect a terminal' : 'Connect a terminal',
    status: limited ? 429 : again ? 404 : 200,
    body: html`${heading('Connect a terminal', 'Type the code that your terminal shows.')}
      <div class="stack form--loose"><form class="stack form" method="post" action="${PATH}" novalidate>
        ${limited ? tooOften(limited) : NOTHING}
        ${field({
          name: 'code',
          label: 'Code',
          autocomplete: 'off',
          value: again?.typed,
          error:
            again && !limited
              ? 'No terminal waits with this code. Compare the letters, or start again there.'
              : undefined,
          hint: 'Eight letters. Only type one that you see in your own terminal, never one that somebody sent you.',
          mono: true,
          autofocus: true,
        })}
        <div class="row"><button type="submit" class="btn btn--primary btn--lg end">Continue</button></div>
      </form>
      ${signedInAs(caller, { next: PATH })}</div>`,
  });
}

/** A terminal on the same machine asks from the same address as the browser: another one deserves a second look. */
function whence(asked: DeviceRequest, ip: string | null): Html {
  if (asked.ip === null) return NOTHING;
  const other = asked.ip !== ip;
  return html`<dt>From</dt><dd><code>${asked.ip}</code>
    ${other ? html`<span class="tag tag--warn">${icon('warn')}not this browser’s address</span>` : html`<span class="tag">same as this browser</span>`}</dd>`;
}

async function approvePage(
  c: Ctx,
  deps: Deps,
  caller: SessionCaller,
  code: string,
  asked: DeviceRequest,
  ip: string | null,
) {
  const managing = await managingRole(deps, caller);
  const left = Date.parse(asked.expiresAt) - deps.now();
  return render(c, deps.config.publicUrl, {
    title: 'Approve this terminal',
    scripts: ['countdown.js'],
    foot: html`${icon('clock', 'sm')}<span data-ends-in="${left}" data-ended="This request has ended. Start again in your terminal.">This request ends in ${Math.ceil(left / 60_000)} minutes</span>`,
    body: html`${heading('Approve this terminal?', 'Only approve if you started this yourself, just now.')}
      <div class="stack form--loose">
        <div class="stack form--tight"><p class="small muted centred">Does this match the code you see there?</p>${codeBoxes(code)}</div>
        <dl class="facts well facts--page">
          <dt>Asks</dt><dd>${asked.clientId}</dd>
          ${asked.deviceName ? html`<dt>Machine</dt><dd>${asked.deviceName}</dd>` : NOTHING}
          ${whence(asked, ip)}
          <dt>Started</dt><dd>${ago(deps, Date.parse(asked.startedAt))}</dd>
        </dl>
        ${whatItMay(managing, 'Sign out there, or end its session in your account.')}
        <form class="cols cols--2 cols--buttons" method="post" action="${PATH}/decide">
          ${hidden({ code })}
          ${decisionButtons}
        </form>
        ${signedInAs(caller, { next: PATH })}
      </div>`,
  });
}

interface Outcome {
  title: string;
  sign: Html;
  text: string;
  more: Html;
}
const APPROVED: Outcome = {
  title: 'Connected',
  sign: html`<span class="avatar avatar--done">${icon('check', 'lg')}</span>`,
  text: 'You can close this tab.',
  more: html`<p class="small muted">Your terminal goes on by itself within a few seconds.</p>`,
};
const DENIED: Omit<Outcome, 'more'> = {
  title: 'Request denied',
  sign: html`<span class="avatar avatar--denied">${icon('ban', 'lg')}</span>`,
  text: 'The terminal that asked gets no access.',
};

function done(c: Ctx, deps: Deps, { title, sign, text, more }: Outcome): Promise<Response> {
  return render(c, deps.config.publicUrl, {
    title,
    body: html`<div class="stack form centred">${sign}
        <div><h1>${title}</h1><p class="muted">${text}</p></div>
        ${more}
      </div>`,
  });
}
