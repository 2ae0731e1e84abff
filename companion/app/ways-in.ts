import { notFound, Refusal } from '../domain/refusal.ts';
import type { Reading, Tx } from '../store/store.ts';
import type { UserRow } from '../store/tables.ts';
import { auditPerson } from './audit.ts';
import type { SessionCaller } from './caller.ts';
import { changeOwn } from './change-own.ts';
import type { Deps } from './deps.ts';

const countOf = async (db: Reading, table: 'passkey' | 'identity', userId: string): Promise<number> => {
  const row = await db
    .selectFrom(table)
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row?.n ?? 0;
};

/** Whether somebody has no password, no passkey and no link to an identity provider. */
export async function hasNoWayIn(db: Reading, user: Pick<UserRow, 'id' | 'password_hash'>): Promise<boolean> {
  if (user.password_hash !== null) return false;
  return (await countOf(db, 'passkey', user.id)) + (await countOf(db, 'identity', user.id)) === 0;
}

/** Nobody locks themselves out. Called after the removal, in its transaction. @throws Refusal conflict */
export async function keepAWayIn(tx: Tx, user: UserRow): Promise<void> {
  if (await hasNoWayIn(tx, user))
    throw new Refusal(
      'conflict',
      'It is the only way in which you can sign in. Set a password or add a passkey first.',
    );
}

/** The accounts at identity providers that sign one in. */
export async function listIdentities(deps: Deps, caller: SessionCaller) {
  const rows = await deps.store.read
    .selectFrom('identity')
    .selectAll()
    .where('user_id', '=', caller.user.id)
    .orderBy('linked_at')
    .orderBy('id')
    .execute();
  const time = (at: number) => new Date(at).toISOString();
  const items = rows.map((row) => ({
    id: row.id,
    issuer: row.issuer,
    email: row.email,
    linkedAt: time(row.linked_at),
    lastUsedAt: row.last_used_at === null ? null : time(row.last_used_at),
  }));
  return { items, nextCursor: null };
}

/** @throws Refusal not_found, also for somebody else's; conflict for the last way in */
export async function removeIdentity(deps: Deps, caller: SessionCaller, identityId: string): Promise<void> {
  await changeOwn(deps, caller, async ({ tx, now, user }) => {
    const removed = await tx
      .deleteFrom('identity')
      .where('id', '=', identityId)
      .where('user_id', '=', user.id)
      .returning(['email', 'issuer'])
      .executeTakeFirst();
    if (!removed) throw notFound();
    await keepAWayIn(tx, user);
    const target = { type: 'identity', id: identityId, name: removed.email ?? removed.issuer };
    await auditPerson(tx, now, { ...caller, client: caller.session.client }, 'identity.unlinked', target);
  });
}
