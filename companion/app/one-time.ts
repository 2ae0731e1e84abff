import { Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/store.ts';
import { hashToken } from './sessions.ts';

/**
 * Uses up a one-time value, in the transaction of what it is good for. Nothing is written when one is made, so that nobody fills
 * the database by asking for them.
 * @param expiresAt when it would have become worthless by itself, in milliseconds
 * @throws Refusal unauthorized when it was used before
 */
export async function spend(tx: Tx, value: string, expiresAt: number, now: number): Promise<void> {
  await tx.deleteFrom('spent').where('expires_at', '<=', now).execute();
  const used = await tx
    .insertInto('spent')
    .values({ hash: hashToken(value), expires_at: expiresAt })
    .onConflict((c) => c.doNothing())
    .executeTakeFirst();
  if (!used.numInsertedOrUpdatedRows) throw new Refusal('unauthorized', 'This was used already. Start again.');
}
