import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { agents } from '../../shared/contract/agents.ts';
import type { App } from './context.ts';
import type { Unreadable } from './unreadable.ts';
import { answerUpgrade } from './upgrade.ts';

export interface Listening {
  port: number;
  server: Server;
  /** Stops accepting, lets what was begun finish, cuts what is idle; resolves when all connections are gone. */
  drain(withinMs: number): Promise<void>;
}

/** What answers requests, upgrades, and what can't be read as a request. */
export interface Service {
  listener: RequestListener;
  answerUnreadable: Unreadable['answer'];
  app: App;
}

/**
 * The one place where HTTP is left. Whatever else names `Upgrade` is answered as the ordinary request that it is (RFC 9110,
 * 7.8): h2c, and what a gateway passes on to `/v1/auth` of a WebSocket to the service behind it.
 */
const isForAgents = ({ headers, url }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === 'websocket' && url?.split('?', 1)[0] === agents.connectAgent.path;

/** Listens, with limits on slow senders and on the number of connections that Node leaves open by default. */
export async function listen(host: string, port: number, serviceFor: (port: number) => Service): Promise<Listening> {
  const server = createServer({
    headersTimeout: 10_000,
    requestTimeout: 12_000,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: 65_000,
    // More than gateways take from their clients (nginx: 32 kB), so that what they pass on is decided, not turned away.
    maxHeaderSize: 40_960,
    // Asked for where answers are made, which have a body and an id.
    requireHostHeader: false,
    shouldUpgradeCallback: isForAgents,
  });
  server.maxConnections = 10_000;
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(port, host, done);
  });
  const actual = (server.address() as AddressInfo).port;
  // Known only now: which names this server answers to. Nothing was accepted before this turn of the loop ends.
  const { app, listener, answerUnreadable } = serviceFor(actual);
  server.on('request', listener);
  server.on('clientError', answerUnreadable);
  server.on('upgrade', (request, socket, head) => answerUpgrade(app, request, socket, head));
  return {
    port: actual,
    server,
    async drain(withinMs) {
      const closed = new Promise<void>((done) => server.close(() => done()));
      // Browsers open connections ahead; to Node one that never sent a byte is not idle.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
      // A connection that was busy when this began stays open, kept alive, after its answer: look again.
      const idle = setInterval(() => server.closeIdleConnections(), 50);
      const cut = setTimeout(() => server.closeAllConnections(), withinMs);
      await closed;
      clearInterval(idle);
      clearTimeout(cut);
    },
  };
}
