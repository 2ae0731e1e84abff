import * as z from 'zod/mini';
import { agents } from '../../shared/contract/agents.ts';
import { type audit, auditExportQuery, auditQuery, type ChainReport, chainQuery } from '../../shared/contract/audit.ts';
import type { AnswerOf as Answered } from '../../shared/contract/endpoint.ts';
import { email, id, role } from '../../shared/contract/fields.ts';
import { type Group, groups } from '../../shared/contract/groups.ts';
import { type passwords, type SsoAnswer, sso } from '../../shared/contract/identity.ts';
import {
  createKeyBody,
  editKeyBody,
  givenReason,
  type Key,
  type RequestRow,
  rotateBody,
  type UsageDay,
} from '../../shared/contract/keys.ts';
import type { Member, Removal, RemovalPreview } from '../../shared/contract/members.ts';
import { activity, type Job, type Overview } from '../../shared/contract/overview.ts';
import type { Session } from '../../shared/contract/people.ts';
import { type ScimSettings, scimAdmin } from '../../shared/contract/scim.ts';
import { type VerifierCredential, verifiers } from '../../shared/contract/verifiers.ts';
import { type Workspace, workspaces } from '../../shared/contract/workspace.ts';
import type { Failure } from './failure.ts';
import type { FreshSecret, SentInvitation } from './published.ts';

/** How many addresses can be invited in one go. */
export const MOST_INVITED = 50;
export interface Invited {
  sent: SentInvitation[];
  refused: { email: string; failure: Failure }[];
}

/**
 * Everything that a page of the extension may ask of the background: one reviewable list. What the background has to
 * tell on its own is in `published.ts`.
 */
export interface Protocol {
  /** Begins a connection; the permission for the origin has been granted. Ends at `waiting` or `unreachable`. */
  'connection.start'(p: { origin: string }): void;
  /** The person named an address but the browser has not allowed it yet. */
  'connection.want'(p: { origin: string }): void;
  'connection.reopenTab'(): void;
  'connection.cancel'(): void;
  'connection.disconnect'(): void;
  /** Reads the lists anew; the answer comes when `snapshot` and `sync` are written. */
  refresh(): void;
  'workspace.choose'(p: { workspaceId: string }): void;
  /** Asked again with the same `attempt`, it makes no second key: the worker may have been stopped in between. */
  'key.create'(p: { attempt: string; body: z.infer<typeof createKeyBody> }): FreshSecret;
  'key.rotate'(p: { attempt: string; keyId: string; body: z.infer<typeof rotateBody> }): FreshSecret;
  'key.finishRotation'(p: { keyId: string }): Key;
  'key.edit'(p: { keyId: string; body: z.infer<typeof editKeyBody> }): Key;
  'key.disable'(p: { keyId: string }): Key;
  'key.enable'(p: { keyId: string }): Key;
  'key.revoke'(p: { keyId: string; reason?: z.infer<typeof givenReason> | undefined }): Key;
  'key.revokeMany'(p: { keyIds: string[] }): Key[];
  'key.read'(p: { keyId: string }): Key;
  'key.usage'(p: { keyId: string }): UsageDay[];
  /** The latest ones. */
  'key.requests'(p: { keyId: string }): RequestRow[];
  'group.list'(): Group[];
  'secret.copied'(p: { id: string }): void;
  /** "I stored it". */
  'secret.dismiss'(p: { id: string }): void;
  /** Reads members and invitations anew; the answer comes when `team` is written. */
  'team.refresh'(): void;
  /** One after the other. What the server refused comes back with why; after a failure that would meet the others too, they are not tried. */
  'team.invite'(p: { emails: string[]; role: z.infer<typeof role> }): Invited;
  /** Sent to the server after `UNDO_MS`, unless `team.keepInvitation` comes first. */
  'team.withdraw'(p: { invitationId: string }): void;
  'team.keepInvitation'(p: { invitationId: string }): void;
  'team.previewRemoval'(p: { memberId: string }): RemovalPreview;
  /** With the version of a preview, it is refused when something has changed since. */
  'team.remove'(p: { memberId: string; version?: string | undefined }): Removal;
  'team.suspend'(p: { memberId: string }): Member;
  'team.reinstate'(p: { memberId: string }): Member;
  'team.setRole'(p: { memberId: string; role: z.infer<typeof role> }): Member;
  /** A link with which the member sets a new password; it is in this answer only. */
  'team.resetLink'(p: { memberId: string }): Answered<typeof passwords.createResetLink>;
  'workspace.edit'(p: { body: z.infer<typeof workspaces.editWorkspace.body> }): Workspace;
  'group.create'(p: { body: z.infer<typeof groups.createGroup.body> }): Group;
  'group.edit'(p: { groupId: string; body: z.infer<typeof groups.editGroup.body> }): Group;
  'group.delete'(p: { groupId: string }): void;
  'verifier.list'(): VerifierCredential[];
  /** The secret is in this answer only. */
  'verifier.create'(p: {
    body: z.infer<typeof verifiers.createVerifier.body>;
  }): Answered<typeof verifiers.createVerifier>;
  'verifier.remove'(p: { verifierId: string }): void;
  'agent.list'(p: { query: z.infer<typeof agents.listAgents.query> }): Answered<typeof agents.listAgents>;
  'agent.remove'(p: { agentId: string }): void;
  'audit.list'(p: { query: z.infer<typeof auditQuery> }): Answered<typeof audit.listAudit>;
  /** `query`: a head that was kept elsewhere, which has to be in the chain. */
  'audit.verify'(p: { query: z.infer<typeof chainQuery> }): ChainReport;
  /** The log as the text of a file. */
  'audit.export'(p: { query: z.infer<typeof auditExportQuery> }): string;
  'sso.read'(): SsoAnswer;
  'sso.save'(p: { body: z.infer<typeof sso.saveSso.body> }): SsoAnswer;
  'sso.remove'(): void;
  'scim.read'(): ScimSettings;
  'scim.edit'(p: { body: z.infer<typeof scimAdmin.editScim.body> }): ScimSettings;
  /** The token is in this answer only. */
  'scim.createToken'(p: {
    body: z.infer<typeof scimAdmin.createScimToken.body>;
  }): Answered<typeof scimAdmin.createScimToken>;
  'scim.removeToken'(p: { tokenId: string }): void;
  'overview.read'(p: { query: z.infer<typeof activity.readOverview.query> }): Overview;
  /** The request log of the whole workspace. */
  'log.list'(p: { query: z.infer<typeof activity.listRequests.query> }): Answered<typeof activity.listRequests>;
  'job.list'(): Job[];
  'session.list'(): Session[];
  'session.end'(p: { sessionId: string }): void;
}

export type MessageType = keyof Protocol;
export type PayloadOf<T extends MessageType> = Parameters<Protocol[T]>[0];
export type AnswerOf<T extends MessageType> = ReturnType<Protocol[T]>;

/** How long an action can be taken back, in milliseconds. */
export const UNDO_MS = 10_000;

const nothing = z.undefined();
const keyId = z.strictObject({ keyId: id });
const memberId = z.strictObject({ memberId: id });
const invitationId = z.strictObject({ invitationId: id });
const origin = z.strictObject({ origin: z.string().check(z.maxLength(300)) });
const attempt = z.uuid();
const secretId = z.strictObject({ id: z.string().check(z.maxLength(64)) });

/** What a payload has to be: checked by the receiver before any handler sees it. */
export const payloads: { [T in MessageType]: z.ZodMiniType<PayloadOf<T>> } = {
  'connection.start': origin,
  'connection.want': origin,
  'connection.reopenTab': nothing,
  'connection.cancel': nothing,
  'connection.disconnect': nothing,
  refresh: nothing,
  'workspace.choose': z.strictObject({ workspaceId: id }),
  'key.create': z.strictObject({ attempt, body: createKeyBody }),
  'key.rotate': z.strictObject({ attempt, keyId: id, body: rotateBody }),
  'key.finishRotation': keyId,
  'key.edit': z.strictObject({ keyId: id, body: editKeyBody }),
  'key.disable': keyId,
  'key.enable': keyId,
  'key.revoke': z.strictObject({ keyId: id, reason: z.optional(givenReason) }),
  'key.revokeMany': z.strictObject({ keyIds: z.array(id).check(z.minLength(1), z.maxLength(100)) }),
  'key.read': keyId,
  'key.usage': keyId,
  'key.requests': keyId,
  'group.list': nothing,
  'secret.copied': secretId,
  'secret.dismiss': secretId,
  'team.refresh': nothing,
  'team.invite': z.strictObject({ emails: z.array(email).check(z.minLength(1), z.maxLength(MOST_INVITED)), role }),
  'team.withdraw': invitationId,
  'team.keepInvitation': invitationId,
  'team.previewRemoval': memberId,
  'team.remove': z.strictObject({ memberId: id, version: z.optional(z.string().check(z.maxLength(200))) }),
  'team.suspend': memberId,
  'team.reinstate': memberId,
  'team.setRole': z.strictObject({ memberId: id, role }),
  'team.resetLink': memberId,
  'workspace.edit': z.strictObject({ body: workspaces.editWorkspace.body }),
  'group.create': z.strictObject({ body: groups.createGroup.body }),
  'group.edit': z.strictObject({ groupId: id, body: groups.editGroup.body }),
  'group.delete': z.strictObject({ groupId: id }),
  'verifier.list': nothing,
  'verifier.create': z.strictObject({ body: verifiers.createVerifier.body }),
  'verifier.remove': z.strictObject({ verifierId: id }),
  'agent.list': z.strictObject({ query: agents.listAgents.query }),
  'agent.remove': z.strictObject({ agentId: id }),
  'audit.list': z.strictObject({ query: auditQuery }),
  'audit.verify': z.strictObject({ query: chainQuery }),
  'audit.export': z.strictObject({ query: auditExportQuery }),
  'sso.read': nothing,
  'sso.save': z.strictObject({ body: sso.saveSso.body }),
  'sso.remove': nothing,
  'scim.read': nothing,
  'scim.edit': z.strictObject({ body: scimAdmin.editScim.body }),
  'scim.createToken': z.strictObject({ body: scimAdmin.createScimToken.body }),
  'scim.removeToken': z.strictObject({ tokenId: id }),
  'overview.read': z.strictObject({ query: activity.readOverview.query }),
  'log.list': z.strictObject({ query: activity.listRequests.query }),
  'job.list': nothing,
  'session.list': nothing,
  'session.end': z.strictObject({ sessionId: id }),
};
