import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient, FailureError } from '../../shared/client/client.ts';
import { keys } from '../../shared/contract/keys.ts';
import { people } from '../../shared/contract/people.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that is no companion, or a broken one. */
async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const client = createClient({ fetch });
async function failureOf(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FailureError);
  return (error as FailureError).failure;
}
const me = (origin: string, timeoutMs = 5000) =>
  failureOf(client.call({ origin, token: 't' }, people.me, { timeoutMs }));

describe('what a server answers', () => {
  test('is refused when it is not what the contract says', async () => {
    const origin = await serve((_q, r) => r.setHeader('content-type', 'application/json').end('{"user":{"id":1}}'));
    expect(await me(origin)).toMatchObject({ code: 'bad_answer' });
  });

  test('is refused when it is a page of something else', async () => {
    const origin = await serve((_q, r) => r.setHeader('content-type', 'text/html').end('<h1>Welcome to nginx</h1>'));
    expect(await me(origin)).toMatchObject({ code: 'bad_answer' });
  });

  test('is no problem of ours when its error is not in our form', async () => {
    const origin = await serve((_q, r) => r.writeHead(502).end('Bad gateway'));
    expect(await me(origin)).toMatchObject({ code: 'bad_answer', status: 502 });
  });

  test('keeps its field errors, its request id and its own words', async () => {
    const problem = {
      type: '/docs#error-bad_request',
      title: 'x',
      status: 400,
      code: 'bad_request',
      detail: 'name: use at least 2 characters',
      requestId: 'req_1',
      errors: [{ path: 'name', message: 'use at least 2 characters' }],
    };
    const origin = await serve((_q, r) => r.writeHead(400).end(JSON.stringify(problem)));
    expect(await me(origin)).toEqual({
      code: 'bad_request',
      title: 'The request has an error',
      status: 400,
      detail: problem.detail,
      requestId: 'req_1',
      errors: problem.errors,
    });
  });

  test('that never comes is a timeout; a server that is not there cannot be reached', async () => {
    const origin = await serve(() => undefined);
    expect(await me(origin, 50)).toMatchObject({ code: 'timeout' });
    expect(await me('http://127.0.0.1:1')).toMatchObject({ code: 'network' });
  });
});

test('a session token is never carried to where a server redirects', async () => {
  const asked: (string | undefined)[] = [];
  const origin = await serve((q, r) => {
    asked.push(q.url);
    r.writeHead(307, { location: '/elsewhere' }).end();
  });
  expect(await me(origin)).toMatchObject({ code: 'network' });
  expect(asked).toEqual(['/v1/me']);
});

test('an id cannot leave its place in the path', async () => {
  let path: string | undefined;
  const origin = await serve((q, r) => {
    path = q.url;
    r.writeHead(404).end();
  });
  await failureOf(
    client.call({ origin, token: 't' }, keys.readKey, { params: { workspaceId: 'wsp_1', keyId: '../../me?x#y' } }),
  );
  expect(path).toBe('/v1/workspaces/wsp_1/keys/..%2F..%2Fme%3Fx%23y');
});
