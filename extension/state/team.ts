import { computed, signal } from '@preact/signals';
import * as z from 'zod/mini';
import type { Role } from '../../shared/contract/fields.ts';
import {
  type Member,
  type Removal,
  type RemovalPreview,
  removal,
  removalPreview,
} from '../../shared/contract/members.ts';
import type { Failure, Result } from '../messages/failure.ts';
import type { Invited } from '../messages/protocol.ts';
import type { SentInvitation, TeamInvitation } from '../messages/published.ts';
import { ask } from '../messages/send.ts';
import { allKeys } from './keys.ts';
import { persisted } from './persisted.ts';
import { mirrors } from './published.ts';
import { showFailure, showToast } from './toasts.ts';
import { me } from './workspace.ts';

const running = signal(0);
const failed = signal<Failure | null>(null);

/** Everyone in the workspace; undefined when never read. */
export const members = computed(() => mirrors.team.value?.members);
/** Invitations that can still be accepted. */
export const invitations = computed(() =>
  mirrors.team.value?.invitations.filter((invitation) => !invitation.withdrawing),
);
export const teamRefreshing = computed(() => running.value > 0);
export const teamFailure = computed(() => failed.value);
/** How many keys of a member count toward the limit. */
export const liveKeysOf = (memberId: string): number =>
  allKeys.value?.filter(
    (key) => key.createdBy.membershipId === memberId && key.status !== 'revoked' && key.status !== 'expired',
  ).length ?? 0;

/** Reads members and invitations anew. */
export async function refreshTeam(): Promise<void> {
  running.value++;
  const result = await ask('team.refresh');
  running.value--;
  failed.value = result.ok ? null : result.failure;
}

/** Invites each; the answer has their links, which can be copied until the browser is closed. */
export const invite = (emails: string[], role: Role): Promise<Result<Invited>> => ask('team.invite', { emails, role });

/** A new link in place of the one that was sent; undefined when it could not be made, which is said. */
export async function inviteAgain({ email, role }: TeamInvitation): Promise<SentInvitation | undefined> {
  const result = await invite([email], role);
  const failure = result.ok ? result.value.refused[0]?.failure : result.failure;
  if (failure) showFailure(`${email} was not invited again`, failure);
  return result.ok ? result.value.sent[0] : undefined;
}

/** Hides the invitation and withdraws it in ten seconds, unless it is undone. */
export async function withdrawInvitation(invitation: TeamInvitation): Promise<Result<void>> {
  const result = await ask('team.withdraw', { invitationId: invitation.id });
  if (result.ok) {
    showToast(`Invitation of ${invitation.email} withdrawn`, 'ok', () => {
      void ask('team.keepInvitation', { invitationId: invitation.id });
    });
  } else showFailure(`The invitation of ${invitation.email} was not withdrawn`, result.failure);
  return result;
}

/** What removing a member would change; nothing is changed yet. */
export const previewRemoval = (memberId: string): Promise<Result<RemovalPreview>> =>
  ask('team.previewRemoval', { memberId });
/**
 * Final: every key of the member is revoked. Never optimistic.
 * @param version of the preview that was shown: refused (`precondition_failed`) when something has changed since
 */
export const removeMember = (memberId: string, version?: string): Promise<Result<Removal>> =>
  ask('team.remove', { memberId, version });
export const suspendMember = (memberId: string): Promise<Result<Member>> => ask('team.suspend', { memberId });
export const reinstateMember = (memberId: string): Promise<Result<Member>> => ask('team.reinstate', { memberId });
export const setRole = (memberId: string, role: Role): Promise<Result<Member>> =>
  ask('team.setRole', { memberId, role });

const removedSchema = z.object({
  workspaceId: z.string(),
  preview: removalPreview,
  removal,
  /** Ids of the agents that were connected. */
  connected: z.array(z.string()),
});
export type Removed = z.infer<typeof removedSchema>;
const lastRemoved = persisted<Removed | null>('removed', z.nullable(removedSchema), null);

/** The latest removal in this workspace that left work to do, until the person has closed what it says. */
export const removed = computed(() => {
  const last = lastRemoved.value;
  const gone = members.value?.every((member) => member.id !== last?.preview.member.id);
  return gone && last?.workspaceId === me.value?.membership.workspaceId ? last : null;
});
/** Kept before it is sent: it counts once the member is gone, also when the answer comes to a closed popup or never. */
export function keepRemoved(one: Omit<Removed, 'workspaceId'>): void {
  const workspaceId = me.value?.membership.workspaceId;
  if (workspaceId !== undefined) lastRemoved.value = { ...one, workspaceId };
}
export function forgetRemoved(): void {
  lastRemoved.value = null;
}
