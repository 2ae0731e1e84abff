import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROBLEMS } from '../../shared/contract/errors.ts';
import { endpoints } from '../../shared/contract/index.ts';
import { call } from '../support/client.ts';
import { type TestCompanion, testCompanion } from '../support/companion.ts';

let companion: TestCompanion;
beforeAll(async () => {
  companion = await testCompanion();
});
afterAll(() => companion.end());

test('every answer, also an error, carries its request id and the security headers', async () => {
  for (const path of ['/healthz', '/readyz', '/openapi.json', '/v1/me', '/nothing']) {
    const { headers, status, body } = await call(companion.url, 'GET', path);
    expect(headers.get('x-request-id'), path).toMatch(/^req_\w{20}$/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    if (status >= 400) expect(body).toMatchObject({ status, requestId: headers.get('x-request-id') });
  }
});

test('a request id that the client sends is not taken over', async () => {
  const { headers } = await call(companion.url, 'GET', '/healthz', { headers: { 'x-request-id': 'req_mine' } });
  expect(headers.get('x-request-id')).not.toBe('req_mine');
});

test('what has no session is asked for one, in a header too', async () => {
  for (const token of [undefined, 'nonsense', `heexs_${'a'.repeat(46)}`]) {
    const { status, headers, body } = await call(companion.url, 'GET', '/v1/me', { token });
    expect([status, body.code, headers.get('www-authenticate')]).toEqual([
      401,
      'unauthorized',
      'Bearer realm="heex-keys"',
    ]);
  }
});

test('a wrong method is 405 and says which are right', async () => {
  const { status, headers } = await call(companion.url, 'PUT', '/v1/setup', { body: {} });
  expect([status, headers.get('allow')]).toEqual([405, 'POST']);
});

test('a body has to be JSON, of at most 256 kB, and an object where one is asked for', async () => {
  const post = (body: string, type = 'application/json') =>
    call(companion.url, 'POST', '/v1/sessions', { body, headers: { 'content-type': type } });
  expect((await post('{}', 'text/plain')).status).toBe(415);
  expect((await post(`"${'x'.repeat(256 * 1024)}"`)).status).toBe(413);
  for (const utf8 of ['utf-8', 'UTF-8', '"utf-8"'])
    expect((await post('{}', `application/json; charset=${utf8}`)).status).toBe(400);
  for (const other of ['utf-16', 'iso-8859-1', '"latin1"', ''])
    expect((await post('{}', `application/json; charset=${other}`)).status, other).toBe(415);
  for (const body of ['null', '[]', '1', '"x"', '{', '']) expect((await post(body)).status, body).toBe(400);
});

test('the OpenAPI document tells the lengths of texts, the form of times, and which bodies can be left out', async () => {
  const { body } = await call(companion.url, 'GET', '/openapi.json');
  const operation = (method: string, path: string) => body.paths[`/v1/workspaces/{workspaceId}${path}`][method];
  const sent = (method: string, path: string) => operation(method, path).requestBody;
  const created = sent('post', '/keys');
  const fields = created.content['application/json'].schema.properties;
  expect(fields.name).toMatchObject({ type: 'string', minLength: 2, maxLength: 200 });
  expect(fields.description).toMatchObject({ type: 'string', maxLength: 1000 });
  expect(JSON.stringify(fields.expiresAt)).toContain('"format":"date-time"');
  expect([created.required, sent('patch', '').required]).toEqual([true, false]);
  for (const endpoint of endpoints) {
    if (!endpoint.body) continue;
    const { requestBody } = body.paths[endpoint.path.replace(/:(\w+)/g, '{$1}')][endpoint.method.toLowerCase()];
    const schemas = Object.values<{ schema: { required?: string[] } }>(requestBody.content);
    const needed = schemas.some(({ schema }) => (schema.required?.length ?? 0) > 0);
    if (needed) expect(requestBody.required, endpoint.id).toBe(true);
  }
  const docs = await (await fetch(`${companion.url}/docs`)).text();
  expect(docs).toContain('string, at least 2 characters, at most 200 characters');
  expect(docs).toContain('string, a time (RFC 3339)');
});

test('the OpenAPI document has every endpoint, and every problem of the closed list has a status', async () => {
  const { body } = await call(companion.url, 'GET', '/openapi.json');
  expect(body.openapi).toBe('3.1.0');
  for (const endpoint of endpoints) {
    const operation = body.paths[endpoint.path.replace(/:(\w+)/g, '{$1}')]?.[endpoint.method.toLowerCase()];
    expect(operation?.operationId, endpoint.id).toBe(endpoint.id);
    const mayHaveBody = endpoint.method === 'GET' || endpoint.method === 'DELETE' ? [] : ['400', '413'];
    const typed = mayHaveBody.length > 0 && endpoint.errors !== 'oauth' ? ['415'] : [];
    const statuses = [...Object.keys(endpoint.answers), ...mayHaveBody, ...typed];
    expect(Object.keys(operation.responses), endpoint.id).toEqual(expect.arrayContaining(statuses));
  }
  expect(new Set(endpoints.map((e) => e.id)).size).toBe(endpoints.length);
  for (const [status] of Object.values(PROBLEMS)) expect(status).toBeGreaterThanOrEqual(400);
});
