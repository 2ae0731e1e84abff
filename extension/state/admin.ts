import type { PayloadOf } from '../messages/protocol.ts';
import { ask } from '../messages/send.ts';

/** Name and policies of the workspace; owners only. */
export const editWorkspace = (body: PayloadOf<'workspace.edit'>['body']) => ask('workspace.edit', { body });

export const createGroup = (body: PayloadOf<'group.create'>['body']) => ask('group.create', { body });
/** Every key of the group follows at once. */
export const editGroup = (groupId: string, body: PayloadOf<'group.edit'>['body']) =>
  ask('group.edit', { groupId, body });
export const deleteGroup = (groupId: string) => ask('group.delete', { groupId });

/** Credentials of the services that check keys. */
export const listVerifiers = () => ask('verifier.list');
/** Its secret is in the answer and nowhere else. */
export const createVerifier = (body: PayloadOf<'verifier.create'>['body']) => ask('verifier.create', { body });
export const removeVerifier = (verifierId: string) => ask('verifier.remove', { verifierId });

export type AuditQuery = Omit<PayloadOf<'audit.list'>['query'], 'limit'>;
/** A page of the audit log, newest first. */
export const listAudit = (query: AuditQuery) => ask('audit.list', { query: { limit: 50, ...query } });
/** Whether the hash chain of the log holds, and still has a head that was kept. */
export const verifyAudit = (query: PayloadOf<'audit.verify'>['query'] = {}) => ask('audit.verify', { query });
/** The whole log as the text of a file. */
export const exportAudit = (format: 'jsonl' | 'csv') => ask('audit.export', { query: { format } });

export type LogQuery = Omit<PayloadOf<'log.list'>['query'], 'limit'>;
/** A page of the request log of the workspace, newest first. */
export const listRequests = (query: LogQuery) => ask('log.list', { query: { limit: 50, ...query } });
/** Figures of the workspace over a period. */
export const readOverview = (query: PayloadOf<'overview.read'>['query']) => ask('overview.read', { query });
/** What the server does in the background, and how that went. */
export const listJobs = () => ask('job.list');

/** A link with which a member sets a new password: for an hour, once. */
export const createResetLink = (memberId: string) => ask('team.resetLink', { memberId });
export const readSso = () => ask('sso.read');
/** Without a client secret the stored one is kept. */
export const saveSso = (body: PayloadOf<'sso.save'>['body']) => ask('sso.save', { body });
export const removeSso = () => ask('sso.remove');
export const readScim = () => ask('scim.read');
export const editScim = (body: PayloadOf<'scim.edit'>['body']) => ask('scim.edit', { body });
/** Its secret is in the answer and nowhere else. */
export const createScimToken = (name: string) => ask('scim.createToken', { body: { name } });
export const removeScimToken = (tokenId: string) => ask('scim.removeToken', { tokenId });
