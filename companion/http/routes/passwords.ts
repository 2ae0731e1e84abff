import { passwords } from '../../../shared/contract/identity.ts';
import { changePassword } from '../../app/change-password.ts';
import type { Deps } from '../../app/deps.ts';
import { openChallenge } from '../../app/passkey-challenge.ts';
import { createResetLink, forgotPassword, resetPassword } from '../../app/reset.ts';
import { confirmSession } from '../../app/step-up.ts';
import type { Authenticate } from '../authenticate.ts';
import { bind } from '../bind.ts';
import type { App } from '../context.ts';
import { takeStepCookie } from '../cookies.ts';

export function bindPasswords(app: App, deps: Deps, authenticate: Authenticate): void {
  const { publicUrl } = deps.config;
  bind(app, passwords.changePassword, authenticate, ({ body, caller }) => changePassword(deps, caller, body));
  bind(app, passwords.forgotPassword, authenticate, async ({ body, origin }) => {
    await forgotPassword(deps, body.email, origin);
    return undefined;
  });
  bind(app, passwords.resetPassword, authenticate, async ({ body, origin }) => {
    await resetPassword(deps, body, origin);
    return undefined;
  });
  bind(app, passwords.createResetLink, authenticate, ({ caller, params }) =>
    createResetLink(deps, caller, params.memberId),
  );
  bind(app, passwords.confirmSession, authenticate, ({ body, caller, params, c }) => {
    const challenge = body.passkey && openChallenge(deps, takeStepCookie(c, publicUrl, 'heex_passkey'), 'ask');
    return confirmSession(deps, caller, params.sessionId, body, challenge);
  });
}
