import type { BodyOf, QueryOf } from '../../shared/contract/endpoint.ts';
import type { Group, groups } from '../../shared/contract/groups.ts';
import { fold } from '../domain/names.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import type { Reading, Tx } from '../store/store.ts';
import type { GroupRow } from '../store/tables.ts';
import { audit, by } from './audit.ts';
import { type Change, changeAs, type MemberCaller } from './caller.ts';
import type { Deps } from './deps.ts';
import { type Idempotency, once } from './idempotency.ts';
import { pageOf, readCursor } from './paging.ts';

/** How many keys hang on each group: those that are not revoked, since any of them may be used (again). */
async function countKeys(db: Reading, groupIds: readonly string[]): Promise<Map<string, number>> {
  if (!groupIds.length) return new Map();
  const rows = await db
    .selectFrom('api_key')
    .select((f) => ['group_id', f.fn.countAll<number>().as('keys')])
    .where('group_id', 'in', groupIds)
    .where('revoked_at', 'is', null)
    .groupBy('group_id')
    .execute();
  return new Map(rows.map((row) => [row.group_id as string, row.keys]));
}

const show = (row: GroupRow, keys: number): Group => ({
  id: row.id,
  name: row.name,
  description: row.description,
  permissions: JSON.parse(row.permissions),
  keys,
  createdAt: new Date(row.created_at).toISOString(),
});

async function find(db: Reading, workspaceId: string, groupId: string): Promise<GroupRow> {
  const row = await db
    .selectFrom('authorization_group')
    .selectAll()
    .where('id', '=', groupId)
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  if (!row) throw notFound();
  return row;
}

/** @throws Refusal name_taken when another group has the name, however it is written */
async function checkName(tx: Tx, workspaceId: string, name: string, groupId?: string): Promise<void> {
  const others = await tx
    .selectFrom('authorization_group')
    .select(['id', 'name'])
    .where('workspace_id', '=', workspaceId)
    .execute();
  if (others.some((other) => other.id !== groupId && fold(other.name) === fold(name)))
    throw new Refusal('name_taken', `There is a group named ${name} already.`, [
      { path: 'name', message: 'is taken by another group' },
    ]);
}

const facts = (row: GroupRow) => ({
  name: row.name,
  description: row.description,
  permissions: JSON.parse(row.permissions),
});

async function note(
  { tx, now, member }: Change,
  caller: MemberCaller,
  action: string,
  row: GroupRow,
  change: { before?: object; after?: object },
): Promise<void> {
  await audit(tx, {
    workspaceId: member.workspaceId,
    at: now,
    ...by(caller),
    action,
    target: { type: 'group', id: row.id, name: row.name },
    ...change,
  });
}

/** Authorization groups, in the order in which they were made. */
export async function listGroups(
  deps: Deps,
  caller: MemberCaller,
  query: QueryOf<typeof groups.listGroups>,
): Promise<{ items: Group[]; nextCursor: string | null }> {
  const after = readCursor(query.cursor);
  let rows = deps.store.read
    .selectFrom('authorization_group')
    .selectAll()
    .where('workspace_id', '=', caller.member.workspaceId);
  if (after)
    rows = rows.where((is) =>
      is.or([is('created_at', '>', after.at), is.and([is('created_at', '=', after.at), is('id', '>', after.id)])]),
    );
  const found = await rows
    .orderBy('created_at')
    .orderBy('id')
    .limit(query.limit + 1)
    .execute();
  const keys = await countKeys(
    deps.store.read,
    found.map((row) => row.id),
  );
  return pageOf(
    found,
    query.limit,
    (row) => ({ at: row.created_at, id: row.id }),
    (row) => show(row, keys.get(row.id) ?? 0),
  );
}

/** @throws Refusal name_taken, idempotency_mismatch */
export async function createGroup(
  deps: Deps,
  caller: MemberCaller,
  input: BodyOf<typeof groups.createGroup>,
  idempotency: Idempotency | undefined,
): Promise<Group> {
  return changeAs(deps, caller, 'group.manage', async (change) => {
    const { tx, now, member } = change;
    const { id } = await once(change, 'createGroup', idempotency, async () => {
      await checkName(tx, member.workspaceId, input.name);
      const row: GroupRow = {
        id: deps.newId('grp'),
        workspace_id: member.workspaceId,
        name: input.name,
        description: input.description ?? '',
        permissions: JSON.stringify(input.permissions),
        created_at: now,
      };
      await tx.insertInto('authorization_group').values(row).execute();
      await note(change, caller, 'group.created', row, { after: facts(row) });
      return row.id;
    });
    const keys = await countKeys(tx, [id]);
    return show(await find(tx, member.workspaceId, id), keys.get(id) ?? 0);
  });
}

/**
 * Changes a group. What it no longer holds is gone from every key of it, for every verification that starts after this.
 * @throws Refusal not_found, name_taken
 */
export async function editGroup(
  deps: Deps,
  caller: MemberCaller,
  groupId: string,
  input: BodyOf<typeof groups.editGroup>,
): Promise<Group> {
  return changeAs(deps, caller, 'group.manage', async (change) => {
    const { tx, member } = change;
    const before = await find(tx, member.workspaceId, groupId);
    const after: GroupRow = {
      ...before,
      name: input.name ?? before.name,
      description: input.description ?? before.description,
      permissions: input.permissions ? JSON.stringify(input.permissions) : before.permissions,
    };
    const { name, description, permissions } = after;
    if (name !== before.name || description !== before.description || permissions !== before.permissions) {
      if (name !== before.name) await checkName(tx, member.workspaceId, name, before.id);
      await tx
        .updateTable('authorization_group')
        .set({ name, description, permissions })
        .where('id', '=', before.id)
        .execute();
      await note(change, caller, 'group.edited', after, { before: facts(before), after: facts(after) });
    }
    const keys = await countKeys(tx, [before.id]);
    return show(after, keys.get(before.id) ?? 0);
  });
}

/** @throws Refusal not_found, in_use while a key that is not revoked belongs to it */
export async function deleteGroup(deps: Deps, caller: MemberCaller, groupId: string): Promise<void> {
  await changeAs(deps, caller, 'group.manage', async (change) => {
    const { tx, member } = change;
    const row = await find(tx, member.workspaceId, groupId);
    const keys = (await countKeys(tx, [row.id])).get(row.id) ?? 0;
    if (keys)
      throw new Refusal(
        'in_use',
        `${keys === 1 ? '1 key belongs' : `${keys} keys belong`} to this group. Move or revoke ${keys === 1 ? 'it' : 'them'} first.`,
      );
    await tx.deleteFrom('authorization_group').where('id', '=', row.id).execute();
    await note(change, caller, 'group.deleted', row, { before: facts(row) });
  });
}
