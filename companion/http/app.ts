import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { Endpoint } from '../../shared/contract/endpoint.ts';
import { endpoints } from '../../shared/contract/index.ts';
import { createRequestIds } from '../../shared/request-id.ts';
import type { Deps } from '../app/deps.ts';
import type { TrustedProxies } from '../domain/client-address.ts';
import { Refusal } from '../domain/refusal.ts';
import { createAuthenticate } from './authenticate.ts';
import { createAddressOf } from './client-address.ts';
import type { App, Env } from './context.ts';
import { type GuardOptions, guard, secureHeaders } from './guard.ts';
import { createHotListener } from './hot/listener.ts';
import type { Log } from './log.ts';
import { createMethodsAt } from './methods.ts';
import { bindMetrics } from './metrics.ts';
import { bindOperations } from './operations.ts';
import { bindPages } from './pages/index.ts';
import { bindAgents } from './routes/agents.ts';
import { bindAudit } from './routes/audit.ts';
import { bindConnect } from './routes/connect.ts';
import { bindDevice } from './routes/device.ts';
import { bindGroups } from './routes/groups.ts';
import { bindIntrospect } from './routes/introspect.ts';
import { bindKeys } from './routes/keys.ts';
import { bindActivity } from './routes/overview.ts';
import { bindPasskeys } from './routes/passkeys.ts';
import { bindPasswords } from './routes/passwords.ts';
import { bindPeople } from './routes/people.ts';
import { bindScimSettings } from './routes/scim-settings.ts';
import { bindSso } from './routes/sso.ts';
import { bindVerify } from './routes/verify.ts';
import { bindWhoami } from './routes/whoami.ts';
import { bindWorkspace } from './routes/workspace.ts';
import { bindScim } from './scim/bind.ts';
import type { Service } from './server.ts';
import { createUnreadable } from './unreadable.ts';

export interface AppOptions {
  deps: Deps;
  log: Log;
  hosts: ReadonlySet<string>;
  trustedProxies: TrustedProxies;
  /** Who may read the metrics, beside this machine. */
  metricsToken: string | undefined;
  /** Rejects when the companion can't serve. */
  ready(): Promise<void>;
}

/** The whole HTTP side: the two calls that come with every use of a key, and the rest. */
export function createService(options: AppOptions): Service {
  const { deps, log, hosts } = options;
  const around: GuardOptions = {
    hosts,
    log,
    requestId: createRequestIds((n) => deps.randomBytes(n), deps.now),
    addressOf: createAddressOf(options.trustedProxies),
    secureHeaders: secureHeaders(deps.config.publicUrl.startsWith('https:')),
  };
  const hot = createHotListener({ ...around, deps });
  const app = createApp(options, around);
  const rest = getRequestListener((request, env) => app.fetch(request, env));
  const unreadable = createUnreadable(around);
  const listener: RequestListener = (request, response) => {
    unreadable.began(request, response);
    if (!hot(request, response)) void rest(request, response);
  };
  return { app, listener, answerUnreadable: unreadable.answer };
}

/** Every endpoint of the contract, the pages, the operations. */
function createApp({ deps, hosts, metricsToken, ready }: AppOptions, around: GuardOptions): App {
  const app: App = new Hono<Env>();
  guard(app, around);
  const authenticate = createAuthenticate(deps);
  bindPeople(app, deps, authenticate);
  bindPasswords(app, deps, authenticate);
  bindPasskeys(app, deps, authenticate);
  bindSso(app, deps, authenticate);
  bindKeys(app, deps, authenticate);
  bindActivity(app, deps, authenticate);
  bindGroups(app, deps, authenticate);
  bindAudit(app, deps, authenticate);
  bindDevice(app, deps, authenticate);
  bindConnect(app, deps, authenticate);
  bindWorkspace(app, deps, authenticate);
  bindIntrospect(app, deps, authenticate);
  bindVerify(app, deps, authenticate);
  bindWhoami(app, deps, authenticate);
  bindAgents(app, deps, authenticate, hosts);
  bindPages(app, deps);
  bindScimSettings(app, deps, authenticate);
  bindScim(app, deps);
  bindMetrics(app, deps, metricsToken);
  bindOperations(app, ready);
  refuseOtherMethods(app);
  return app;
}

/** 405 with `Allow` for a path that is there under other methods. Bound last. */
function refuseOtherMethods(app: App): void {
  // Bound here, or answered before this is reached (`hot/`).
  const declared = endpoints.filter((endpoint: Endpoint) => !endpoint.anyMethod);
  const routes = [...app.routes, ...declared].filter(({ method }) => method !== 'ALL');
  const methodsAt = createMethodsAt(routes);
  for (const path of new Set(routes.map((route) => route.path))) {
    app.all(path, (c) => {
      throw new Refusal('method_not_allowed', '', [], { Allow: methodsAt(c.req.path).join(', ') });
    });
  }
}
