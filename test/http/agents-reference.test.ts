import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { newCredential } from '../../examples/agent/credential.ts';
import { type RunningAgent, running, until } from '../support/agents.ts';

// How the reference agent takes what no companion of ours would do.
let server: Server;
let agent: RunningAgent;
afterEach(async () => {
  await agent.stop();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});
async function start(made: Server): Promise<void> {
  server = made;
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  agent = running({ ...newCredential(url), agentId: 'agt_1' });
}
function speaking(say: (socket: WebSocket) => void): Server {
  const made = createServer();
  new WebSocketServer({ server: made }).on('connection', say);
  return made;
}

test('an agent that is told to wait waits, and tries again', async () => {
  const times: number[] = [];
  await start(
    createServer((_request, response) => {
      times.push(performance.now());
      response.writeHead(503, { 'Retry-After': '1' }).end();
    }).on('upgrade', (_request, socket) => {
      times.push(performance.now());
      // An agent that leaves without waiting for the answer resets the connection.
      socket.on('error', () => {});
      socket.end(
        'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
      );
    }),
  );
  await until(
    () => times.length,
    (n) => n >= 2,
  );
  expect((times[1] as number) - (times[0] as number)).toBeGreaterThan(990);
  expect(agent.said.slice(0, 2)).toEqual(['not connected', 'connecting again']);
});

test.each(['nonsense', '{"type":"challenge"}', '{"type":"welcome"}', '[]', 'null'])(
  'a server that says %s is left, and asked again later',
  async (text) => {
    const codes: number[] = [];
    await start(
      speaking((socket) => {
        socket.on('close', (code) => codes.push(code));
        socket.send(text);
      }),
    );
    await until(
      () => codes.length,
      (n) => n >= 2,
    );
    expect(codes[0]).toBe(4400);
    expect(agent.said).not.toContain('connected');
  },
);

/** A companion that takes any proof, and then closes as it is told. */
const welcoming = (then: (socket: WebSocket) => void) =>
  speaking((socket) => {
    socket.once('message', () => {
      socket.send(JSON.stringify({ type: 'welcome', agentId: 'agt_1', name: 'one', heartbeatSeconds: 1 }));
      then(socket);
    });
    socket.send(JSON.stringify({ type: 'challenge', connection: 'con_1', nonce: 'A'.repeat(43) }));
  });

test('an agent that was replaced once connects again, and gives up only when it happens again and again', async () => {
  let replaced = 0;
  await start(welcoming((socket) => replaced++ || socket.close(4409, 'This agent connected again')));
  await until(
    () => agent.said.filter((message) => message === 'connected').length,
    (n) => n === 2,
  );
  await agent.stop();
  await start(welcoming((socket) => socket.close(4409, 'This agent connected again')));
  expect(await agent.outcome).toBe('replaced');
  expect(agent.said.filter((message) => message === 'connected')).toHaveLength(3);
});
