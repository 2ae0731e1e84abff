import { sso } from '../../../shared/contract/identity.ts';
import type { Deps } from '../../app/deps.ts';
import { readSso, removeSso, saveSso } from '../../app/sso-settings.ts';
import { listIdentities, removeIdentity } from '../../app/ways-in.ts';
import type { Authenticate } from '../authenticate.ts';
import { bind } from '../bind.ts';
import type { App } from '../context.ts';

export function bindSso(app: App, deps: Deps, authenticate: Authenticate): void {
  bind(app, sso.readSso, authenticate, ({ caller }) => readSso(deps, caller));
  bind(app, sso.saveSso, authenticate, ({ body, caller }) => saveSso(deps, caller, body));
  bind(app, sso.removeSso, authenticate, async ({ caller }) => {
    await removeSso(deps, caller);
    return undefined;
  });
  bind(app, sso.listIdentities, authenticate, ({ caller }) => listIdentities(deps, caller));
  bind(app, sso.removeIdentity, authenticate, async ({ caller, params }) => {
    await removeIdentity(deps, caller, params.identityId);
    return undefined;
  });
}
