import { invitations, members, verifiers, workspaces } from '../../../shared/contract/workspace.ts';
import type { Deps } from '../../app/deps.ts';
import { createInvitation, listInvitations, withdrawInvitation } from '../../app/invitations.ts';
import { changeRole, listMembers, reinstateMember, suspendMember } from '../../app/members.ts';
import { removeMember } from '../../app/removal.ts';
import { createVerifier, listVerifiers, removeVerifier } from '../../app/verifiers.ts';
import { editWorkspace, readWorkspace } from '../../app/workspace.ts';
import type { Authenticate } from '../authenticate.ts';
import { bind, bindAll } from '../bind.ts';
import type { App } from '../context.ts';

export function bindWorkspace(app: App, deps: Deps, authenticate: Authenticate): void {
  bindAll(app, workspaces, authenticate, {
    readWorkspace: ({ caller }) => readWorkspace(deps, caller),
    editWorkspace: ({ caller, body }) => editWorkspace(deps, caller, body),
  });
  bind(app, members.listMembers, authenticate, ({ caller, query }) => listMembers(deps, caller, query));
  bind(app, members.editMember, authenticate, ({ caller, params, body }) =>
    changeRole(deps, caller, params.memberId, body.role),
  );
  bind(app, members.suspendMember, authenticate, ({ caller, params }) => suspendMember(deps, caller, params.memberId));
  bind(app, members.reinstateMember, authenticate, ({ caller, params }) =>
    reinstateMember(deps, caller, params.memberId),
  );
  bind(app, members.removeMember, authenticate, ({ caller, params }) => removeMember(deps, caller, params.memberId));
  bindAll(app, invitations, authenticate, {
    listInvitations: ({ caller, query }) => listInvitations(deps, caller, query),
    createInvitation: ({ caller, body, idempotency }) => createInvitation(deps, caller, body, idempotency),
    withdrawInvitation: ({ caller, params }) =>
      withdrawInvitation(deps, caller, params.invitationId).then(() => undefined),
  });
  bindAll(app, verifiers, authenticate, {
    listVerifiers: ({ caller, query }) => listVerifiers(deps, caller, query),
    createVerifier: ({ caller, body, idempotency }) => createVerifier(deps, caller, body, idempotency),
    removeVerifier: ({ caller, params }) => removeVerifier(deps, caller, params.verifierId).then(() => undefined),
  });
}
