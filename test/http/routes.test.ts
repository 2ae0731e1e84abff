import { expect, test } from 'vitest';
import { createService } from '../../companion/http/app.ts';
import { endpoints } from '../../shared/contract/index.ts';
import { call } from '../support/client.ts';
import { testCompanion } from '../support/companion.ts';
import { scenario } from '../support/scenario.ts';

/** What is no part of the interface for programs: pages for people with their forms, files, and what operators ask for. */
const PAGES = `/ /accept /accept/open /confirm /confirm/done /connect /connect/done /denied/reported /device /device/approved /device/denied
  /docs /forgot /reset /security /setup /signin /sso/callback`;
const FORMS = `/accept /accept/open /confirm /connect /denied/report /device /device/decide /forgot /reset /security/identities/remove
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
  ).toEqual(['/*', '/scim/v2/*', '/v1/verify/stream']);
  await companion.end();
});

test('every path answers a method that it does not take with 405, and says which it takes', async () => {
  const s = await scenario();
  const scim = (await s.as(s.owner, 'POST', 'W/scim/tokens', { name: 'Okta' })).body.secret;
  const methods = new Map<string, string[]>();
  const declared = endpoints.filter((e) => e.id !== 'auth').map((e) => `${e.method} ${e.path}`);
  for (const route of [...declared, ...OTHER]) {
    const [method = '', path = ''] = route.split(' ');
    methods.set(path, [...(methods.get(path) ?? []), method]);
  }
  // `/v1/passkeys/options` is also the place of a passkey of that name.
  const fit = (pattern: string, path: string) => new RegExp(`^${pattern.replace(/:\w+/g, '[^/]+')}$`).test(path);
  const allowed = (path: string) => [...methods].flatMap(([pattern, takes]) => (fit(pattern, path) ? takes : []));
  const wrong = [...methods.keys()].flatMap((pattern) => {
    const path = pattern.replace(/:\w+/g, 'x');
    const right = [...new Set(allowed(path))].sort();
    return ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
      .filter((m) => !right.includes(m))
      .map((method) => ({ method, path, right }));
  });
  expect(wrong).toContainEqual({ method: 'POST', path: '/v1/verify/stream', right: ['GET'] });
  for (const { method, path, right } of wrong) {
    // SCIM asks for the credential first, and has errors of its own.
    const isScim = path.startsWith('/scim/');
    const { status, headers } = await call(s.url, method, path, { token: isScim ? scim : s.owner.token });
    expect([status, headers.get('allow'), headers.get('content-type')], `${method} ${path}`).toEqual([
      405,
      right.join(', '),
      isScim ? 'application/scim+json' : 'application/problem+json',
    ]);
  }
  // What comes by the way of gateways takes every method.
  const verifier = { 'x-heex-verifier': await s.verifier() };
  const { secret } = await s.key(s.owner);
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    expect((await call(s.url, method, '/v1/auth', { token: secret, headers: verifier })).status, method).toBe(200);
  await s.end();
});
