import * as z from 'zod/mini';
import { name } from './contract/fields.ts';

/**
 * What an agent and the companion say to each other. Enrolment proves the possession of the private key as DPoP does
 * (RFC 9449); the live connection is a WebSocket (RFC 6455) on which the companion asks first.
 */

/** What a key needs to enrol an agent: an ordinary permission, which a group can hold. */
export const ENROL_PERMISSION = 'agents:enroll';

/** `Sec-WebSocket-Protocol`: a later version gets another name. */
export const AGENT_SUBPROTOCOL = 'heex-agent.v1';

/** Larger messages close the connection (code 1009). */
export const MESSAGE_LIMIT = 4096;
/** An agent that has not proved itself by then is cut. */
export const HANDSHAKE_MS = 10_000;
/** How often the companion sends a ping (RFC 6455, 5.5.2). Either side takes two missed ones for a dead connection. */
export const HEARTBEAT_SECONDS = 20;
/** How far the clock of an enrolling agent may be off. */
export const PROOF_WINDOW_SECONDS = 600;

/** Why a connection was closed, beyond what RFC 6455, 7.4.1 defines (1001, 1009, 1012). */
export const CLOSE = {
  /** A message was not one of these. */
  badMessage: 4400,
  /** No such agent, or the signature is not its own. */
  proofRefused: 4401,
  /** The agent was removed: it never comes back. */
  removed: 4403,
  /** The proof did not come in time. */
  handshakeTimeout: 4408,
  /** The same agent connected again; the newest connection wins. */
  replaced: 4409,
  /** More messages than anyone needs. */
  tooMany: 4429,
} as const;
/** The companion stops or restarts: come back. */
export const CLOSE_RESTART = 1012;

const base64url = (bytes: number) =>
  z
    .string()
    .check(
      z.regex(new RegExp(`^[A-Za-z0-9_-]{${Math.ceil((bytes * 4) / 3)}}$`), `must be ${bytes} bytes in base64url`),
    );

const short = z.optional(
  z.string().check(
    z.maxLength(100, 'use at most 100 characters'),
    z.refine((text) => text.isWellFormed() && !/\p{C}/u.test(text), 'must be printable text'),
  ),
);

/** What an agent says of itself. Shown as it is, so it is kept short and printable. */
export const agentReport = z.strictObject({ version: short, hostName: short, platform: short });
export type AgentReport = z.infer<typeof agentReport>;

/** From the agent. */
export const fromAgent = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    agentId: z.string().check(z.maxLength(64)),
    /** The `host[:port]` that the agent connected to. */
    host: z.string().check(z.maxLength(300)),
    signature: base64url(64),
    report: agentReport,
  }),
  z.strictObject({ type: z.literal('report'), report: agentReport }),
]);
export type FromAgent = z.infer<typeof fromAgent>;

/** From the companion. */
export const fromCompanion = z.discriminatedUnion('type', [
  z.object({ type: z.literal('challenge'), connection: z.string(), nonce: base64url(32) }),
  z.object({ type: z.literal('welcome'), agentId: z.string(), name, heartbeatSeconds: z.number() }),
]);
export type FromCompanion = z.infer<typeof fromCompanion>;

/**
 * What an agent signs to connect: the server as the agent itself addressed it (so that no other server can pass the
 * challenge on), the connection, the challenge and the agent. The first line keeps it apart from every other signature.
 */
export function connectStatement(said: { host: string; connection: string; nonce: string; agentId: string }): string {
  return ['heex-keys agent connect v1', said.host, said.connection, said.nonce, said.agentId].join('\n');
}

/** The text whose SHA-256 is the thumbprint of an Ed25519 key (RFC 7638, RFC 8037 appendix A.3). */
export function thumbprintInput(x: string): string {
  return `{"crv":"Ed25519","kty":"OKP","x":"${x}"}`;
}
