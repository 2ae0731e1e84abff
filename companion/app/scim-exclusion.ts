import type { Reading, Tx } from '../store/store.ts';

/** Somebody, as seen from one workspace. */
interface Whom {
  workspaceId: string;
  userId: string;
}

/**
 * Keeps somebody out of the workspace until its identity provider lets them in again; the database refuses their membership.
 * @returns whether they were not kept out before
 */
export async function exclude(tx: Tx, { workspaceId, userId }: Whom, now: number): Promise<boolean> {
  const row = { workspace_id: workspaceId, user_id: userId, at: now };
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('scim_exclusion')
    .values(row)
    .onConflict((c) => c.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

export async function endExclusion(tx: Tx, { workspaceId, userId }: Whom): Promise<void> {
  await tx.deleteFrom('scim_exclusion').where('workspace_id', '=', workspaceId).where('user_id', '=', userId).execute();
}

export async function isExcluded(db: Reading, { workspaceId, userId }: Whom): Promise<boolean> {
  const row = await db
    .selectFrom('scim_exclusion')
    .select('at')
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Whether another workspace has this person, which its identity provider does not keep them out of: their account is then not this
 * one's to close. A membership that another identity provider suspended opens nothing.
 */
export async function worksElsewhere(db: Reading, { workspaceId, userId }: Whom): Promise<boolean> {
  const other = await db
    .selectFrom('membership')
    .leftJoin('scim_exclusion as kept_out', (on) =>
      on
        .onRef('kept_out.workspace_id', '=', 'membership.workspace_id')
        .onRef('kept_out.user_id', '=', 'membership.user_id'),
    )
    .select('membership.id')
    .where('membership.user_id', '=', userId)
    .where('membership.workspace_id', '<>', workspaceId)
    .where('kept_out.at', 'is', null)
    .executeTakeFirst();
  return other !== undefined;
}

/**
 * Whether another workspace has this person, or its identity provider knows them and could give them access (back): their account,
 * its address and its ways of signing in are then not this one's to change.
 */
export async function isKnownElsewhere(db: Reading, whom: Whom): Promise<boolean> {
  if (await worksElsewhere(db, whom)) return true;
  const provisioned = await db
    .selectFrom('scim_user')
    .select('user_id')
    .where('user_id', '=', whom.userId)
    .where('workspace_id', '<>', whom.workspaceId)
    .executeTakeFirst();
  return provisioned !== undefined;
}
