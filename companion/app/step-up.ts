import { Refusal } from '../domain/refusal.ts';
import { isRecent } from '../domain/step-up.ts';
import type { SessionCaller } from './caller.ts';
import type { Deps } from './deps.ts';

/**
 * Asks for a sign-in that is not older than 15 minutes. Endpoints that declare `stepUp` have it asked before they run; a use case
 * asks itself where only some of its inputs are dangerous.
 * @throws Refusal step_up_required, with the page on which the person confirms
 */
export function requireRecentSignIn(deps: Deps, caller: SessionCaller): void {
  if (isRecent(caller.session.authenticatedAt, deps.now())) return;
  const confirmAt = `${deps.config.publicUrl}/confirm?session=${caller.session.id}`;
  throw new Refusal(
    'step_up_required',
    `Confirm that it is you, at ${confirmAt}, and try again.`,
    [],
    {},
    { confirmAt },
  );
}
