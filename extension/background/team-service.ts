import { invitations } from '../../shared/contract/invitations.ts';
import { members } from '../../shared/contract/members.ts';
import type { TeamInvitation } from '../messages/published.ts';
import type { Handlers } from '../messages/receive.ts';
import type { DataService } from './data-service.ts';
import { allPages } from './pages.ts';
import type { Session } from './session.ts';
import type { Store } from './store.ts';

export interface TeamDeps {
  store: Store;
  session: Session;
  data: Pick<DataService, 'refreshAfterChange'>;
  now(): number;
}

/** Members, for admins, and the list of them and of open invitations. */
export function createTeamService({ store, session, data, now }: TeamDeps) {
  const inWorkspace = async () => ({ workspaceId: await session.workspaceId() });
  const ofMember = async (memberId: string) => ({ ...(await inWorkspace()), memberId });
  const pageQuery = (cursor: string | undefined) => ({ limit: 100, ...(cursor ? { cursor } : {}) });

  async function refresh(): Promise<void> {
    const params = await inWorkspace();
    const [people, open] = await Promise.all([
      allPages((cursor) => session.call(members.listMembers, { params, query: pageQuery(cursor) })),
      allPages((cursor) => session.call(invitations.listInvitations, { params, query: pageQuery(cursor) })),
    ]);
    const [links = {}, withdrawals = {}] = await Promise.all([
      store.read('invitationLinks'),
      store.read('withdrawals'),
    ]);
    const described = open.map(
      (invitation): TeamInvitation => ({
        ...invitation,
        link: links[invitation.id] ?? null,
        withdrawing: Object.hasOwn(withdrawals, invitation.id),
      }),
    );
    if ((await session.workspaceId()) !== params.workspaceId) return;
    await store.write('team', { at: now(), members: people, invitations: described });
  }

  return {
    refresh,
    handlers: {
      'team.refresh': refresh,
      'team.previewRemoval': async ({ memberId }) =>
        session.call(members.previewRemoval, { params: await ofMember(memberId) }),
      'team.remove': async ({ memberId, version }) => {
        const removal = await session.call(members.removeMember, {
          params: await ofMember(memberId),
          ...(version === undefined ? {} : { ifMatch: version }),
        });
        await Promise.all([refresh().catch(() => undefined), data.refreshAfterChange()]);
        return removal;
      },
      'team.suspend': async ({ memberId }) => {
        const member = await session.call(members.suspendMember, { params: await ofMember(memberId) });
        await refresh();
        return member;
      },
      'team.reinstate': async ({ memberId }) => {
        const member = await session.call(members.reinstateMember, { params: await ofMember(memberId) });
        await refresh();
        return member;
      },
      'team.setRole': async ({ memberId, role }) => {
        const member = await session.call(members.editMember, { params: await ofMember(memberId), body: { role } });
        await refresh();
        return member;
      },
    } satisfies Partial<Handlers>,
  };
}
