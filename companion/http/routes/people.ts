import { people } from '../../../shared/contract/people.ts';
import { acceptInvitation } from '../../app/accept-invitation.ts';
import type { Deps } from '../../app/deps.ts';
import { readMe } from '../../app/me.ts';
import { endSession, listSessions, signIn } from '../../app/sessions.ts';
import { setUp } from '../../app/setup.ts';
import type { Authenticate } from '../authenticate.ts';
import { bind } from '../bind.ts';
import type { App } from '../context.ts';

export function bindPeople(app: App, deps: Deps, authenticate: Authenticate): void {
  bind(app, people.setup, authenticate, ({ body, origin }) => setUp(deps, body, origin));
  bind(app, people.createSession, authenticate, ({ body, origin }) => signIn(deps, body, origin));
  bind(app, people.me, authenticate, ({ caller }) => readMe(deps, caller));
  bind(app, people.listSessions, authenticate, ({ caller, query }) => listSessions(deps, caller, query));
  bind(app, people.endSession, authenticate, async ({ caller, params }) => {
    await endSession(deps, caller, params.sessionId);
    return undefined;
  });
  bind(app, people.acceptInvitation, authenticate, ({ body, caller, origin }) =>
    acceptInvitation(deps, body, caller, origin),
  );
}
