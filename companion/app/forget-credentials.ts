import type { UserRow } from '../store/tables.ts';
import { type AuditEntry, audit } from './audit.ts';
import { byScim, type ScimChange } from './scim-activation.ts';

type Row = Pick<AuditEntry, 'action' | 'target' | 'before' | 'after'>;
const record = ({ tx, now, caller }: ScimChange, row: Row) =>
  audit(tx, { workspaceId: caller.workspaceId, at: now, ...byScim(caller), ...row });

/** Takes password and passkeys away, with an audit row for each. */
export async function forgetSecrets(change: ScimChange, user: Pick<UserRow, 'id' | 'email'>): Promise<void> {
  const { tx } = change;
  const { numUpdatedRows } = await tx
    .updateTable('user')
    .set({ password_hash: null })
    .where('id', '=', user.id)
    .where('password_hash', 'is not', null)
    .executeTakeFirst();
  if (numUpdatedRows) {
    const target = { type: 'user', id: user.id, name: user.email };
    await record(change, { action: 'password.removed', target, after: { password: false } });
  }
  const passkeys = await tx.deleteFrom('passkey').where('user_id', '=', user.id).returningAll().execute();
  for (const { id, name, synced } of passkeys) {
    const target = { type: 'passkey', id, name };
    await record(change, { action: 'passkey.removed', target, before: { synced: synced === 1 } });
  }
}

/** Takes the links to identity providers away, with an audit row for each. */
export async function forgetLinks(change: ScimChange, userId: string): Promise<void> {
  const identities = await change.tx.deleteFrom('identity').where('user_id', '=', userId).returningAll().execute();
  for (const { id, issuer, email } of identities) {
    const target = { type: 'identity', id, name: email ?? issuer };
    await record(change, { action: 'identity.unlinked', target, before: { issuer } });
  }
}

/**
 * What was sent to an address that is not the person's any more opens nothing: neither a reset link, nor an invitation from before
 * they came in by another way, which would be a way back for them under that address once they have left.
 */
export async function forgetAddress(change: ScimChange, { id, email }: Pick<UserRow, 'id' | 'email'>): Promise<void> {
  const { tx, now, caller } = change;
  await tx.deleteFrom('reset_token').where('user_id', '=', id).execute();
  const invitations = await tx
    .updateTable('invitation')
    .set({ withdrawn_at: now })
    .where('workspace_id', '=', caller.workspaceId)
    .where('email', '=', email)
    .where('accepted_at', 'is', null)
    .where('withdrawn_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(['id', 'role'])
    .execute();
  for (const { id: invitation, role } of invitations) {
    const target = { type: 'invitation', id: invitation, name: email };
    await record(change, { action: 'invitation.withdrawn', target, before: { role } });
  }
}
