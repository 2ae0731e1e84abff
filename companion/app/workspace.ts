import type { BodyOf } from '../../shared/contract/endpoint.ts';
import type { Workspace, workspaces } from '../../shared/contract/workspace.ts';
import { notFound } from '../domain/refusal.ts';
import { countKeysUsed } from '../store/keys.ts';
import type { Reading } from '../store/store.ts';
import type { WorkspaceRow } from '../store/tables.ts';
import { audit, by } from './audit.ts';
import { changeAs, type MemberCaller } from './caller.ts';
import type { Deps } from './deps.ts';

async function find(db: Reading, workspaceId: string): Promise<WorkspaceRow> {
  const row = await db.selectFrom('workspace').selectAll().where('id', '=', workspaceId).executeTakeFirst();
  if (!row) throw notFound();
  return row;
}

const show = (row: WorkspaceRow, keysUsed: number): Workspace => ({
  id: row.id,
  name: row.name,
  plan: row.plan,
  keyLimit: row.key_limit,
  keysUsed,
  policies: { maxKeyLifetimeDays: row.max_key_lifetime_days },
  createdAt: new Date(row.created_at).toISOString(),
});

export async function readWorkspace(deps: Deps, caller: MemberCaller): Promise<Workspace> {
  const { workspaceId } = caller.member;
  const row = await find(deps.store.read, workspaceId);
  return show(row, await countKeysUsed(deps.store.read, workspaceId, deps.now()));
}

/** Changes the name and the policies; keys that exist keep their expiry. */
export async function editWorkspace(
  deps: Deps,
  caller: MemberCaller,
  input: BodyOf<typeof workspaces.editWorkspace>,
): Promise<Workspace> {
  return changeAs(deps, caller, 'workspace.edit', async ({ tx, now, member }) => {
    const before = await find(tx, member.workspaceId);
    const days = input.policies?.maxKeyLifetimeDays;
    const after: WorkspaceRow = {
      ...before,
      name: input.name ?? before.name,
      max_key_lifetime_days: days === undefined ? before.max_key_lifetime_days : days,
    };
    const used = await countKeysUsed(tx, before.id, now);
    if (after.name === before.name && after.max_key_lifetime_days === before.max_key_lifetime_days)
      return show(before, used);
    await tx
      .updateTable('workspace')
      .set({ name: after.name, max_key_lifetime_days: after.max_key_lifetime_days })
      .where('id', '=', before.id)
      .execute();
    const facts = (row: WorkspaceRow) => ({ name: row.name, maxKeyLifetimeDays: row.max_key_lifetime_days });
    await audit(tx, {
      workspaceId: before.id,
      at: now,
      ...by({ ...caller, member }),
      action: 'workspace.edited',
      target: { type: 'workspace', id: before.id, name: after.name },
      before: facts(before),
      after: facts(after),
    });
    return show(after, used);
  });
}
