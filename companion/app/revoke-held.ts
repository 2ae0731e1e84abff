import { Refusal } from '../domain/refusal.ts';
import { audit } from './audit.ts';
import type { Deps, HeldKey, Origin } from './deps.ts';

/**
 * Whoever holds a live secret of a key may give it up, from anywhere: that is what one wants of a key that was found.
 * @throws Refusal unauthorized where it was revoked or rotated away meanwhile
 */
export async function revokeHeld(
  deps: Deps,
  { identity, secretId }: HeldKey,
  reason: 'leaked' | 'superseded' | undefined,
  origin: Origin,
): Promise<void> {
  await deps.store.transact(async (tx) => {
    const now = deps.now();
    // The secret may have been rotated away since it was looked at.
    const live = await tx
      .selectFrom('api_key_secret')
      .select('id')
      .where('id', '=', secretId)
      .where((e) => e.or([e('ends_at', 'is', null), e('ends_at', '>', now)]))
      .executeTakeFirst();
    if (!live) throw new Refusal('unauthorized');
    const given = reason ?? 'by_owner';
    const changed = await tx
      .updateTable('api_key')
      .set({ revoked_at: now, revoked_reason: given })
      .where('id', '=', identity.id)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    if (!changed.numUpdatedRows) throw new Refusal('unauthorized');
    await audit(tx, {
      workspaceId: identity.workspace.id,
      at: now,
      actor: { type: 'key', id: identity.id, name: identity.name },
      action: 'key.revoked',
      target: { type: 'key', id: identity.id, name: identity.name },
      before: { status: 'live' },
      after: { status: 'revoked', reason: given },
      origin,
      client: 'api',
    });
  });
}
