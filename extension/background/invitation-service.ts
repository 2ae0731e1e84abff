import { browser } from 'wxt/browser';
import { isUnsure } from '../../shared/client/client.ts';
import type { Role } from '../../shared/contract/fields.ts';
import { invitations } from '../../shared/contract/invitations.ts';
import { type Invited, UNDO_MS } from '../messages/protocol.ts';
import type { SentInvitation } from '../messages/published.ts';
import { failureOf, type Handlers } from '../messages/receive.ts';
import type { Session } from './session.ts';
import type { Store } from './store.ts';

export const WITHDRAW_ALARM = 'withdraw';

/** Refusals of one address, which say nothing about the next. */
const ABOUT_ONE = ['conflict', 'bad_request'];

export interface InvitationDeps {
  store: Store;
  session: Session;
  /** Reads the members and open invitations anew. */
  refreshTeam(): Promise<void>;
  now(): number;
  sleep(ms: number): Promise<void>;
  randomId(): string;
}

/** Inviting people, and withdrawing invitations after a time in which that can be undone; for admins. */
export function createInvitationService({ store, session, refreshTeam, now, sleep, randomId }: InvitationDeps) {
  const inWorkspace = async () => ({ workspaceId: await session.workspaceId() });

  async function mark(invitationId: string, withdrawing: boolean): Promise<void> {
    const { workspaceId } = await inWorkspace();
    await store.update('withdrawals', (due = {}) => {
      const others = Object.fromEntries(Object.entries(due).filter(([id]) => id !== invitationId));
      return withdrawing ? { ...others, [invitationId]: { at: now() + UNDO_MS, workspaceId } } : others;
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
    const due = Object.entries((await store.read('withdrawals')) ?? {}).filter(([, { at }]) => at <= now());
    for (const [invitationId, { workspaceId }] of due) {
      const params = { workspaceId, invitationId };
      const failure = await session.call(invitations.withdrawInvitation, { params }).then(() => undefined, failureOf);
      // The alarm tries again: the person was told that it is withdrawn.
      if (failure && (isUnsure(failure) || failure.code === 'signed_out')) continue;
      await mark(invitationId, false);
    }
    if (due.length > 0) await refreshTeam().catch(() => undefined);
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
      'team.invite': async ({ emails, role }) => {
        const invited = await inviteEach(emails, role);
        await refreshTeam();
        return invited;
      },
      'team.withdraw': async ({ invitationId }) => {
        await mark(invitationId, true);
        // The alarm finishes it should the worker be stopped before.
        await browser.alarms.create(WITHDRAW_ALARM, { delayInMinutes: 0.5, periodInMinutes: 0.5 });
        void sleep(UNDO_MS).then(withdrawDue);
      },
      'team.keepInvitation': ({ invitationId }) => mark(invitationId, false),
    } satisfies Partial<Handlers>,
  };
}
