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
  const url = new URL('/v1/agents/connect', credential.url);
  const { host } = url;
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url, AGENT_SUBPROTOCOL, {
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: MESSAGE_LIMIT,
    perMessageDeflate: false,
    followRedirects: false,
  });
  let heartbeatMs = HEARTBEAT_SECONDS * 1000;
  let welcomedAt: number | undefined;
  let refused: Pick<Ending, 'status' | 'retryAfterMs'> = {};
  let silence: NodeJS.Timeout | undefined;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => socket.terminate(), heartbeatMs * 2.5);
  };
  const send = (message: FromAgent) => socket.send(JSON.stringify(message));

  socket.on('open', heard);
  socket.on('ping', heard);
  const answer = (message: FromCompanion) => {
    if (message.type === 'challenge') {
      const agentId = credential.agentId ?? '';
      const statement = connectStatement({ host, agentId, connection: message.connection, nonce: message.nonce });
      send({ type: 'hello', agentId, host, signature: signText(credential, statement), report });
    } else {
      heartbeatMs = message.heartbeatSeconds * 1000;
      welcomedAt = performance.now();
      heard();
      welcomed(message.name);
    }
  };
  socket.on('message', (data) => {
    const message = parse(data.toString());
    if (message) answer(message);
    else socket.close(CLOSE.badMessage, 'Not a message that was expected here');
  });
  // Followed by `close`, with the code 1006.
  socket.on('error', () => {});
  socket.on('unexpected-response', (request, response) => {
    const seconds = Number(response.headers['retry-after']);
    refused = {
      status: response.statusCode ?? 0,
      ...(Number.isFinite(seconds) ? { retryAfterMs: seconds * 1000 } : {}),
    };
    request.destroy();
    socket.terminate();
  });
  const ended = new Promise<Ending>((done) => {
    socket.once('close', (code, reason) => {
      clearTimeout(silence);
      const livedMs = welcomedAt === undefined ? 0 : performance.now() - welcomedAt;
      done({ code, reason: reason.toString(), livedMs, ...refused });
    });
  });
  return { ended, report: (changed) => send({ type: 'report', report: changed }), close: () => socket.close(1000) };
}
