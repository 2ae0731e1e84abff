import { Refusal } from '../domain/refusal.ts';
import type { Reading, Tx } from '../store/store.ts';
import type { UserRow } from '../store/tables.ts';

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

/** Links to the identity providers that are set up here now. */
const usableLinks = (db: Reading, userId: string) =>
  db
    .selectFrom('identity')
    .innerJoin('sso', 'sso.issuer', 'identity.issuer')
    .select('identity.id')
    .where('identity.user_id', '=', userId)
    .executeTakeFirst();

/**
 * Nobody locks themselves out. Called after the removal, in its transaction. A link to a provider that is not set up here (any more)
 * signs nobody in.
 * @throws Refusal conflict
 */
export async function keepAWayIn(tx: Tx, user: Pick<UserRow, 'id' | 'password_hash'>): Promise<void> {
  if (user.password_hash !== null || (await countOf(tx, 'passkey', user.id))) return;
  if (!(await usableLinks(tx, user.id)))
    throw new Refusal(
      'conflict',
      'It is the only way in which you can sign in. Set a password or add a passkey first.',
    );
}
