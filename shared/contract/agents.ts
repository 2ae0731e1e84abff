import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { author, cursor, id, limit, listOf, name, remark, timestamp } from './fields.ts';
import { keyStatus, revokeReason } from './keys.ts';
import { W } from './path.ts';

const ignored = z.optional(z.unknown());
const privatePart = z.optional(
  z.undefined(
    'is the private key: it must never leave the agent. Make a new key pair, and send only kty, crv and x of it',
  ),
);

/** An Ed25519 public key as a JWK (RFC 8037). What libraries add to it besides is taken and not looked at. */
export const agentPublicKey = z.strictObject({
  kty: z.literal('OKP', 'must be OKP'),
  crv: z.literal('Ed25519', 'must be Ed25519'),
  x: z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 bytes in base64url, without padding')),
  d: privatePart,
  alg: ignored,
  use: ignored,
  key_ops: ignored,
  ext: ignored,
  kid: ignored,
});

/**
 * `proof`: a DPoP proof (RFC 9449) by the agent's own key for `POST <origin>/v1/agents`, with `ath` for the API key that the
 * request carries.
 */
export const enrolBody = z.strictObject({
  name: z.optional(name),
  publicKey: agentPublicKey,
  proof: z.string().check(z.maxLength(4096, 'is too long for a proof')),
});
export type EnrolBody = z.infer<typeof enrolBody>;

export const AGENT_STATES = ['connected', 'disconnected', 'never_connected'] as const;
export const agentState = z.enum(AGENT_STATES, `must be one of ${AGENT_STATES.join(', ')}`);

export const agent = z.object({
  id: z.string(),
  name: z.string(),
  /** RFC 7638, SHA-256. */
  thumbprint: z.string(),
  enrolledAt: timestamp,
  /** As they were then. */
  enrolledBy: author,
  /** Name and prefix as they were then, and what has become of the key since: nothing of it stops the agent. */
  enrolledKey: z.object({
    id: z.string(),
    name: z.string(),
    prefix: z.string(),
    status: keyStatus,
    revokedReason: z.nullable(revokeReason),
    revokedAt: z.nullable(timestamp),
    expiresAt: z.nullable(timestamp),
  }),
  state: agentState,
  connectedAt: z.nullable(timestamp),
  lastSeenAt: z.nullable(timestamp),
  version: z.nullable(z.string()),
  hostName: z.nullable(z.string()),
  platform: z.nullable(z.string()),
  ip: z.nullable(z.string()),
});
export type Agent = z.infer<typeof agent>;

/** Of all agents that the caller may see, whatever the filters. `keyGone`: connected though their key works no more (a suspended owner's neither). */
export const agentCounts = z.object({ total: z.number(), connected: z.number(), keyGone: z.number() });

/** Which versions the agents that the caller may see have reported, whatever the filters: the newest hundred, newest first. */
export const agentVersions = z.array(z.string());

export const agents = {
  enrolAgent: endpoint({
    id: 'enrolAgent',
    method: 'POST',
    path: '/v1/agents',
    summary: 'Enrol an agent: the one time that it needs the key (permission agents:enroll)',
    credential: 'key',
    body: enrolBody,
    answers: { 201: agent, 200: agent },
    problems: ['forbidden', 'conflict', 'rate_limited'],
  }),
  connectAgent: endpoint({
    id: 'connectAgent',
    method: 'GET',
    path: '/v1/agents/connect',
    summary: 'The live connection of an agent: a WebSocket (subprotocol heex-agent.v1) on which it proves who it is',
    credential: 'own',
    answers: { 101: undefined },
    problems: ['bad_request', 'forbidden', 'websocket_required', 'rate_limited'],
  }),
  listAgents: endpoint({
    id: 'listAgents',
    method: 'GET',
    path: `${W}/agents`,
    summary: 'Agents, newest first: your own, or for admins all of them',
    credential: 'session',
    action: 'agent.read',
    query: z.strictObject({
      limit,
      cursor,
      state: z.optional(agentState),
      /** Agents that were enrolled with this key. */
      key: z.optional(id),
      /** A member id. */
      owner: z.optional(id),
      /** What has become of the key that enrolled it. */
      keyStatus: z.optional(keyStatus),
      /** What the agent says that it is, exactly. */
      version: z.optional(z.string().check(z.maxLength(100, 'use at most 100 characters'))),
      /** In the name, host name, key name or owner, any case. */
      q: z.optional(remark),
    }),
    answers: { 200: z.extend(listOf(agent), { counts: agentCounts, versions: agentVersions }) },
  }),
  removeAgent: endpoint({
    id: 'removeAgent',
    method: 'DELETE',
    path: `${W}/agents/:agentId`,
    summary: 'Remove an agent: its connection ends at once, and it can never connect again',
    credential: 'session',
    action: 'agent.remove',
    answers: { 204: undefined },
  }),
} as const;
