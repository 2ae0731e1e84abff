import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { signText } from '../../examples/agent/credential.ts';
import { AGENT_SUBPROTOCOL, connectStatement, fromAgent } from '../../shared/agent-protocol.ts';
import {
  agentsOf,
  connected,
  type EnrolledAgent,
  enrolGroup,
  enrolled,
  hello,
  type RawSocket,
  rawSocket,
} from '../support/agents.ts';
import { call } from '../support/client.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let secret: string;
beforeAll(async () => {
  s = await scenario({ HEEX_AGENT_HEARTBEAT_SECONDS: '1' });
  const groupId = await enrolGroup(s.url, s.workspaceId, s.owner.token);
  secret = (await s.key(s.owner, { groupId })).secret;
});
afterAll(() => s.end());

const { seen } = agentsOf(() => s);

test('messages that are too large, not text, out of turn or too many end the connection', async () => {
  const end = async (send: (raw: RawSocket) => void, raw = rawSocket(s.url)) => {
    if (raw.socket.readyState !== WebSocket.OPEN) await raw.next();
    send(raw);
    return (await raw.closed).code;
  };
  expect(await end(({ socket }) => socket.send('x'.repeat(5_000)))).toBe(1009);
  expect(await end(({ socket }) => socket.send(Buffer.from('{}')))).toBe(4400);
  expect(await end(({ socket }) => socket.send('{"type":"report","report":{}}'))).toBe(4400);
  expect(await end(({ socket }) => socket.send('null'))).toBe(4400);
  const c = await enrolled(s.url, secret);
  const flood = ({ socket }: RawSocket) => {
    for (let i = 0; i < 100; i++) socket.send('{"type":"report","report":{}}');
  };
  expect(await end(flood, await connected(c))).toBe(4429);
});

test('no text whatever, before or after the proof, does more than end its own connection', async () => {
  const c = await enrolled(s.url, secret);
  const messages = fc.oneof(
    fc.json(),
    fc.string({ maxLength: 200 }),
    fc.constant('{"type":"hello"}'),
    fc
      .record({ type: fc.constantFrom('hello', 'report', 'welcome', '__proto__'), report: fc.jsonValue() })
      .map((m) => JSON.stringify(m)),
  );
  await fc.assert(
    fc.asyncProperty(messages, fc.boolean(), async (text, proven) => {
      const raw = proven ? await connected(c) : rawSocket(s.url);
      if (!proven) await raw.next();
      raw.socket.send(text);
      if (proven && isReport(text)) raw.socket.close(1000);
      const { code } = await raw.closed;
      expect([1000, 1005, 4400]).toContain(code);
    }),
    // Failed proofs from one address are limited.
    { numRuns: 30 },
  );
  expect((await call(s.url, 'GET', '/healthz')).status).toBe(200);
});
const isReport = (text: string) => {
  try {
    return fromAgent.safeParse(JSON.parse(text)).data?.type === 'report';
  } catch {
    return false;
  }
};

/** What a request to connect is answered when it is not let in. */
const refusal = (headers: Record<string, string>, protocols = [AGENT_SUBPROTOCOL], query = '') =>
  new Promise<{ status: number; code: string }>((done, fail) => {
    const socket = new WebSocket(`${s.url.replace('http', 'ws')}/v1/agents/connect${query}`, protocols, { headers });
    socket.on('error', () => {});
    socket.on('open', () => fail(new Error('let in')));
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => done({ status: response.statusCode ?? 0, code: JSON.parse(body).code }));
    });
  });

test('a request to connect passes the same checks as any other; a web page never gets in', async () => {
  expect(await refusal({ Host: 'evil.example' })).toEqual({ status: 421, code: 'wrong_host' });
  expect(await refusal({ Origin: s.url })).toEqual({ status: 403, code: 'forbidden' });
  expect(await refusal({}, [])).toEqual({ status: 400, code: 'bad_request' });
  expect(await refusal({}, ['chat'])).toEqual({ status: 400, code: 'bad_request' });
  expect(await refusal({}, [AGENT_SUBPROTOCOL], '?key=1')).toEqual({ status: 400, code: 'bad_request' });
  const { socket } = rawSocket(s.url);
  const id = await new Promise((done) => socket.once('upgrade', ({ headers }) => done(headers['x-request-id'])));
  expect(id).toMatch(/^req_/);
  socket.close();
  const plain = await call(s.url, 'GET', '/v1/agents/connect');
  expect([plain.status, plain.body.code, plain.headers.get('upgrade')]).toEqual([
    426,
    'websocket_required',
    'websocket',
  ]);
  expect((await call(s.url, 'POST', '/v1/agents/connect')).status).toBe(405);
  const elsewhere = new WebSocket(`${s.url.replace('http', 'ws')}/v1/me`);
  const status = await new Promise((done) => {
    elsewhere.on('error', () => {});
    elsewhere.on('unexpected-response', (_request, response) => done(response.statusCode));
  });
  expect(status).toBe(401);
});

test('an upgrade that is none of ours is answered as the ordinary request that it is', async () => {
  const answer = await fetch(`${s.url}/healthz`, { headers: { 'x-unused': '1' } });
  expect(answer.status).toBe(200);
  const { request } = await import('node:http');
  const status = await new Promise((done) => {
    const headers = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': '' };
    request(`${s.url}/healthz`, { headers }, (response) => {
      response.resume();
      done(response.statusCode);
    }).end();
  });
  expect(status).toBe(200);
});

test('neither key, nonce nor signature is in any line of the log', async () => {
  const c = await enrolled(s.url, secret);
  const raw = rawSocket(s.url);
  const { nonce, signature } = await hello(raw, c);
  await raw.next();
  raw.socket.close();
  const log = s.companion.lines.join('\n');
  for (const hidden of [secret, nonce, signature]) expect(log).not.toContain(hidden);
  expect(log).toContain('"message":"agent connected"');
});

const refusals: [string, (c: EnrolledAgent, other: EnrolledAgent) => [EnrolledAgent, Record<string, unknown>]][] = [
  ['by another key', (c, other) => [{ ...other, agentId: c.agentId }, {}]],
  ['for another agent', (c, other) => [c, { agentId: other.agentId }]],
  ['of an agent that never was', (c) => [c, { agentId: 'agt_never' }]],
  ['over another challenge', (c) => [c, { nonce: 'A'.repeat(43) }]],
  ['for another connection', (c) => [c, { connection: 'con_other' }]],
  ['for another server', (c) => [c, { host: 'evil.example' }]],
];

test.each(refusals)('a proof %s is refused', async (_what, change) => {
  const [c, other] = [await enrolled(s.url, secret), await enrolled(s.url, secret)];
  const raw = rawSocket(s.url);
  const [signer, said] = change(c, other);
  const { connection: _c, nonce: _n, ...sent } = { connection: '', nonce: '', ...said };
  const challenge = await raw.next();
  const host = (said.host as string) ?? new URL(s.url).host;
  const statement = connectStatement({
    host,
    connection: (said.connection ?? challenge.connection) as string,
    nonce: (said.nonce ?? challenge.nonce) as string,
    agentId: c.agentId,
  });
  const message = { type: 'hello', agentId: c.agentId, host, signature: signText(signer, statement), report: {} };
  raw.socket.send(JSON.stringify({ ...message, ...sent }));
  expect((await raw.closed).code).toBe(4401);
  expect((await seen(c.agentId)).state).toBe('never_connected');
});

test('a proof that was heard on one connection is worth nothing on another', async () => {
  const c = await enrolled(s.url, secret);
  const first = rawSocket(s.url);
  const { signature } = await hello(first, c);
  await first.next();
  const second = rawSocket(s.url);
  await second.next();
  const { host } = new URL(s.url);
  second.socket.send(JSON.stringify({ type: 'hello', agentId: c.agentId, host, signature, report: {} }));
  expect((await second.closed).code).toBe(4401);
  expect((await seen(c.agentId)).state).toBe('connected');
  first.socket.close();
});

test('a connection without a proof ends', async () => {
  const raw = rawSocket(s.url);
  await raw.next();
  expect((await raw.closed).code).toBe(4408);
});
