import { agents } from '../../shared/contract/agents.ts';
import { audit } from '../../shared/contract/audit.ts';
import { groups } from '../../shared/contract/groups.ts';
import { passwords, sso } from '../../shared/contract/identity.ts';
import { activity } from '../../shared/contract/overview.ts';
import { scimAdmin } from '../../shared/contract/scim.ts';
import { verifiers } from '../../shared/contract/verifiers.ts';
import { workspaces } from '../../shared/contract/workspace.ts';
import type { Handlers } from '../messages/receive.ts';
import type { DataService } from './data-service.ts';
import { allPages } from './pages.ts';
import type { Session } from './session.ts';

/** The time that reading or checking the whole audit log may take, in milliseconds. */
const WHOLE_LOG_MS = 60_000;

export interface WorkspaceDeps {
  session: Session;
  data: Pick<DataService, 'refresh'>;
  randomId(): string;
}

/** What the full page shows and changes beside keys and people. Nothing of it is kept: it is read when it is looked at. */
export function createWorkspaceService({ session, data, randomId }: WorkspaceDeps) {
  const inWorkspace = async () => ({ workspaceId: await session.workspaceId() });
  return {
    handlers: {
      'workspace.edit': async ({ body }) => {
        const workspace = await session.call(workspaces.editWorkspace, { params: await inWorkspace(), body });
        await data.refresh();
        return workspace;
      },
      'group.create': async ({ body }) =>
        session.call(groups.createGroup, { params: await inWorkspace(), body, idempotencyKey: randomId() }),
      'group.edit': async ({ groupId, body }) => {
        const group = await session.call(groups.editGroup, { params: { ...(await inWorkspace()), groupId }, body });
        // What the keys of the group may do has changed with it.
        void data.refresh();
        return group;
      },
      'group.delete': async ({ groupId }) =>
        session.call(groups.deleteGroup, { params: { ...(await inWorkspace()), groupId } }),
      'verifier.list': async () => {
        const params = await inWorkspace();
        return allPages((cursor) =>
          session.call(verifiers.listVerifiers, { params, query: { limit: 100, ...(cursor ? { cursor } : {}) } }),
        );
      },
      'verifier.create': async ({ body }) =>
        session.call(verifiers.createVerifier, { params: await inWorkspace(), body, idempotencyKey: randomId() }),
      'verifier.remove': async ({ verifierId }) =>
        session.call(verifiers.removeVerifier, { params: { ...(await inWorkspace()), verifierId } }),
      'agent.list': async ({ query }) => session.call(agents.listAgents, { params: await inWorkspace(), query }),
      'agent.remove': async ({ agentId }) =>
        session.call(agents.removeAgent, { params: { ...(await inWorkspace()), agentId } }),
      'audit.list': async ({ query }) => session.call(audit.listAudit, { params: await inWorkspace(), query }),
      'audit.verify': async ({ query }) =>
        session.call(audit.verifyAudit, { params: await inWorkspace(), query, timeoutMs: WHOLE_LOG_MS }),
      'audit.export': async ({ query }) =>
        session.call(audit.exportAudit, { params: await inWorkspace(), query, timeoutMs: WHOLE_LOG_MS }),
      'team.resetLink': async ({ memberId }) =>
        session.call(passwords.createResetLink, { params: { ...(await inWorkspace()), memberId } }),
      'sso.read': async () => session.call(sso.readSso, { params: await inWorkspace() }),
      'sso.save': async ({ body }) => session.call(sso.saveSso, { params: await inWorkspace(), body }),
      'sso.remove': async () => session.call(sso.removeSso, { params: await inWorkspace() }),
      'scim.read': async () => session.call(scimAdmin.readScim, { params: await inWorkspace() }),
      'scim.edit': async ({ body }) => session.call(scimAdmin.editScim, { params: await inWorkspace(), body }),
      'scim.createToken': async ({ body }) =>
        session.call(scimAdmin.createScimToken, { params: await inWorkspace(), body }),
      'scim.removeToken': async ({ tokenId }) =>
        session.call(scimAdmin.removeScimToken, { params: { ...(await inWorkspace()), tokenId } }),
      'overview.read': async ({ query }) => session.call(activity.readOverview, { params: await inWorkspace(), query }),
      'log.list': async ({ query }) => session.call(activity.listRequests, { params: await inWorkspace(), query }),
      'job.list': async () => (await session.call(activity.listJobs, { params: await inWorkspace() })).items,
    } satisfies Partial<Handlers>,
  };
}
