import { WebSocket } from 'ws';
import { type Credential, newCredential, signText } from '../../examples/agent/credential.ts';
import { enrol } from '../../examples/agent/enrol.ts';
import { type AgentLog, type Outcome, stayConnected } from '../../examples/agent/run.ts';
import {
  AGENT_SUBPROTOCOL,
  type AgentReport,
  connectStatement,
  ENROL_PERMISSION,
} from '../../shared/agent-protocol.ts';
import type { Agent } from '../../shared/contract/agents.ts';
import { call } from './client.ts';
import type { Scenario } from './scenario.ts';

let groups = 0;
/** A group that holds nothing but the right to enrol. @returns its id */
export async function enrolGroup(
  url: string,
  workspaceId: string,
  token: string,
  permissions = [ENROL_PERMISSION],
): Promise<string> {
  const body = { name: `Installers ${++groups}`, permissions };
  const answer = await call(url, 'POST', `/v1/workspaces/${workspaceId}/groups`, { token, body });
  if (answer.status !== 201) throw new Error(`no group: ${JSON.stringify(answer.body)}`);
  return answer.body.id;
}

/** An agent that was enrolled with a key, and is connected nowhere yet. */
export async function enrolled(url: string, secret: string, name?: string): Promise<EnrolledAgent> {
  const credential = newCredential(url);
  const { id } = await enrol(credential, secret, name);
  return { ...credential, agentId: id };
}

export interface RunningAgent {
  /** The messages that it logged, oldest first. */
  said: string[];
  /** Resolves when it gave up for good. */
  outcome: Promise<Outcome>;
  stop(): Promise<Outcome>;
}

/** The reference agent, in this process. It waits little between attempts. */
export function running(credential: Credential, report: AgentReport = { version: '1.2.3' }): RunningAgent {
  const said: string[] = [];
  const log: AgentLog = (_level, message) => said.push(message);
  const stop = new AbortController();
  const outcome = stayConnected(credential, report, log, stop.signal, () => 0.05);
  return {
    said,
    outcome,
    stop() {
      stop.abort();
      return outcome;
    },
  };
}

/** Waits until something holds, by looking again; fails with the last answer after ten seconds. */
export async function until<T>(look: () => T | Promise<T>, holds: (value: T) => boolean = Boolean): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    if (Date.now() > deadline) throw new Error(`still not so: ${JSON.stringify(value)}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}

/** A bare WebSocket, for what no proper agent would send. */
export interface RawSocket {
  socket: WebSocket;
  /** The next message, parsed. */
  next(): Promise<Record<string, string>>;
  closed: Promise<{ code: number; reason: string }>;
}

export function rawSocket(url: string, headers: Record<string, string> = {}): RawSocket {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/agents/connect`, AGENT_SUBPROTOCOL, { headers });
  const messages: Record<string, string>[] = [];
  const waiting: ((message: Record<string, string>) => void)[] = [];
  socket.on('message', (data) => {
    const message = JSON.parse(data.toString());
    const taker = waiting.shift();
    if (taker) taker(message);
    else messages.push(message);
  });
  socket.on('error', () => {});
  return {
    socket,
    next: () =>
      new Promise((done) => {
        const message = messages.shift();
        if (message) done(message);
        else waiting.push(done);
      }),
    closed: new Promise((done) => socket.once('close', (code, reason) => done({ code, reason: reason.toString() }))),
  };
}

export type EnrolledAgent = Credential & { agentId: string };

/** Answers the challenge of a raw connection, with anything changed. */
export async function hello(raw: RawSocket, c: EnrolledAgent, change: Record<string, unknown> = {}) {
  const { connection = '', nonce = '' } = await raw.next();
  const { host } = new URL(c.url);
  const said = { host, connection, nonce, agentId: c.agentId, ...change };
  const signature = signText(c, connectStatement(said));
  const { host: _host, agentId } = said;
  raw.socket.send(
    JSON.stringify({ type: 'hello', agentId, host: said.host, signature, report: { version: '1' }, ...change }),
  );
  return { connection, nonce, signature };
}
/** A raw connection that was let in, by a companion whose agents beat every second. */
export async function connected(c: EnrolledAgent): Promise<RawSocket> {
  const raw = rawSocket(c.url);
  await hello(raw, c);
  const { type, agentId, heartbeatSeconds } = await raw.next();
  if (type !== 'welcome' || agentId !== c.agentId || Number(heartbeatSeconds) !== 1)
    throw new Error(`not let in: ${type}`);
  return raw;
}

/** What the owner sees of agents. @param of the scenario, looked up at each call */
export function agentsOf(of: () => Scenario) {
  const seen = async (id: string): Promise<Agent> => {
    const { items } = (await of().as(of().owner, 'GET', 'W/agents?limit=100')).body as { items: Agent[] };
    return items.find((a) => a.id === id) as Agent;
  };
  return {
    seen,
    /** Waits until it is shown in that state. */
    state: (id: string, wanted: Agent['state']) =>
      until(
        () => seen(id),
        (a) => a.state === wanted,
      ),
  };
}
