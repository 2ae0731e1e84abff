import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import {
  AGENT_SUBPROTOCOL,
  type AgentReport,
  CLOSE,
  connectStatement,
  type FromAgent,
  type FromCompanion,
  fromCompanion,
  HANDSHAKE_MS,
  HEARTBEAT_SECONDS,
  MESSAGE_LIMIT,
} from '../../shared/agent-protocol.ts';
import { type Credential, signText } from './credential.ts';

/** How a connection ended. */
export interface Ending {
  /** The close code, or 1006 where there was none. */
  code: number;
  reason: string;
  /** What the companion answered instead of opening the connection. */
  status?: number;
  /** It asked to wait that long. */
  retryAfterMs?: number;
  /** How long the companion knew us, in milliseconds; 0 when it never did. */
  livedMs: number;
}

export interface AgentConnection {
  /** Resolves once it is over, however that came. */
  ended: Promise<Ending>;
  /** Says something new of the agent. */
  report(report: AgentReport): void;
  close(): void;
}

function parse(text: string): FromCompanion | undefined {
  try {
    const result = fromCompanion.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}

/** What a server said that did not open the connection. */
function readRefusal(response: IncomingMessage): Pick<Ending, 'status' | 'retryAfterMs'> {
  const seconds = Number(response.headers['retry-after']);
  return {
    status: response.statusCode ?? 0,
    ...(Number.isFinite(seconds) ? { retryAfterMs: seconds * 1000 } : {}),
  };
}

/** Ends a connection on which nothing was heard for two and a half heartbeats. */
class Silence {
  readonly #socket: WebSocket;
  #timer: NodeJS.Timeout | undefined;
  heartbeatMs = HEARTBEAT_SECONDS * 1000;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  heard(): void {
    this.over();
    this.#timer = setTimeout(() => this.#socket.terminate(), this.heartbeatMs * 2.5);
  }

  over(): void {
    clearTimeout(this.#timer);
  }
}

/** What to say to a challenge. */
function prove(
  credential: Credential,
  host: string,
  { connection, nonce }: Extract<FromCompanion, { type: 'challenge' }>,
  report: AgentReport,
): FromAgent {
  const agentId = credential.agentId ?? '';
  const signature = signText(credential, connectStatement({ host, agentId, connection, nonce }));
  return { type: 'hello', agentId, host, signature, report };
}

function open(credential: Credential): { socket: WebSocket; host: string } {
  const url = new URL('/v1/agents/connect', credential.url);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url, AGENT_SUBPROTOCOL, {
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: MESSAGE_LIMIT,
    perMessageDeflate: false,
    followRedirects: false,
  });
  // Followed by `close`, with the code 1006.
  socket.on('error', () => {});
  return { socket, host: url.host };
}

/**
 * Opens one connection and keeps it until it ends: answers the challenge, then the companion's pings. Without two of them
 * in a row the connection is taken for dead.
 * @param welcomed called when the companion has taken the proof
 */
export function connect(
  credential: Credential,
  report: AgentReport,
  welcomed: (name: string) => void,
): AgentConnection {
  const { socket, host } = open(credential);
  const silence = new Silence(socket);
  const send = (message: FromAgent) => socket.send(JSON.stringify(message));
  let welcomedAt: number | undefined;
  let refused: ReturnType<typeof readRefusal> | undefined;

  for (const sign of ['open', 'ping']) socket.on(sign, () => silence.heard());
  socket.on('message', (data) => {
    const message = parse(data.toString());
    if (message?.type === 'challenge') send(prove(credential, host, message, report));
    else if (message?.type === 'welcome') {
      silence.heartbeatMs = message.heartbeatSeconds * 1000;
      welcomedAt = performance.now();
      silence.heard();
      welcomed(message.name);
    } else socket.close(CLOSE.badMessage, 'Not a message that was expected here');
  });
  socket.on('unexpected-response', (request, response) => {
    refused = readRefusal(response);
    request.destroy();
    socket.terminate();
  });
  const ended = new Promise<Ending>((done) => {
    socket.once('close', (code, reason) => {
      silence.over();
      const livedMs = welcomedAt === undefined ? 0 : performance.now() - welcomedAt;
      done({ code, reason: reason.toString(), livedMs, ...refused });
    });
  });
  return { ended, report: (changed) => send({ type: 'report', report: changed }), close: () => socket.close(1000) };
}
