import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import {
  author,
  email,
  environment,
  listOf,
  name,
  page,
  permissions,
  personName,
  remark,
  role,
  timestamp,
  use,
} from './fields.ts';
import { memberStatus } from './people.ts';

const W = '/v1/workspaces/:workspaceId';

export const PLANS = ['starter', 'team'] as const;
export const plan = z.enum(PLANS, `must be one of ${PLANS.join(', ')}`);

export const policies = z.object({ maxKeyLifetimeDays: z.nullable(z.number()) });
export const workspace = z.object({
  id: z.string(),
  name: z.string(),
  plan,
  keyLimit: z.number(),
  keysUsed: z.number(),
  policies,
  createdAt: timestamp,
});
export type Workspace = z.infer<typeof workspace>;

const lifetimeDays = z
  .number('must be a number of days, or null')
  .check(
    z.int('must be a whole number of days'),
    z.gte(1, 'must be 1 day or more'),
    z.lte(3650, 'must be 3,650 days or less'),
  );

export const member = z.object({
  id: z.string(),
  userId: z.string(),
  name: z.string(),
  email: z.string(),
  role,
  status: memberStatus,
  joinedAt: timestamp,
});
export type Member = z.infer<typeof member>;

export const invitation = z.object({
  id: z.string(),
  email: z.string(),
  role,
  createdAt: timestamp,
  expiresAt: timestamp,
  invitedBy: author,
});
export type Invitation = z.infer<typeof invitation>;

export const removal = z.object({ revokedKeys: z.number(), endedSessions: z.number(), unaffectedAgents: z.number() });
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
});
export type RemovalPreview = z.infer<typeof removalPreview>;

export const verifierCredential = z.object({
  id: z.string(),
  name: z.string(),
  environment,
  prefix: z.string(),
  createdAt: timestamp,
  createdBy: author,
  lastUsedAt: z.nullable(timestamp),
});
export type VerifierCredential = z.infer<typeof verifierCredential>;

export const group = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  permissions: z.array(z.string()),
  keys: z.number(),
  createdAt: timestamp,
});
export type Group = z.infer<typeof group>;

export const workspaces = {
  readWorkspace: endpoint({
    id: 'readWorkspace',
    method: 'GET',
    path: W,
    summary: 'Name, plan, limit and policies',
    credential: 'session',
    action: 'workspace.read',
    answers: { 200: workspace },
  }),
  editWorkspace: endpoint({
    id: 'editWorkspace',
    method: 'PATCH',
    path: W,
    summary: 'Change the name or the policies',
    credential: 'session',
    action: 'workspace.edit',
    body: z.strictObject({
      name: z.optional(personName),
      policies: z.optional(z.strictObject({ maxKeyLifetimeDays: z.optional(z.nullable(lifetimeDays)) })),
    }),
    answers: { 200: workspace },
  }),
} as const;

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

export const invitations = {
  listInvitations: endpoint({
    id: 'listInvitations',
    method: 'GET',
    path: `${W}/invitations`,
    summary: 'Invitations that can still be accepted',
    credential: 'session',
    action: 'invitation.manage',
    query: page,
    answers: { 200: listOf(invitation) },
  }),
  createInvitation: endpoint({
    id: 'createInvitation',
    method: 'POST',
    path: `${W}/invitations`,
    summary: 'Invite somebody; the link is shown once',
    credential: 'session',
    action: 'invitation.manage',
    body: z.strictObject({ email, role }),
    answers: {
      201: z.object({
        invitation,
        /** There once: a repeat of the same Idempotency-Key answers `replayed: true` and no link. */
        link: z.optional(z.string()),
        /** Whether it was also sent by mail. */
        mailed: z.boolean(),
        replayed: z.optional(z.boolean()),
      }),
    },
    problems: ['conflict', 'step_up_required'],
    idempotent: true,
    secret: true,
  }),
  withdrawInvitation: endpoint({
    id: 'withdrawInvitation',
    method: 'DELETE',
    path: `${W}/invitations/:invitationId`,
    summary: 'Withdraw an invitation',
    credential: 'session',
    action: 'invitation.manage',
    answers: { 204: undefined },
  }),
} as const;

export const verifiers = {
  listVerifiers: endpoint({
    id: 'listVerifiers',
    method: 'GET',
    path: `${W}/verifiers`,
    summary: 'Credentials of the services that check keys',
    credential: 'session',
    action: 'verifier.manage',
    query: page,
    answers: { 200: listOf(verifierCredential) },
  }),
  createVerifier: endpoint({
    id: 'createVerifier',
    method: 'POST',
    path: `${W}/verifiers`,
    summary: 'Make a verifier credential for one environment; its secret is shown once',
    credential: 'session',
    action: 'verifier.manage',
    body: z.strictObject({ name, environment }),
    answers: {
      201: z.object({
        verifier: verifierCredential,
        /** There once: a repeat of the same Idempotency-Key answers `replayed: true` and no secret. */
        secret: z.optional(z.string()),
        replayed: z.optional(z.boolean()),
      }),
    },
    idempotent: true,
    secret: true,
  }),
  removeVerifier: endpoint({
    id: 'removeVerifier',
    method: 'DELETE',
    path: `${W}/verifiers/:verifierId`,
    summary: 'Remove a verifier credential: it is refused at once',
    credential: 'session',
    action: 'verifier.manage',
    answers: { 204: undefined },
  }),
} as const;

const groupFields = { name, description: z.optional(remark), permissions };
export const groups = {
  listGroups: endpoint({
    id: 'listGroups',
    method: 'GET',
    path: `${W}/groups`,
    summary: 'Authorization groups and what they allow',
    credential: 'session',
    action: 'group.read',
    query: page,
    answers: { 200: listOf(group) },
  }),
  createGroup: endpoint({
    id: 'createGroup',
    method: 'POST',
    path: `${W}/groups`,
    summary: 'Make an authorization group',
    credential: 'session',
    action: 'group.manage',
    body: z.strictObject(groupFields),
    answers: { 201: group },
    problems: ['name_taken'],
    idempotent: true,
  }),
  editGroup: endpoint({
    id: 'editGroup',
    method: 'PATCH',
    path: `${W}/groups/:groupId`,
    summary: 'Change a group; every key in it follows at once',
    credential: 'session',
    action: 'group.manage',
    body: z.partial(z.strictObject(groupFields)),
    answers: { 200: group },
    problems: ['name_taken'],
  }),
  deleteGroup: endpoint({
    id: 'deleteGroup',
    method: 'DELETE',
    path: `${W}/groups/:groupId`,
    summary: 'Delete a group that no live key uses',
    credential: 'session',
    action: 'group.manage',
    answers: { 204: undefined },
    problems: ['in_use'],
  }),
} as const;
