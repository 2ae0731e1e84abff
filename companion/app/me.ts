import type { SessionCaller } from './caller.ts';
import type { Deps } from './deps.ts';

/** Who is signed in, and their memberships, suspended ones too. */
export async function readMe(deps: Deps, caller: SessionCaller) {
  const memberships = await deps.store.read
    .selectFrom('membership')
    .innerJoin('workspace', 'workspace.id', 'membership.workspace_id')
    .select([
      'membership.id',
      'membership.role',
      'membership.suspended_at',
      'workspace.id as workspaceId',
      'workspace.name as workspaceName',
    ])
    .where('membership.user_id', '=', caller.user.id)
    .orderBy('membership.joined_at')
    .execute();
  return {
    user: caller.user,
    memberships: memberships.map(({ suspended_at, ...m }) => ({
      ...m,
      status: suspended_at === null ? ('active' as const) : ('suspended' as const),
    })),
  };
}
