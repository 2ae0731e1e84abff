import { groups } from '../../../shared/contract/groups.ts';
import type { Deps } from '../../app/deps.ts';
import { createGroup, deleteGroup, editGroup, listGroups } from '../../app/groups.ts';
import type { Authenticate } from '../authenticate.ts';
import { bindAll } from '../bind.ts';
import type { App } from '../context.ts';

export function bindGroups(app: App, deps: Deps, authenticate: Authenticate): void {
  bindAll(app, groups, authenticate, {
    listGroups: ({ caller, query }) => listGroups(deps, caller, query),
    createGroup: ({ caller, body, idempotency }) => createGroup(deps, caller, body, idempotency),
    editGroup: ({ caller, params, body }) => editGroup(deps, caller, params.groupId, body),
    deleteGroup: async ({ caller, params }) => {
      await deleteGroup(deps, caller, params.groupId);
      return undefined;
    },
  });
}
