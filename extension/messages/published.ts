import * as z from 'zod/mini';
import { environment } from '../../shared/contract/fields.ts';
import { invitation } from '../../shared/contract/invitations.ts';
import { key, usageDay } from '../../shared/contract/keys.ts';
import { member } from '../../shared/contract/members.ts';
import { membership, user } from '../../shared/contract/people.ts';
import { workspace } from '../../shared/contract/workspace.ts';
import { failure } from './failure.ts';

/**
 * What the background publishes to the extension's pages, through storage: a page reads it when it opens and follows its
 * changes, so a list is there at once and a worker that was stopped is not missed. Times are milliseconds since 1970.
 * `session` is memory only and ends with the browser; `local` stays. Neither is open to content scripts.
 */
interface Published<S extends z.ZodMiniType = z.ZodMiniType> {
  area: 'local' | 'session';
  key: string;
  schema: S;
}
const published = <S extends z.ZodMiniType>(area: 'local' | 'session', name: string, schema: S): Published<S> => ({
  area,
  key: `published.${name}`,
  schema,
});

const origin = z.string();

export const connection = z.discriminatedUnion('status', [
  z.object({ status: z.literal('disconnected') }),
  /** The address is known but the browser has not allowed it (or has taken that back, when `user` is there). */
  z.object({ status: z.literal('permission_needed'), origin, user: z.optional(user) }),
  z.object({ status: z.literal('reaching'), origin }),
  z.object({ status: z.literal('unreachable'), origin, failure }),
  /** `code` is shown here and on the approval page, so that the person can compare the two. */
  z.object({ status: z.literal('waiting'), origin, code: z.string(), expiresAt: z.number() }),
  /** The approval was refused, ran out, or its exchange failed. */
  z.object({
    status: z.literal('not_approved'),
    origin,
    reason: z.enum(['denied', 'expired', 'failed']),
    failure: z.optional(failure),
  }),
  z.object({ status: z.literal('connected'), origin, user }),
  z.object({ status: z.literal('signed_out'), origin, user: z.optional(user) }),
]);
export type Connection = z.infer<typeof connection>;

/** The lists as of `at`. `allKeys` is null for members, who see their own only. `usage` holds 30 days by key id. */
export const snapshot = z.object({
  at: z.number(),
  user,
  membership,
  memberships: z.array(membership),
  workspace,
  keys: z.array(key),
  allKeys: z.nullable(z.array(key)),
  usage: z.record(z.string(), z.array(usageDay)),
});
export type Snapshot = z.infer<typeof snapshot>;

/** How the latest refresh went: null when it worked. */
export const sync = z.object({ at: z.number(), failure: z.nullable(failure) });

/**
 * A secret that waits until the person says that it is stored. `secret` is null when the key was made but the answer
 * was lost on the way: the key exists, nobody has its secret, it should be rotated or revoked.
 */
export const freshSecret = z.object({
  id: z.string(),
  kind: z.enum(['created', 'rotated']),
  key,
  secret: z.nullable(z.string()),
  copied: z.boolean(),
  at: z.number(),
});
export type FreshSecret = z.infer<typeof freshSecret>;

/** A create or rotation that has been sent and not been answered yet. */
export const unfinished = z.object({
  kind: z.enum(['create', 'rotate']),
  name: z.string(),
  environment,
  at: z.number(),
});

/**
 * `link` is known only for an invitation made since this browser was started; `withdrawing` while a withdrawal can still
 * be undone.
 */
export const teamInvitation = z.extend(invitation, { link: z.nullable(z.string()), withdrawing: z.boolean() });
export type TeamInvitation = z.infer<typeof teamInvitation>;
/** One that was just made; `mailed` where the server sent it by itself. */
export type SentInvitation = TeamInvitation & { mailed: boolean };
export const team = z.object({ at: z.number(), members: z.array(member), invitations: z.array(teamInvitation) });

export const preferences = z.object({
  theme: z.enum(['auto', 'light', 'dark']),
  /** Single letters as shortcuts. */
  singleKeys: z.boolean(),
  /** Notifications 14, 7 and 1 days before a key expires. */
  reminders: z.boolean(),
});
export type Preferences = z.infer<typeof preferences>;

export const PUBLISHED = {
  connection: published('local', 'connection', connection),
  snapshot: published('local', 'snapshot', snapshot),
  sync: published('session', 'sync', sync),
  fresh: published('session', 'fresh', z.array(freshSecret)),
  unfinished: published('session', 'unfinished', z.array(unfinished)),
  team: published('session', 'team', team),
  preferences: published('local', 'preferences', preferences),
} as const;
export type PublishedName = keyof typeof PUBLISHED;
export type PublishedValue<N extends PublishedName> = z.infer<(typeof PUBLISHED)[N]['schema']>;
