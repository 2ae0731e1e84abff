import { invitations } from '../../../shared/contract/invitations.ts';
import { members } from '../../../shared/contract/members.ts';
import { verifiers } from '../../../shared/contract/verifiers.ts';
import { workspaces } from '../../../shared/contract/workspace.ts';
import type { Deps } from '../../app/deps.ts';
import { createInvitation, listInvitations, withdrawInvitation } from '../../app/invitations.ts';
import { changeRole, listMembers, reinstateMember, suspendMember } from '../../app/members.ts';
import { removeMember } from '../../app/removal.ts';
import { previewRemoval } from '../../app/removal-preview.ts';
import { createVerifier, listVerifiers, removeVerifier } from '../../app/verifiers.ts';
import { editWorkspace, readWorkspace } from '../../app/workspace.ts';
import { badField } from '../../domain/refusal.ts';
import type { Authenticate } from '../authenticate.ts';
import { bind, bindAll, Reply } from '../bind.ts';
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
  bind(app, members.previewRemoval, authenticate, async ({ caller, params }) => {
    const preview = await previewRemoval(deps, caller, params.memberId);
    return new Reply(200, preview, { ETag: `"${preview.version}"` });
  });
  bind(app, members.removeMember, authenticate, ({ caller, params, c }) =>
    removeMember(deps, caller, params.memberId, readIfMatch(c.req.header('if-match'))),
  );
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

/** The tags of `If-Match` (RFC 9110, 13.1.1); undefined where it is not there or `*`. @throws Refusal bad_request */
function readIfMatch(header: string | undefined): string[] | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  const tags = header.split(',').map((tag) => /^\s*(?:W\/)?"([\x21\x23-\x7e]{1,100})"\s*$/.exec(tag)?.[1]);
  if (tags.some((tag) => tag === undefined)) throw badField('If-Match', 'must be the ETag of a preview, in quotes');
  return tags as string[];
}
