import type { WebSocket } from 'ws';
import {
  type AgentReport,
  CLOSE,
  connectStatement,
  type FromAgent,
  type FromCompanion,
  fromAgent,
  HANDSHAKE_MS,
} from '../../shared/agent-protocol.ts';
import { signedBy } from '../app/agents/ed25519.ts';
import type { KnownAgent } from './feed.ts';

/** A peer that does not answer a close is cut after this. */
const CLOSE_GRACE_MS = 1_000;
/** Messages between two pings; an agent needs one at most. */
const MESSAGES_MOST = 20;

/** What a connection needs of its surroundings. */
export interface ConnectionContext {
  connectionId: string;
  /** 32 random bytes in base64url. */
  nonce: string;
  /** `host[:port]` of every name of this companion. */
  hosts: ReadonlySet<string>;
  ip: string | null;
  heartbeatSeconds: number;
  find(agentId: string): KnownAgent | undefined;
  /** Whether proofs for this agent failed so often that no more are looked at for now. */
  exhausted(agentId: string): boolean;
  /** Its proof was refused. `known`: whether there is such an agent. */
  refused(connection: AgentConnection, agentId: string, known: boolean): void;
  /** It proved to be that agent. */
  proven(connection: AgentConnection, agent: KnownAgent): void;
  /** It was heard of: a pong, or a report. */
  heard(connection: AgentConnection): void;
  /** It is over, proven or not. */
  ended(connection: AgentConnection): void;
}

/** One WebSocket: asks for the proof, then listens for pongs and reports until either side ends it. */
export class AgentConnection {
  readonly context: ConnectionContext;
  readonly #socket: WebSocket;
  #handshake: NodeJS.Timeout | undefined;
  #missedPongs = 0;
  #messages = 0;
  #closing = false;
  agent: KnownAgent | undefined;
  report: AgentReport = {};
  /** Why this side closed it; undefined when the agent or the network did. */
  closedWith: number | undefined;

  constructor(socket: WebSocket, context: ConnectionContext) {
    this.#socket = socket;
    this.context = context;
    socket.on('message', (data, isBinary) => this.#message(data.toString(), isBinary));
    socket.on('pong', () => {
      this.#missedPongs = 0;
      if (this.agent && !this.#closing) context.heard(this);
    });
    // What goes wrong on the wire (a message too large, a reset) is followed by `close`.
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(this.#handshake);
      context.ended(this);
    });
    this.#handshake = setTimeout(
      () => this.close(CLOSE.handshakeTimeout, 'The proof did not come in time'),
      HANDSHAKE_MS,
    );
    this.#send({ type: 'challenge', connection: context.connectionId, nonce: context.nonce });
  }

  /** Ends it with a code and a reason that the agent can read; from here on nothing that it sends counts. */
  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.closedWith = code;
    this.#socket.close(code, reason);
    setTimeout(() => this.#socket.terminate(), CLOSE_GRACE_MS).unref();
  }

  /** Cuts it without a word. */
  cut(): void {
    this.#socket.terminate();
  }

  /** One beat: two pings without a pong mean that nobody is there. */
  beat(): void {
    this.#messages = 0;
    if (this.#missedPongs >= 2) this.cut();
    else if (!this.#closing) {
      this.#missedPongs++;
      this.#socket.ping();
    }
  }

  #send(message: FromCompanion): void {
    this.#socket.send(JSON.stringify(message));
  }

  #message(text: string, isBinary: boolean): void {
    if (this.#closing) return;
    const message = isBinary ? undefined : parse(text);
    if (++this.#messages > MESSAGES_MOST) this.close(CLOSE.tooMany, 'Too many messages');
    else if (message?.type === 'hello' && !this.agent) this.#hello(message);
    else if (message?.type === 'report' && this.agent) {
      this.report = message.report;
      this.context.heard(this);
    } else this.close(CLOSE.badMessage, 'Not a message that was expected here');
  }

  #hello(said: Extract<FromAgent, { type: 'hello' }>): void {
    clearTimeout(this.#handshake);
    const agent = this.context.find(said.agentId);
    if (this.context.exhausted(said.agentId)) this.close(CLOSE.tooMany, 'Too many failed proofs');
    else if (!agent || !this.#proves(said, agent)) {
      this.close(CLOSE.proofRefused, 'No agent is known by this proof');
      this.context.refused(this, said.agentId, agent !== undefined);
    }
    // Told to nobody but the agent itself.
    else if (agent.removed) this.close(CLOSE.removed, 'This agent was removed');
    else {
      this.agent = agent;
      this.report = said.report;
      this.#send({
        type: 'welcome',
        agentId: agent.id,
        name: agent.name,
        heartbeatSeconds: this.context.heartbeatSeconds,
      });
      this.context.proven(this, agent);
    }
  }

  #proves({ host, agentId, signature }: Extract<FromAgent, { type: 'hello' }>, agent: KnownAgent): boolean {
    const { connectionId: connection, nonce, hosts } = this.context;
    const statement = connectStatement({ host, connection, nonce, agentId });
    return hosts.has(host) && signedBy(agent.publicKey, statement, Buffer.from(signature, 'base64url'));
  }
}

function parse(text: string): FromAgent | undefined {
  try {
    const result = fromAgent.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}
