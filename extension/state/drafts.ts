import * as z from 'zod/mini';
import { environment, role } from '../../shared/contract/fields.ts';
import type { FreshSecret } from '../messages/published.ts';
import { persisted } from './persisted.ts';

/** What can be edited of a key, as typed: `rateLimit` is `600/60`, lists are one entry a line. */
const keyFields = {
  name: z.string(),
  description: z.string(),
  groupId: z.nullable(z.string()),
  permissions: z.nullable(z.array(z.string())),
  ipAllowlist: z.string(),
  rateLimit: z.string(),
  customers: z.string(),
  technicalOwner: z.string(),
};

/** What was typed and not sent yet: it is there again when the popup opens again. All fields as typed. */
const newKeySchema = z.object({
  ...keyFields,
  environment,
  /** A number of days, `custom` (then `expiresOn`) or `never`. */
  expiry: z.string(),
  expiresOn: z.string(),
  advancedOpen: z.boolean(),
});
export type NewKeyDraft = z.infer<typeof newKeySchema>;
export const EMPTY_NEW_KEY: NewKeyDraft = {
  name: '',
  description: '',
  environment: 'development',
  expiry: '90',
  expiresOn: '',
  groupId: null,
  permissions: null,
  ipAllowlist: '',
  rateLimit: '',
  customers: '',
  technicalOwner: '',
  advancedOpen: false,
};
export const newKeyDraft = persisted<NewKeyDraft>('draft.newKey', newKeySchema, EMPTY_NEW_KEY);

/** A form whose popup was closed before its key was there is still filled in: empties it, unless another was begun. */
export function forgetSent({ kind, key }: Pick<FreshSecret, 'kind' | 'key'>): void {
  if (kind === 'created' && newKeyDraft.value.name.trim() === key.name) newKeyDraft.value = EMPTY_NEW_KEY;
}

const editSchema = z.nullable(
  z.object({
    keyId: z.string(),
    fields: z.partial(z.object(keyFields)),
    /** It was sent as it is, and no answer has come to the page that sent it. */
    sent: z.optional(z.boolean()),
  }),
);
/** The key that is being edited and those of its fields that were touched, as typed. */
export const editDraft = persisted<z.infer<typeof editSchema>>('draft.edit', editSchema, null);

const inviteSchema = z.object({ email: z.string(), role });
export const EMPTY_INVITE: z.infer<typeof inviteSchema> = { email: '', role: 'member' };
export const inviteDraft = persisted<z.infer<typeof inviteSchema>>('draft.invite', inviteSchema, EMPTY_INVITE);

/** The server address as typed. */
export const addressDraft = persisted<string>('draft.address', z.string(), '');

const scrollSchema = z.record(z.string(), z.number());
/** How far each screen was scrolled, in pixels, by a name that the view chooses. */
export const scroll = persisted<Record<string, number>>('scroll', scrollSchema, {});
