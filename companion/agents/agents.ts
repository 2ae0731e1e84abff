import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { AGENT_SUBPROTOCOL, CLOSE, CLOSE_RESTART, MESSAGE_LIMIT } from '../../shared/agent-protocol.ts';
import type { AgentConnections, Origin, SeenAgent } from '../app/deps.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Store } from '../store/store.ts';
import { Admission } from './admission.ts';
import { AgentConnection } from './connection.ts';
import { AgentRegister, type KnownAgent } from './feed.ts';
import { PresenceWriter } from './presence.ts';

export interface AgentsOptions {
  store: Store;
  now(): number;
  randomBytes(n: number): Uint8Array;
  newId(prefix: string): string;
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>): void;
  /** How often each connection is pinged. */
  heartbeatSeconds: number;
}

interface Live {
  connection: AgentConnection;
  seen: SeenAgent;
}

/** The live connections of agents to this process: one for each agent, the newest. */
export class Agents implements AgentConnections {
  readonly #options: AgentsOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MESSAGE_LIMIT,
    perMessageDeflate: false,
    handleProtocols: () => AGENT_SUBPROTOCOL,
  });
  readonly #live = new Map<string, Live>();
  /** Every connection, those that have yet to prove themselves included, by the second of the heartbeat in which it is pinged. */
  readonly #beats: Set<AgentConnection>[];
  readonly #admission = new Admission();
  readonly #presence: PresenceWriter;
  readonly #register: AgentRegister;
  readonly #ticker: NodeJS.Timeout;
  #ticks = 0;
  #connections = 0;
  #stopping = false;

  constructor(options: AgentsOptions) {
    this.#options = options;
    this.#beats = Array.from({ length: options.heartbeatSeconds }, () => new Set());
    const failed = (error: unknown) => this.#fault(error);
    this.#presence = new PresenceWriter(options.store, options.newId('prc'), options.now, failed);
    this.#register = new AgentRegister(
      options.store.files.database,
      (id) => {
        for (const agentId of id === undefined ? [...this.#live.keys()] : [id]) this.#recheck(agentId);
      },
      failed,
    );
    this.#ticker = setInterval(() => this.#tick(), 1_000);
    this.#ticker.unref();
  }

  get processId(): string {
    return this.#presence.processId;
  }

  get count(): number {
    return this.#live.size;
  }

  admit(ip: string | null): void {
    if (this.#stopping) throw new Refusal('unavailable', '', [], { 'Retry-After': '1' });
    this.#admission.check(ip, this.#live.size);
  }

  accept(request: IncomingMessage, socket: Duplex, head: Buffer, hosts: ReadonlySet<string>, origin: Origin): void {
    const name = (headers: string[]) => headers.push(`X-Request-Id: ${origin.requestId}`);
    this.#server.once('headers', name);
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#opened(webSocket, hosts, origin.ip));
    // It is all done by now, whether it went well or not.
    this.#server.off('headers', name);
  }

  #opened(webSocket: WebSocket, hosts: ReadonlySet<string>, ip: string | null): void {
    const beat = this.#beats[this.#connections++ % this.#beats.length] as Set<AgentConnection>;
    const connection = new AgentConnection(webSocket, {
      connectionId: this.#options.newId('con'),
      nonce: Buffer.from(this.#options.randomBytes(32)).toString('base64url'),
      hosts,
      ip,
      heartbeatSeconds: this.#beats.length,
      find: (agentId) => this.#register.find(agentId),
      exhausted: (agentId) => this.#admission.exhausted(ip, agentId),
      refused: (self, agentId, known) => {
        this.#admission.failed(ip, agentId);
        // An id that is none may be anything, a secret that was pasted in the wrong place too.
        const fields = { agent: known ? agentId : null, connection: self.context.connectionId, code: self.closedWith };
        this.#options.log('warn', 'agent refused', fields);
      },
      proven: (self, agent) => {
        settled();
        this.#proven(self, agent);
      },
      heard: (self) => this.#heard(self),
      ended: (self) => {
        beat.delete(self);
        settled();
        if (self.agent) this.#ended(self, self.agent);
      },
    });
    const settled = this.#admission.opened(ip, () =>
      connection.close(CLOSE.handshakeTimeout, 'No room to wait longer'),
    );
    beat.add(connection);
    if (this.#stopping) connection.close(CLOSE_RESTART, 'The companion stops');
  }

  end(agentId: string): void {
    this.#live.get(agentId)?.connection.close(CLOSE.removed, 'This agent was removed');
  }

  seen(): Iterable<SeenAgent> {
    return this.#presence.seen();
  }

  /** Tells every agent to come back later, and waits until they are gone (those that do not answer are cut). */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#ticker);
    for (const beat of this.#beats) for (const c of beat) c.close(CLOSE_RESTART, 'The companion stops');
    const deadline = performance.now() + 2_000;
    while (this.#beats.some((beat) => beat.size) && performance.now() < deadline) await sleep(20);
    this.#server.close();
    this.#register.close();
    await this.#presence.close();
  }

  #proven(connection: AgentConnection, agent: KnownAgent): void {
    const now = this.#options.now();
    const before = this.#live.get(agent.id);
    const seen: SeenAgent = {
      agentId: agent.id,
      workspaceId: agent.workspaceId,
      connectedAt: now,
      lastSeenAt: now,
      ip: connection.context.ip,
      report: connection.report,
      held: true,
      turn: undefined,
    };
    this.#live.set(agent.id, { connection, seen });
    this.#presence.note(seen);
    before?.connection.close(CLOSE.replaced, 'This agent connected again');
    this.#options.log('info', 'agent connected', { agent: agent.id, connection: connection.context.connectionId });
  }

  #heard(connection: AgentConnection): void {
    const live = this.#live.get(connection.agent?.id ?? '');
    if (live?.connection !== connection) return;
    live.seen.lastSeenAt = this.#options.now();
    live.seen.report = connection.report;
    this.#presence.note(live.seen);
  }

  #ended(connection: AgentConnection, agent: KnownAgent): void {
    this.#options.log('info', 'agent disconnected', {
      agent: agent.id,
      connection: connection.context.connectionId,
      code: connection.closedWith ?? null,
    });
    const live = this.#live.get(agent.id);
    if (live?.connection !== connection) return;
    this.#live.delete(agent.id);
    this.#presence.ended(live.seen);
  }

  #recheck(agentId: string): void {
    if (this.#live.has(agentId) && this.#register.find(agentId)?.removed !== false) this.end(agentId);
  }

  #tick(): void {
    for (const connection of this.#beats[this.#ticks++ % this.#beats.length] ?? []) connection.beat();
    if (this.#live.size) this.#yieldToOthers().catch((error) => this.#fault(error));
  }

  /** Another companion on the same data may hold a newer connection of an agent. */
  async #yieldToOthers(): Promise<void> {
    for (const id of await this.#presence.takenOver())
      this.#live.get(id)?.connection.close(CLOSE.replaced, 'This agent connected again');
  }

  #fault(error: unknown): void {
    this.#options.log('warn', 'agents', { error: error instanceof Error ? error.message : String(error) });
  }
}
