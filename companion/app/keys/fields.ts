import type { BodyOf } from '../../../shared/contract/endpoint.ts';
import type { keys } from '../../../shared/contract/keys.ts';
import { fold } from '../../domain/names.ts';
import { beyondGroup } from '../../domain/permissions.ts';
import { badField, Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/store.ts';
import type { KeyRow } from '../../store/tables.ts';

type Editable = BodyOf<typeof keys.editKey>;

/**
 * Checks a group and a narrowing against each other.
 * @throws Refusal bad_request that names the field, and in a list the position
 */
export async function checkGrant(
  tx: Tx,
  workspaceId: string,
  groupId: string | null,
  narrowing: readonly string[] | null,
): Promise<void> {
  if (groupId === null) {
    if (narrowing?.length) throw badField('permissions', 'need an authorization group to choose from');
    return;
  }
  const group = await tx
    .selectFrom('authorization_group')
    .select(['name', 'permissions'])
    .where('id', '=', groupId)
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  if (!group) throw badField('groupId', 'is not an authorization group of this workspace');
  const beyond = beyondGroup(JSON.parse(group.permissions), narrowing ?? []);
  if (!beyond.length) return;
  const errors = beyond.map((i) => ({
    path: `permissions.${i}`,
    message: `${narrowing?.[i]} is not in the group ${group.name}`,
  }));
  throw new Refusal('bad_request', errors.map((e) => `${e.path}: ${e.message}`).join('; '), errors);
}

/** @throws Refusal name_taken when another live key of this member has the name */
export async function checkName(tx: Tx, membershipId: string, name: string, keyId?: string): Promise<void> {
  const other = await tx
    .selectFrom('api_key')
    .select('id')
    .where('membership_id', '=', membershipId)
    .where('name_folded', '=', fold(name))
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (other && other.id !== keyId)
    throw new Refusal('name_taken', `You have a live key named ${name}. Use another name, or revoke that one.`, [
      { path: 'name', message: 'is taken by a live key of yours' },
    ]);
}

/** The columns that the given fields change; fields that are not given stay out. */
export function toColumns(fields: Editable): Partial<KeyRow> {
  const { name, description, groupId, permissions, ipAllowlist, rateLimit, customers, technicalOwner } = fields;
  return {
    ...(name !== undefined && { name, name_folded: fold(name) }),
    ...(description !== undefined && { description }),
    ...(groupId !== undefined && { group_id: groupId }),
    ...(permissions !== undefined && { permissions: permissions && JSON.stringify(permissions) }),
    ...(ipAllowlist !== undefined && { ip_allowlist: JSON.stringify(ipAllowlist) }),
    ...(rateLimit !== undefined && {
      rate_limit: rateLimit?.limit ?? null,
      rate_window_seconds: rateLimit?.windowSeconds ?? null,
    }),
    ...(customers !== undefined && { customers: JSON.stringify(customers) }),
    ...(technicalOwner !== undefined && { technical_owner: technicalOwner }),
  };
}

const JSON_COLUMNS: readonly (keyof KeyRow)[] = ['permissions', 'ip_allowlist', 'customers'];
const NAMES: Partial<Record<keyof KeyRow, string>> = {
  group_id: 'groupId',
  ip_allowlist: 'ipAllowlist',
  rate_limit: 'rateLimit',
  rate_window_seconds: 'rateWindowSeconds',
  technical_owner: 'technicalOwner',
};

/** Columns as an audit entry tells them. */
export function describeColumns(row: Partial<KeyRow>, columns: readonly (keyof KeyRow)[]): Record<string, unknown> {
  return Object.fromEntries(
    columns
      .filter((column) => column !== 'name_folded')
      .map((column) => {
        const value = row[column] ?? null;
        return [
          NAMES[column] ?? column,
          JSON_COLUMNS.includes(column) && typeof value === 'string' ? JSON.parse(value) : value,
        ];
      }),
  );
}
