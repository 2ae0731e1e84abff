import { expect, test } from 'vitest';
import { createService } from '../../companion/http/app.ts';
import { endpoints } from '../../shared/contract/index.ts';
import { testCompanion } from '../support/companion.ts';

/** What is no part of the interface for programs: pages for people with their forms, files, and what operators ask for. */
const PAGES = `/ /accept /accept/open /confirm /confirm/done /connect /connect/done /device /device/approved /device/denied
  /docs /forgot /reset /security /setup /signin /sso/callback`;
const FORMS = `/accept /accept/open /confirm /connect /device /device/decide /forgot /reset /security/identities/remove
  /security/passkeys/remove /security/password /sessions/end /setup /signin /signout /sso/start`;
const OPERATIONS = '/assets/:name /healthz /metrics /openapi.json /readyz';
const words = (text: string) => text.split(/\s+/);
const OTHER = [
  ...words(`${PAGES} ${OPERATIONS}`).map((path) => `GET ${path}`),
  ...words(FORMS).map((path) => `POST ${path}`),
].sort();

test('every route that is bound is declared in the contract or is a page or operation that is listed here', async () => {
  const companion = await testCompanion();
  const { app } = createService({
    deps: companion.deps,
    log: () => {},
    hosts: new Set(),
    trustedProxies: [] as never,
    metricsToken: undefined,
    ready: async () => {},
  });
  const bound = new Set(app.routes.filter((route) => route.method !== 'ALL').map((r) => `${r.method} ${r.path}`));
  const declared = new Set(endpoints.map((e) => `${e.method} ${e.path}`));
  expect([...bound].filter((route) => !declared.has(route)).sort()).toEqual(OTHER);
  // These two are answered without the framework (`http/hot`).
  expect([...declared].filter((route) => !bound.has(route))).toEqual(['GET /v1/verify/stream', 'GET /v1/auth']);
  // Routes for every method are the 405 of a path that is there, and these.
  const paths = new Set([...bound].map((route) => route.split(' ')[1]));
  expect(
    [...new Set(app.routes.filter((r) => r.method === 'ALL' && !paths.has(r.path)).map((r) => r.path))].sort(),
  ).toEqual(['/*', '/scim/v2/*']);
  await companion.end();
});
