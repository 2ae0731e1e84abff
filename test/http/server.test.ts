import { connect } from 'node:net';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Env } from '../../companion/http/context.ts';
import { listen } from '../../companion/http/server.ts';
import { call } from '../support/client.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

test('a connection that a browser opened ahead and never used does not hold up a stop', async () => {
  const { port, drain } = await listen('127.0.0.1', 0, () => ({
    app: new Hono<Env>(),
    listener: () => {},
    answerUnreadable: () => {},
  }));
  const ahead = connect(port, '127.0.0.1').on('error', () => {});
  let got = '';
  ahead.on('data', (chunk) => {
    got += chunk;
  });
  await new Promise((done) => ahead.once('connect', done));
  // Once the server has it, too.
  await new Promise((done) => setTimeout(done, 50));
  await drain(60_000);
  // Held up, it would be told after ten seconds that its request did not come: 408.
  expect(got).toBe('');
});

describe('what is no request that can be read', () => {
  let s: Scenario;
  let host: string;
  beforeAll(async () => {
    s = await scenario();
    host = new URL(s.url).host;
  });
  afterAll(() => s.end());

  /** Everything that comes back on a connection until the companion closes it. */
  const exchange = (...pieces: string[]) =>
    new Promise<string>((done) => {
      const socket = connect(Number(new URL(s.url).port), '127.0.0.1');
      let got = '';
      socket.setEncoding('latin1').on('data', (text) => {
        got += text;
        const next = pieces.shift();
        if (next !== undefined) socket.write(next);
      });
      socket.on('error', () => {});
      socket.on('close', () => done(got));
      socket.write(pieces.shift() ?? '');
    });
  const answers = (text: string) => text.match(/HTTP\/1\.1 \d{3}/g)?.map((line) => Number(line.slice(9))) ?? [];

  test.each([
    ['no HTTP', () => 'nonsense\r\n\r\n', 400, 'bad_request'],
    ['a header without a colon', () => `GET / HTTP/1.1\r\nHost: ${host}\r\nnonsense\r\n\r\n`, 400, 'bad_request'],
    ['no host', () => 'GET /healthz HTTP/1.1\r\n\r\n', 400, 'bad_request'],
    ['no host, of a gateway', () => 'GET /v1/auth HTTP/1.1\r\n\r\n', 400, 'bad_request'],
    [
      'two lengths',
      () => `POST /v1/verify HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
      'bad_request',
    ],
    [
      'a broken body',
      () => `POST /v1/setup HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n`,
      400,
      'bad_request',
    ],
    [
      'a broken body of a check',
      () => `POST /v1/verify HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n`,
      400,
      'bad_request',
    ],
    [
      'endless headers',
      () => `GET / HTTP/1.1\r\nHost: ${host}\r\nX: ${'x'.repeat(200_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
  ])(
    '%s is answered with one problem that has an id, and the connection is closed',
    async (_, request, status, code) => {
      const text = await exchange(request());
      expect(answers(text)).toEqual([status]);
      const [head = '', body = ''] = text.split('\r\n\r\n');
      const problem = JSON.parse(body);
      expect(problem).toMatchObject({ status, code, requestId: expect.stringMatching(/^req_\w{20}$/) });
      expect(head.toLowerCase()).toContain(`x-request-id: ${problem.requestId.toLowerCase()}`);
      for (const line of [
        'content-type: application/problem+json',
        'connection: close',
        'x-content-type-options: nosniff',
      ])
        expect(head.toLowerCase()).toContain(line);
      expect((await call(s.url, 'GET', '/healthz')).status).toBe(200);
    },
  );

  test('is a denial to nginx, which makes a 500 of anything else', async () => {
    const ask = (path: string) => exchange(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nX-Any: a\x01b\r\n\r\n`);
    const text = await ask('/v1/auth?mode=nginx&permission=a:b');
    expect(answers(text)).toEqual([403]);
    expect(text.toLowerCase()).toContain('x-heex-status: 400\r\n');
    expect(answers(await ask('/v1/auth?permission=a:b'))).toEqual([400]);
    expect(answers(await ask('/v1/auth/envoy/?mode=nginx'))).toEqual([400]);
    expect(answers(await ask('/healthz?mode=nginx'))).toEqual([400]);
  });

  const HEALTH = () => `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  test('comes after the answers to what was sent before it', async () => {
    expect(answers(await exchange(HEALTH(), 'nonsense\r\n\r\n'))).toEqual([200, 400]);
    const text = await exchange(`${HEALTH()}${HEALTH()}nonsense\r\n\r\n`);
    expect(answers(text)).toEqual([200, 200, 400]);
    expect(JSON.parse(text.slice(text.lastIndexOf('\r\n\r\n'))).code).toBe('bad_request');
  });

  test('has no second answer where one was given or has begun', async () => {
    const chunk = `${(300_000).toString(16)}\r\n${'x'.repeat(300_000)}\r\n`;
    const post = `POST /v1/setup HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect(answers(await exchange(`${post}${chunk}`, 'nonsense\r\n'))).toEqual([413]);
    const stream = `GET /v1/verify/stream HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${await s.verifier()}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect(answers(await exchange(stream, 'nonsense\r\n'))).toEqual([200]);
  });

  test('nor is a body whose sender goes away, and that is no fault', async () => {
    const socket = connect(Number(new URL(s.url).port), '127.0.0.1').on('error', () => {});
    const before = s.companion.lines.length;
    await new Promise<void>((done) =>
      socket.write(
        `POST /v1/setup HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
        () => done(),
      ),
    );
    // Once the companion waits for the rest of it.
    await call(s.url, 'GET', '/healthz');
    socket.destroy();
    const lines = () => s.companion.lines.slice(before).filter((line) => line.includes('/v1/setup'));
    await expect.poll(lines).toEqual([expect.stringContaining('"status":400')]);
    expect(s.companion.lines.slice(before).join()).not.toContain('fault');
  });
});
