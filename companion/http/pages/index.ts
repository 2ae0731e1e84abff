import type { Deps } from '../../app/deps.ts';
import type { App } from '../context.ts';
import { acceptPages } from './accept.ts';
import { bindAssets } from './assets.ts';
import { confirmPages } from './confirm.ts';
import { connectPages } from './connect.ts';
import { deniedPages } from './denied.ts';
import { devicePages } from './device.ts';
import { docsPage } from './docs.ts';
import { homePages } from './home.ts';
import { resetPages } from './reset.ts';
import { pagesOn } from './route.ts';
import { securityPages } from './security.ts';
import { setupPage } from './setup.ts';
import { signInPages } from './signin.ts';
import { ssoPages } from './sso.ts';

/** The companion's own pages: what a person has to do in a browser, and the reference. */
export function bindPages(app: App, deps: Deps): void {
  const pages = pagesOn(app, deps);
  setupPage(pages, deps);
  signInPages(pages, deps);
  acceptPages(pages, deps);
  connectPages(pages, deps);
  devicePages(pages, deps);
  deniedPages(pages, deps);
  homePages(pages, deps);
  securityPages(pages, deps);
  confirmPages(pages, deps);
  resetPages(pages, deps);
  ssoPages(pages, deps);
  docsPage(pages, deps);
  bindAssets(app);
}
