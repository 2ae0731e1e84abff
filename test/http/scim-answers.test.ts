import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Scenario, scenario } from '../support/scenario.ts';
import { patchOf, SCIM_ERROR, scimClient, scimToken, USER } from '../support/scim.ts';

let s: Scenario;
let token: string;
beforeAll(async () => {
  s = await scenario();
  token = await scimToken(s);
});
afterAll(() => s.end());

const { scim, provision } = scimClient(() => ({ s, token }));

test('lists are paged from 1, counted whole, and in a stable order', async () => {
  for (let i = 0; i < 3; i++) await provision();
  const all = (await scim('GET', '/Users')).body;
  expect(all.schemas).toEqual(['urn:ietf:params:scim:api:messages:2.0:ListResponse']);
  expect(all.totalResults).toBe(all.Resources.length);
  const ids = all.Resources.map((r: { id: string }) => r.id);
  const paged = [];
  for (let i = 1; i <= all.totalResults; i += 2) {
    const { body } = await scim('GET', `/Users?startIndex=${i}&count=2`);
    expect([body.totalResults, body.startIndex, body.itemsPerPage]).toEqual([
      all.totalResults,
      i,
      body.Resources.length,
    ]);
    paged.push(...body.Resources.map((r: { id: string }) => r.id));
  }
  expect(paged).toEqual(ids);
  for (const [query, count, start] of [
    ['count=0', 0, 1],
    ['count=-5', 0, 1],
    ['startIndex=0&count=1', 1, 1],
    ['startIndex=9999', 0, 9999],
  ] as const) {
    const { body } = await scim('GET', `/Users?${query}`);
    expect([body.Resources.length, body.startIndex, body.totalResults], query).toEqual([
      count,
      start,
      all.totalResults,
    ]);
  }
  expect((await scim('GET', '/Users?count=x')).body.scimType).toBe('invalidValue');
  expect((await scim('GET', '/Users?filter=userName')).body.scimType).toBe('invalidFilter');
  const only = (await scim('GET', '/Users?attributes=userName&count=1')).body.Resources[0];
  expect(Object.keys(only).sort()).toEqual(['id', 'meta', 'schemas', 'userName']);
  const rest = (await scim('GET', '/Users?excludedAttributes=emails,name&count=1')).body.Resources[0];
  expect(rest).not.toHaveProperty('emails');
  expect(rest).toHaveProperty('userName');
  for (const [query, count] of [
    ['startIndex=-3&count=2', 2],
    ['startIndex=&count=', all.totalResults],
    ['startIndex=1&count=999999', all.totalResults],
  ] as const)
    expect((await scim('GET', `/Users?${query}`)).body).toMatchObject({ startIndex: 1, itemsPerPage: count });
  for (const query of ['startIndex=x', 'count=1.5', 'startIndex=1e3'])
    expect((await scim('GET', `/Users?${query}`)).body.scimType, query).toBe('invalidValue');
});

test('of complex attributes the parts that are asked for are answered, and those that are not wanted left out', async () => {
  const emails = [
    { value: 'parts@acme.example', type: 'work', primary: true },
    { value: 'parts@home.example', type: 'home' },
  ];
  const { id } = await provision({ name: { givenName: 'Ada', familyName: 'Parts' }, emails });
  const shown = async (query: string) => {
    const { schemas: _schemas, meta: _meta, id: _id, ...rest } = (await scim('GET', `/Users/${id}?${query}`)).body;
    return rest;
  };
  expect(await shown('attributes=name.familyName')).toEqual({ name: { familyName: 'Parts' } });
  expect(await shown(`attributes=${USER}:NAME.givenname,emails.value`)).toEqual({
    name: { givenName: 'Ada' },
    emails: emails.map(({ value }) => ({ value })),
  });
  expect(await shown('attributes=name.familyName,name')).toEqual({ name: { givenName: 'Ada', familyName: 'Parts' } });
  expect(await shown('attributes=name.middleName,emails.primary')).toEqual({ emails: [{ primary: true }] });
  const most = await shown('excludedAttributes=name.familyName,emails.type,emails.primary,displayName,id');
  expect(most).toEqual({
    userName: expect.any(String),
    active: true,
    name: { givenName: 'Ada' },
    emails: emails.map(({ value }) => ({ value })),
  });
  const patched = await scim(
    'PATCH',
    `/Users/${id}?attributes=name.familyName`,
    patchOf({ op: 'add', value: { title: 'x' } }),
  );
  expect(patched.body.name).toEqual({ familyName: 'Parts' });
  expect(patched.body.userName).toBeUndefined();
});

test('what describes the service takes no filter, and a resource says where it is', async () => {
  for (const path of [
    '/Schemas',
    '/ResourceTypes',
    '/ServiceProviderConfig',
    `/Schemas/${USER}`,
    '/ResourceTypes/User',
  ]) {
    const refused = await scim('GET', `${path}?filter=${encodeURIComponent('id eq "User"')}`);
    expect([refused.status, refused.body.schemas, refused.body.status], path).toEqual([403, [SCIM_ERROR], '403']);
    // Other parameters are ignored.
    expect((await scim('GET', `${path}?count=1&sortBy=id`)).status, path).toBe(200);
  }
  const base = `${s.companion.deps.config.publicUrl}/scim/v2`;
  const { id } = await provision();
  const one = await scim('GET', `/Users/${id}`);
  expect([one.body.meta.location, one.headers.get('content-location')]).toEqual([
    `${base}/Users/${id}`,
    `${base}/Users/${id}`,
  ]);
  for (const path of [`/Schemas/${USER}`, '/ResourceTypes/User', '/ServiceProviderConfig'])
    expect((await scim('GET', path)).body.meta.location).toBe(base + path);
});

test('a version stands for one state: known ones are 304, outdated ones 412', async () => {
  const { id, meta } = await provision();
  for (const known of [meta.version, meta.version.slice(2), `"x", ${meta.version}`, '*'])
    expect((await scim('GET', `/Users/${id}`, undefined, { 'if-none-match': known })).status, known).toBe(304);
  const operations = { schemas: [], Operations: [{ op: 'replace', path: 'displayName', value: 'New' }] };
  const changed = await scim('PATCH', `/Users/${id}`, operations, { 'if-match': meta.version });
  expect(changed.headers.get('etag')).toBe(changed.body.meta.version);
  expect(changed.body.meta.version).not.toBe(meta.version);
  for (const [method, body] of [
    ['PATCH', operations],
    ['PUT', { userName: 'x@y.example' }],
    ['DELETE', undefined],
  ] as const)
    expect((await scim(method, `/Users/${id}`, body, { 'if-match': meta.version })).status).toBe(412);
  expect((await scim('GET', `/Users/${id}`)).body.displayName).toBe('New');
});

test('what is supported is said, and what is not is refused in SCIM’s own format', async () => {
  const config = (await scim('GET', '/ServiceProviderConfig')).body;
  expect(config).toMatchObject({ patch: { supported: true }, bulk: { supported: false }, filter: { supported: true } });
  expect(config).toMatchObject({ etag: { supported: true }, sort: { supported: false } });
  expect((await scim('GET', '/ResourceTypes')).body.Resources).toMatchObject([{ id: 'User', endpoint: '/Users' }]);
  const schemas = (await scim('GET', '/Schemas')).body;
  expect(schemas.Resources[0].attributes.map((a: { name: string }) => a.name)).toContain('userName');
  expect((await scim('GET', `/Schemas/${USER}`)).body.id).toBe(USER);
  for (const [method, path, body, status] of [
    ['POST', '/Bulk', {}, 501],
    ['GET', '/Me', undefined, 501],
    ['GET', '/Groups', undefined, 501],
    ['POST', '/Users/.search', {}, 501],
    ['POST', '/.search', {}, 501],
    ['DELETE', '/Users', undefined, 405],
    ['GET', '/Nothing', undefined, 404],
    ['GET', '/Users/usr_nobody', undefined, 404],
    ['POST', '/Users', 'not json', 400],
    ['POST', '/Users', {}, 400],
  ] as const) {
    const answer = await scim(method, path, body);
    expect([answer.status, answer.headers.get('content-type')], path).toEqual([status, 'application/scim+json']);
    expect(answer.body).toMatchObject({ schemas: [SCIM_ERROR], status: String(status), detail: expect.any(String) });
  }
  expect((await scim('POST', '/Users/.search', {})).body.detail).toContain('GET /Users');
  const plain = await scim('POST', '/Users', {}, { 'content-type': 'text/plain' });
  expect([plain.status, plain.body.detail]).toEqual([
    415,
    'The body has to be application/scim+json or application/json.',
  ]);
});
