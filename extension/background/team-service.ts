import { browser } from 'wxt/browser';
import type { Role } from '../../shared/contract/fields.ts';
import { invitations } from '../../shared/contract/invitations.ts';
import { members } from '../../shared/contract/members.ts';
import { type Invited, UNDO_MS } from '../messages/protocol.ts';
import type { SentInvitation, TeamInvitation } from '../messages/published.ts';
import { failureOf, type Handlers } from '../messages/receive.ts';
import type { DataService } from './data-service.ts';
import { allPages } from './pages.ts';
import type { Session } from './session.ts';
import type { Store } from './store.ts';

export const WITHDRAW_ALARM = 'withdraw';

/** Refusals of one address, which say nothing about the next. */
const ABOUT_ONE = ['conflict', 'bad_request'];

export interface TeamDeps {
  store: Store;
  session: Session;
  data: Pick<DataService, 'refreshAfterChange'>;
  now(): number;
  sleep(ms: number): Promise<void>;
  randomId(): string;
}

/** Members and invitations, for admins. */
export function createTeamService({ store, session, data, now, sleep, randomId }: TeamDeps) {
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
    await store.write('team', { at: now(), members: people, invitations: described });
  }

  async function mark(invitationId: string, withdrawing: boolean): Promise<void> {
    await store.update('withdrawals', (due = {}) => {
      const others = Object.fromEntries(Object.entries(due).filter(([id]) => id !== invitationId));
      return withdrawing ? { ...others, [invitationId]: now() + UNDO_MS } : others;
    });
    await store.update(
      'team',
      (team) =>
        team && {
          ...team,
          invitations: team.invitations.map((open) => (open.id === invitationId ? { ...open, withdrawing } : open)),
        },
    );
  }

  /** Sends the withdrawals whose time to undo is over. */
  async function withdrawDue(): Promise<void> {
    const due = Object.entries((await store.read('withdrawals')) ?? {}).filter(([, at]) => at <= now());
    for (const [invitationId] of due) {
      const params = { ...(await inWorkspace()), invitationId };
      await session.call(invitations.withdrawInvitation, { params }).catch(() => undefined);
      await mark(invitationId, false);
    }
    if (due.length > 0) await refresh().catch(() => undefined);
    if (Object.keys((await store.read('withdrawals')) ?? {}).length === 0) await browser.alarms.clear(WITHDRAW_ALARM);
  }

  async function inviteOne(email: string, role: Role): Promise<SentInvitation> {
    const { invitation, link, mailed } = await session.call(invitations.createInvitation, {
      params: await inWorkspace(),
      body: { email, role },
      idempotencyKey: randomId(),
    });
    if (link) await store.update('invitationLinks', (links) => ({ ...links, [invitation.id]: link }));
    return { ...invitation, link: link ?? null, withdrawing: false, mailed };
  }

  async function inviteEach(emails: readonly string[], role: Role): Promise<Invited> {
    const invited: Invited = { sent: [], refused: [] };
    for (const email of emails) {
      try {
        invited.sent.push(await inviteOne(email, role));
      } catch (error) {
        const failure = failureOf(error);
        if (!failure) throw error;
        invited.refused.push({ email, failure });
        if (!ABOUT_ONE.includes(failure.code)) break;
      }
    }
    return invited;
  }

  return {
    withdrawDue,
    handlers: {
      'team.refresh': refresh,
      'team.invite': async ({ emails, role }) => {
        const invited = await inviteEach(emails, role);
        await refresh();
        return invited;
      },
      'team.withdraw': async ({ invitationId }) => {
        await mark(invitationId, true);
        // The alarm finishes it should the worker be stopped before.
        await browser.alarms.create(WITHDRAW_ALARM, { delayInMinutes: 0.5, periodInMinutes: 0.5 });
        void sleep(UNDO_MS).then(withdrawDue);
      },
      'team.keepInvitation': ({ invitationId }) => mark(invitationId, false),
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
