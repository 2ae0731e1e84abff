import { Refusal } from '../domain/refusal.ts';
import { countKeysUsed } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import type { WorkspaceRow } from '../store/tables.ts';
import { audit } from './audit.ts';
import { hasActiveOwner } from './members.ts';
import { isExcluded } from './scim-exclusion.ts';

export interface Capacity {
  plan?: WorkspaceRow['plan'];
  keyLimit?: number;
}
export interface WorkspaceFacts {
  id: string;
  name: string;
  plan: WorkspaceRow['plan'];
  keyLimit: number;
  keysUsed: number;
}

/** Every workspace of this companion, as its operator sees it. */
export async function listWorkspaces(store: Store, now: number): Promise<WorkspaceFacts[]> {
  const rows = await store.read.selectFrom('workspace').selectAll().orderBy('created_at').execute();
  return Promise.all(
    rows.map(async (row) => ({
      id: row.id,
      name: row.name,
      plan: row.plan,
      keyLimit: row.key_limit,
      keysUsed: await countKeysUsed(store.read, row.id, now),
    })),
  );
}

/**
 * Sets plan and limit, by the operator: no member can. Keys beyond a lower limit live on; no further one is made.
 * In force for the next request of every companion on this database.
 * @throws Refusal not_found
 */
export async function setCapacity(store: Store, workspaceId: string, wanted: Capacity, now: number): Promise<void> {
  await store.transact(async (tx) => {
    const row = await tx.selectFrom('workspace').selectAll().where('id', '=', workspaceId).executeTakeFirst();
    if (!row) throw new Refusal('not_found');
    const before = { plan: row.plan, keyLimit: row.key_limit };
    const after = { plan: wanted.plan ?? before.plan, keyLimit: wanted.keyLimit ?? before.keyLimit };
    if (after.plan === before.plan && after.keyLimit === before.keyLimit) return;
    await tx
      .updateTable('workspace')
      .set({ plan: after.plan, key_limit: after.keyLimit })
      .where('id', '=', row.id)
      .execute();
    await audit(tx, {
      workspaceId: row.id,
      at: now,
      actor: { type: 'operator' },
      origin: undefined,
      action: 'workspace.capacity_changed',
      target: { type: 'workspace', id: row.id, name: row.name },
      before,
      after,
      client: 'cli',
    });
  });
}

/**
 * Makes a member an owner: the way back for a workspace whose last owner was deprovisioned. A suspended one is reinstated with it where
 * no owner can act any more, for then nobody else can reinstate them; otherwise they stay what they are.
 * @returns what they are afterwards; `shut out` is left to the identity provider
 */
export async function makeOwner(
  store: Store,
  workspaceId: string,
  email: string,
  now: number,
): Promise<'owner' | 'reinstated owner' | 'suspended' | 'shut out' | 'no member'> {
  return store.transact(async (tx) => {
    const member = await tx
      .selectFrom('membership')
      .innerJoin('user', 'user.id', 'membership.user_id')
      .select(['membership.id', 'membership.user_id', 'membership.role', 'membership.suspended_at', 'user.disabled_at'])
      .where('workspace_id', '=', workspaceId)
      .where('user.email', '=', email)
      .executeTakeFirst();
    if (!member) return 'no member';
    const record = (action: string, before: object, after: object) =>
      audit(tx, {
        workspaceId,
        at: now,
        actor: { type: 'operator' },
        origin: undefined,
        action,
        target: { type: 'member', id: member.id, name: email },
        before,
        after,
        client: 'cli',
      });
    if (member.suspended_at !== null) {
      if (await hasActiveOwner(tx, workspaceId)) return 'suspended';
      if (member.disabled_at !== null || (await isExcluded(tx, { workspaceId, userId: member.user_id })))
        return 'shut out';
      await tx.updateTable('membership').set({ suspended_at: null }).where('id', '=', member.id).execute();
      await record('member.reinstated', { status: 'suspended' }, { status: 'active' });
    }
    if (member.role !== 'owner') {
      await tx.updateTable('membership').set({ role: 'owner' }).where('id', '=', member.id).execute();
      await record('member.role_changed', { role: member.role }, { role: 'owner' });
    }
    return member.suspended_at === null ? 'owner' : 'reinstated owner';
  });
}
