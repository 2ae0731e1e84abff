import { passkeys } from '../../../shared/contract/identity.ts';
import type { Deps } from '../../app/deps.ts';
import { joinWithPasskey, startJoin } from '../../app/join-by-passkey.ts';
import { CHALLENGE_MS, type Challenge, openChallenge } from '../../app/passkey-challenge.ts';
import {
  addPasskey,
  challengePasskey,
  listPasskeys,
  removePasskey,
  signInWithPasskey,
  startPasskey,
} from '../../app/passkeys.ts';
import { setUpWithPasskey, startSetup } from '../../app/setup-by-passkey.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Authenticate } from '../authenticate.ts';
import { bind } from '../bind.ts';
import { browserLabel } from '../browser-label.ts';
import type { App, Ctx } from '../context.ts';
import { crossSite, takeStepCookie, writeSessionCookie, writeStepCookie } from '../cookies.ts';

export function bindPasskeys(app: App, deps: Deps, authenticate: Authenticate): void {
  const { publicUrl } = deps.config;
  const asked = (c: Ctx, { publicKey, sealed }: { publicKey: Record<string, unknown>; sealed: string }) => {
    writeStepCookie(c, publicUrl, 'heex_passkey', sealed, CHALLENGE_MS);
    return { publicKey };
  };
  const taken = (c: Ctx, kind: Challenge['kind']) =>
    openChallenge(deps, takeStepCookie(c, publicUrl, 'heex_passkey'), kind);

  bind(app, passkeys.listPasskeys, authenticate, ({ caller }) => listPasskeys(deps, caller));
  bind(app, passkeys.startPasskey, authenticate, async ({ caller, c }) => asked(c, await startPasskey(deps, caller)));
  bind(app, passkeys.addPasskey, authenticate, ({ body, caller, c }) =>
    addPasskey(deps, caller, body, taken(c, 'create')),
  );
  bind(app, passkeys.removePasskey, authenticate, async ({ caller, params }) => {
    await removePasskey(deps, caller, params.passkeyId);
    return undefined;
  });
  bind(app, passkeys.challengePasskey, authenticate, async ({ c }) => asked(c, await challengePasskey(deps)));
  const signedIn = (c: Ctx, { session, user }: Awaited<ReturnType<typeof signInWithPasskey>>) => {
    writeSessionCookie(c, publicUrl, session.token, new Date(session.expiresAt));
    return { user };
  };
  // Nobody is signed in by stealth as somebody else.
  const refuseOtherSites = (c: Ctx) => {
    if (crossSite(c)) throw new Refusal('forbidden', 'This request comes from another site.');
  };
  bind(app, passkeys.signInWithPasskey, authenticate, async ({ body, origin, c }) => {
    refuseOtherSites(c);
    const label = browserLabel(origin.userAgent);
    return signedIn(c, await signInWithPasskey(deps, body.credential, taken(c, 'ask'), origin, label));
  });
  bind(app, passkeys.startJoinWithPasskey, authenticate, async ({ body, origin, c }) =>
    asked(c, await startJoin(deps, body, origin)),
  );
  bind(app, passkeys.joinWithPasskey, authenticate, async ({ body, origin, c }) => {
    refuseOtherSites(c);
    const label = browserLabel(origin.userAgent);
    return signedIn(c, await joinWithPasskey(deps, body, taken(c, 'join'), origin, label));
  });
  bind(app, passkeys.startSetupWithPasskey, authenticate, async ({ body, origin, c }) =>
    asked(c, await startSetup(deps, body, origin)),
  );
  bind(app, passkeys.setUpWithPasskey, authenticate, async ({ body, origin, c }) => {
    refuseOtherSites(c);
    const label = browserLabel(origin.userAgent);
    return signedIn(c, await setUpWithPasskey(deps, body, taken(c, 'setup'), origin, label));
  });
}
