import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Filter } from 'scim2-parse-filter';
import { ScimError } from '../domain/scim/error.ts';
import { matches, parseFilter, soleEquality } from '../domain/scim/filter.ts';
import { foldUserName, type ScimUser, USER_SCHEMA } from '../domain/scim/user.ts';
import type { Reading } from '../store/store.ts';
import type { Deps } from './deps.ts';
import type { ScimCaller } from './scim-tokens.ts';

/** Of whom nothing but an account is left, which no other workspace has or provisions. */
const hasLeft = (workspaceId: string) =>
  sql<boolean>`(exists (select 1 from former_member where user_id = user.id and workspace_id = ${workspaceId})
    and not exists (select 1 from membership where user_id = user.id and workspace_id <> ${workspaceId})
    and not exists (select 1 from scim_user where user_id = user.id and workspace_id <> ${workspaceId}))`;

/**
 * Everybody whom an identity provider may see: the members of the workspace, whoever brought them in, those whom it has
 * deactivated, and those who left and whom no other workspace has: their account is still open. So it finds, by user name, people
 * who were there before it, and takes them over instead of doubling them.
 */
const people = (db: Reading, workspaceId: string) =>
  db
    .selectFrom('user')
    .leftJoin('membership', (on) =>
      on.onRef('membership.user_id', '=', 'user.id').on('membership.workspace_id', '=', workspaceId),
    )
    .leftJoin('scim_user', (on) =>
      on.onRef('scim_user.user_id', '=', 'user.id').on('scim_user.workspace_id', '=', workspaceId),
    )
    .where((is) =>
      is.or([is('membership.id', 'is not', null), is('scim_user.user_id', 'is not', null), hasLeft(workspaceId)]),
    )
    .select([
      'user.id',
      'user.name',
      'user.email',
      'user.created_at',
      'user.disabled_at',
      'membership.id as membership_id',
      'membership.role',
      'membership.joined_at',
      'membership.suspended_at',
      'scim_user.attributes',
      'scim_user.deactivated_at',
      'scim_user.created_at as provisioned_at',
      'scim_user.modified_at',
    ]);
export type ScimPerson = Awaited<ReturnType<ReturnType<typeof people>['execute']>>[number];

/** @throws ScimError 404 */
export async function findPerson(db: Reading, workspaceId: string, userId: string): Promise<ScimPerson> {
  const row = await people(db, workspaceId).where('user.id', '=', userId).executeTakeFirst();
  if (!row) throw new ScimError(404, `There is no user ${userId}`);
  return row;
}

/** What SCIM says of a person. One whom it did not bring in is described by their account. */
export function userOf(row: ScimPerson): ScimUser {
  const active = row.membership_id !== null && row.deactivated_at === null;
  if (row.attributes !== null) return { ...(JSON.parse(row.attributes) as Omit<ScimUser, 'active'>), active };
  return {
    userName: row.email,
    displayName: row.name,
    name: { formatted: row.name },
    emails: [{ value: row.email, type: 'work', primary: true }],
    active,
  };
}

export type ScimResource = ReturnType<typeof resourceOf>;

/** The resource as it is answered, with a version that changes when anything in it does. */
export function resourceOf(deps: Deps, row: ScimPerson) {
  const content = { schemas: [USER_SCHEMA], id: row.id, ...userOf(row) };
  const created = row.provisioned_at ?? row.joined_at ?? row.created_at;
  const meta = {
    resourceType: 'User',
    created: new Date(created).toISOString(),
    lastModified: new Date(row.modified_at ?? created).toISOString(),
    location: `${deps.config.publicUrl}/scim/v2/Users/${row.id}`,
  };
  const version = createHash('sha256')
    .update(JSON.stringify([content, meta]))
    .digest('base64url')
    .slice(0, 16);
  return { ...content, meta: { ...meta, version: `W/"${version}"` } };
}

export interface ListQuery {
  filter?: string | undefined;
  /** From 1. */
  startIndex: number;
  count: number;
}
/** The most resources in one answer. */
export const MOST_RESULTS = 200;

/** Those who match, in the order in which they came (RFC 7644, 3.4.2). @throws ScimError invalidFilter */
export async function listPeople(deps: Deps, caller: ScimCaller, query: ListQuery) {
  const filter = query.filter === undefined ? undefined : parseFilter(query.filter);
  const rows = people(deps.store.read, caller.workspaceId).orderBy('user.created_at').orderBy('user.id');
  const found = await narrowed(rows, filter).execute();
  const all = found.map((row) => resourceOf(deps, row)).filter((resource) => !filter || matches(filter, resource));
  const from = Math.max(1, query.startIndex);
  const shown = all.slice(from - 1, from - 1 + Math.min(MOST_RESULTS, Math.max(0, query.count)));
  return { totalResults: all.length, startIndex: from, resources: shown };
}

/** The question before every change, "who has this user name?", is answered by index rather than by reading everybody. */
function narrowed(rows: ReturnType<typeof people>, filter: Filter | undefined) {
  const sole = filter && soleEquality(filter);
  if (sole?.attribute === 'externalId') return rows.where('scim_user.external_id', '=', sole.value);
  if (sole?.attribute !== 'userName') return rows;
  const folded = foldUserName(sole.value);
  return rows.where((is) => is.or([is('scim_user.user_name_folded', '=', folded), is('user.email', '=', folded)]));
}
