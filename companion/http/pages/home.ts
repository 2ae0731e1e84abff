import { html } from 'hono/html';
import type { Role } from '../../../shared/contract/fields.ts';
import type { Session } from '../../../shared/contract/people.ts';
import type { SessionCaller } from '../../app/caller.ts';
import type { Deps } from '../../app/deps.ts';
import { readMe } from '../../app/me.ts';
import { endSession, readSessions } from '../../app/sessions.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Ctx } from '../context.ts';
import { hidden } from './form.ts';
import { type Html, heading, initials, NOTHING, render } from './layout.ts';
import { type Pages, seeOther } from './route.ts';

const CLIENTS: Record<Session['client'], string> = {
  web: 'Browser',
  extension: 'Extension',
  cli: 'Command line',
  api: 'API',
};

const ROLE_NAMES: Record<Role, string> = { owner: 'Owner', admin: 'Admin', member: 'Member' };

/** Who is signed in, where else, and the way out. */
export function homePages(pages: Pages, deps: Deps): void {
  pages.get('/', async ({ c, caller }) => (caller ? home(c, deps, caller) : seeOther(c, '/signin')));
  pages.post('/sessions/end', async ({ c, caller, form }) => {
    if (!caller) return seeOther(c, '/signin');
    try {
      await endSession(deps, caller, form.id ?? '');
    } catch (error) {
      // Ended already, in another tab: what was wanted.
      if (!(error instanceof Refusal) || error.code !== 'not_found') throw error;
    }
    return seeOther(c, '/');
  });
}

async function home(c: Ctx, deps: Deps, caller: SessionCaller): Promise<Response> {
  const [{ user, memberships }, sessions] = await Promise.all([readMe(deps, caller), readSessions(deps, caller)]);
  return render(c, deps.config.publicUrl, {
    title: 'Your account',
    size: 'wide-card',
    body: html`${heading('Your account', 'Your keys are in the Heex Keys extension of your browser.')}
      <div class="row row--between">
        <span class="row"><span class="avatar avatar--lg" aria-hidden="true">${initials(user.name)}</span><span><b>${user.name}</b><br><span class="small muted">${user.email}</span></span></span>
        <form method="post" action="/signout"><button type="submit" class="btn">Sign out</button></form>
      </div>
      <section class="card-section"><h2>Workspaces</h2>
        ${memberships.length ? NOTHING : html`<p class="small muted">You are not a member of any. Ask an admin to invite you.</p>`}
        <ul class="list sessions">${memberships.map(
          (m) =>
            html`<li><span class="grow">${m.workspaceName}</span><span class="small muted">${ROLE_NAMES[m.role]}${m.status === 'suspended' ? ', suspended' : ''}</span></li>`,
        )}</ul>
      </section>
      <section class="card-section"><h2>Where you are signed in</h2>
        <ul class="list sessions">${sessions.map(sessionRow)}</ul>
      </section>
      <p class="small muted card-section row"><a class="link" href="/security">How you sign in</a><a href="/docs">API reference</a></p>`,
  });
}

function sessionRow(session: Session): Html {
  const used = session.lastUsedAt.replace('T', ' ').slice(0, 16);
  return html`<li>
    <span class="grow"><span class="truncate">${session.label}</span>
      <small>${CLIENTS[session.client]} · ${session.ip ?? 'unknown address'} · last used <time datetime="${session.lastUsedAt}">${used} UTC</time></small></span>
    ${
      session.current
        ? html`<span class="tag">This browser</span>`
        : html`<form method="post" action="/sessions/end">${hidden({ id: session.id })}<button type="submit" class="btn btn--sm btn--danger-quiet" aria-label="End session ${session.label}">End</button></form>`
    }
  </li>`;
}
