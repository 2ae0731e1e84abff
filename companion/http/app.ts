import { Hono } from 'hono';
import type { Deps } from '../app/deps.ts';
import { Refusal } from '../domain/refusal.ts';
import { createAuthenticate } from './authenticate.ts';
import { socketAddress } from './client-address.ts';
import type { App, Env } from './context.ts';
import { guard } from './guard.ts';
import type { Log } from './log.ts';
import { bindOperations } from './operations.ts';
import { bindPages } from './pages/index.ts';
import { bindAgents } from './routes/agents.ts';
import { bindAudit } from './routes/audit.ts';
import { bindConnect } from './routes/connect.ts';
import { bindDevice } from './routes/device.ts';
import { bindGroups } from './routes/groups.ts';
import { bindKeys } from './routes/keys.ts';
import { bindPasskeys } from './routes/passkeys.ts';
import { bindPasswords } from './routes/passwords.ts';
import { bindPeople } from './routes/people.ts';
import { bindSso } from './routes/sso.ts';
import { bindVerify } from './routes/verify.ts';
import { bindWhoami } from './routes/whoami.ts';
import { bindWorkspace } from './routes/workspace.ts';

export interface AppOptions {
  deps: Deps;
  log: Log;
  hosts: ReadonlySet<string>;
  /** Rejects when the companion can't serve. */
  ready(): Promise<void>;
}

/** The whole HTTP side: every endpoint of the contract, the pages, the operations. */
export function createApp({ deps, log, hosts, ready }: AppOptions): App {
  const app: App = new Hono<Env>();
  guard(app, {
    hosts,
    https: deps.config.publicUrl.startsWith('https:'),
    log,
    randomBytes: (n) => deps.randomBytes(n),
    clientAddress: socketAddress,
  });
  const authenticate = createAuthenticate(deps);
  bindPeople(app, deps, authenticate);
  bindPasswords(app, deps, authenticate);
  bindPasskeys(app, deps, authenticate);
  bindSso(app, deps, authenticate);
  bindKeys(app, deps, authenticate);
  bindGroups(app, deps, authenticate);
  bindAudit(app, deps, authenticate);
  bindDevice(app, deps, authenticate);
  bindConnect(app, deps, authenticate);
  bindWorkspace(app, deps, authenticate);
  bindVerify(app, deps, authenticate);
  bindWhoami(app, deps, authenticate);
  bindAgents(app, deps, authenticate, hosts);
  bindPages(app, deps);
  bindOperations(app, ready);
  refuseOtherMethods(app);
  return app;
}

/** 405 with `Allow` for a path that is there under other methods. Bound last. */
function refuseOtherMethods(app: App): void {
  const methods = new Map<string, Set<string>>();
  for (const route of app.routes) {
    if (route.method === 'ALL') continue;
    const known = methods.get(route.path) ?? new Set<string>();
    methods.set(route.path, known.add(route.method));
  }
  for (const [path, allowed] of methods) {
    app.all(path, () => {
      throw new Refusal('method_not_allowed', '', [], { Allow: [...allowed].sort().join(', ') });
    });
  }
}
