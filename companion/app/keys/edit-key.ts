import type { BodyOf } from '../../../shared/contract/endpoint.ts';
import type { Key, keys } from '../../../shared/contract/keys.ts';
import type { KeyRow } from '../../store/tables.ts';
import { audit, by } from '../audit.ts';
import { changeAs, type MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';
import { checkGrant, checkName, describeColumns, toColumns } from './fields.ts';
import { moveKey, target } from './find.ts';
import { viewKey } from './view.ts';

/** The columns that really differ: sending back what is there changes nothing and leaves no audit row. */
function difference(row: KeyRow, wanted: Partial<KeyRow>): (keyof KeyRow)[] {
  return (Object.keys(wanted) as (keyof KeyRow)[]).filter((column) => wanted[column] !== row[column]);
}

/**
 * Changes what a key is called and what it may do, by its owner. In force for every verification that starts after this.
 * @throws Refusal bad_request, not_found, forbidden, conflict on a revoked key, name_taken
 */
export async function editKey(
  deps: Deps,
  caller: MemberCaller,
  keyId: string,
  input: BodyOf<typeof keys.editKey>,
): Promise<Key> {
  const row = await changeAs(deps, caller, 'key.edit', async (change) => {
    const { tx, now, member } = change;
    const { row } = await moveKey(change, keyId, 'key.edit', { kind: 'edit' });
    // Without a group there is nothing left to narrow.
    const fields = input.groupId === null && input.permissions === undefined ? { ...input, permissions: null } : input;
    const wanted = toColumns(fields);
    const columns = difference(row, wanted);
    if (!columns.length) return row;
    const after = { ...row, ...wanted };
    if (columns.includes('group_id') || columns.includes('permissions'))
      await checkGrant(tx, member.workspaceId, after.group_id, after.permissions && JSON.parse(after.permissions));
    if (columns.includes('name_folded')) await checkName(tx, member.id, after.name, row.id);
    await tx.updateTable('api_key').set(wanted).where('id', '=', row.id).execute();
    await audit(tx, {
      workspaceId: member.workspaceId,
      at: now,
      ...by(caller),
      action: 'key.edited',
      target: target(after),
      before: describeColumns(row, columns),
      after: describeColumns(after, columns),
    });
    return after;
  });
  return viewKey(deps, row);
}
