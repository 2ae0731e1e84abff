import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { author, email, listOf, page, role, timestamp } from './fields.ts';
import { W } from './path.ts';

export const invitation = z.object({
  id: z.string(),
  email: z.string(),
  role,
  createdAt: timestamp,
  expiresAt: timestamp,
  invitedBy: author,
});
export type Invitation = z.infer<typeof invitation>;

export const invitations = {
  listInvitations: endpoint({
    id: 'listInvitations',
    method: 'GET',
    path: `${W}/invitations`,
    summary: 'Invitations that can still be accepted',
    credential: 'session',
    action: 'invitation.manage',
    query: page,
    answers: { 200: listOf(invitation) },
  }),
  createInvitation: endpoint({
    id: 'createInvitation',
    method: 'POST',
    path: `${W}/invitations`,
    summary: 'Invite somebody; the link is shown once',
    credential: 'session',
    action: 'invitation.manage',
    body: z.strictObject({ email, role }),
    answers: {
      201: z.object({
        invitation,
        /** There once: a repeat of the same Idempotency-Key answers `replayed: true` and no link. */
        link: z.optional(z.string()),
        /** Whether it was also sent by mail. */
        mailed: z.boolean(),
        replayed: z.optional(z.boolean()),
      }),
    },
    problems: ['conflict', 'step_up_required'],
    idempotent: true,
    secret: true,
  }),
  withdrawInvitation: endpoint({
    id: 'withdrawInvitation',
    method: 'DELETE',
    path: `${W}/invitations/:invitationId`,
    summary: 'Withdraw an invitation',
    credential: 'session',
    action: 'invitation.manage',
    answers: { 204: undefined },
  }),
} as const;
