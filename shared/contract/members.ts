import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { environment, listOf, page, role, timestamp, use } from './fields.ts';
import { W } from './path.ts';
import { memberStatus } from './people.ts';

export const SIGN_IN_WAYS = ['passkey', 'sso', 'password'] as const;
export type SignInWay = (typeof SIGN_IN_WAYS)[number];

export const member = z.object({
  id: z.string(),
  userId: z.string(),
  name: z.string(),
  email: z.string(),
  role,
  status: memberStatus,
  joinedAt: timestamp,
  /** Agents that were enrolled with a key of theirs and are still there. */
  agents: z.number(),
  /** How they can sign in; none for somebody who was provisioned and has not signed in yet. */
  signsInWith: z.array(z.enum(SIGN_IN_WAYS)),
  /** When one of their sessions was last used, to the minute; null where none is left. */
  lastActiveAt: z.nullable(timestamp),
});
export type Member = z.infer<typeof member>;

/** A credential of the workspace whose secret a member was shown: it outlives their membership, so it is to be replaced. */
export const knownSecret = z.object({ kind: z.enum(['scim_token', 'verifier']), id: z.string(), name: z.string() });

export const removal = z.object({
  revokedKeys: z.number(),
  endedSessions: z.number(),
  unaffectedAgents: z.number(),
  knownSecrets: z.array(knownSecret),
});
export type Removal = z.infer<typeof removal>;

/** A key that a removal revokes, and who was using it in the last 30 days, enrolments of agents apart. */
export const removalKey = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  environment,
  directUses: z.number(),
  enrolments: z.number(),
  lastUsed: z.nullable(use),
  sources: z.array(
    z.object({ ip: z.nullable(z.string()), userAgent: z.nullable(z.string()), uses: z.number(), lastAt: timestamp }),
  ),
  /** How many more sources there are; the latest hundred are listed. */
  moreSources: z.number(),
});
export const removalPreview = z.object({
  /** What was looked at: with it in `If-Match`, the removal is refused when something has changed since. Also the `ETag`. */
  version: z.string(),
  member,
  keys: z.array(removalKey),
  agents: z.array(z.object({ id: z.string(), name: z.string(), keyId: z.nullable(z.string()) })),
  sessions: z.number(),
  knownSecrets: z.array(knownSecret),
});
export type RemovalPreview = z.infer<typeof removalPreview>;

export const members = {
  listMembers: endpoint({
    id: 'listMembers',
    method: 'GET',
    path: `${W}/members`,
    summary: 'Everyone in the workspace',
    credential: 'session',
    action: 'member.list',
    query: page,
    answers: { 200: listOf(member) },
  }),
  editMember: endpoint({
    id: 'editMember',
    method: 'PATCH',
    path: `${W}/members/:memberId`,
    summary: 'Change a role',
    credential: 'session',
    action: 'member.edit',
    body: z.strictObject({ role }),
    answers: { 200: member },
    problems: ['last_owner'],
    stepUp: true,
  }),
  suspendMember: endpoint({
    id: 'suspendMember',
    method: 'POST',
    path: `${W}/members/:memberId/suspend`,
    summary: 'Refuse the keys and sessions of a member until they are reinstated',
    credential: 'session',
    action: 'member.edit',
    answers: { 200: member },
    problems: ['last_owner', 'conflict'],
  }),
  reinstateMember: endpoint({
    id: 'reinstateMember',
    method: 'POST',
    path: `${W}/members/:memberId/reinstate`,
    summary: 'End a suspension',
    credential: 'session',
    action: 'member.edit',
    answers: { 200: member },
    problems: ['conflict'],
  }),
  previewRemoval: endpoint({
    id: 'previewRemoval',
    method: 'GET',
    path: `${W}/members/:memberId/removal`,
    summary: 'What removing this member would revoke, break and leave running',
    credential: 'session',
    action: 'member.remove',
    answers: { 200: removalPreview },
  }),
  removeMember: endpoint({
    id: 'removeMember',
    method: 'DELETE',
    path: `${W}/members/:memberId`,
    summary:
      'Remove a member (or leave): every key of theirs is revoked and every session ended, at once. `If-Match` with the version of a preview refuses when something has changed since',
    credential: 'session',
    action: 'member.remove',
    ifMatch: true,
    answers: { 200: removal },
    problems: ['last_owner'],
    stepUp: true,
  }),
} as const;
