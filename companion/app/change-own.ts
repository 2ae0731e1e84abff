import { Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/store.ts';
import type { UserRow } from '../store/tables.ts';
import type { SessionCaller } from './caller.ts';
import type { Deps } from './deps.ts';

/** What a change to one's own account works with. */
export interface OwnChange {
  tx: Tx;
  now: number;
  user: UserRow;
}

/**
 * One change by somebody to what is theirs alone: one transaction, in which their session is looked at again, since it may have
 * ended after the request was authenticated.
 * @throws Refusal unauthorized, and what `work` throws: then nothing is changed
 */
export async function changeOwn<T>(
  deps: Deps,
  caller: SessionCaller,
  work: (change: OwnChange) => Promise<T>,
): Promise<T> {
  return deps.store.transact(async (tx) => {
    const now = deps.now();
    const session = await tx
      .selectFrom('session')
      .select(['user_id', 'expires_at'])
      .where('id', '=', caller.session.id)
      .executeTakeFirst();
    const user =
      session && (await tx.selectFrom('user').selectAll().where('id', '=', session.user_id).executeTakeFirst());
    if (!user || session.expires_at <= now || user.disabled_at !== null)
      throw new Refusal('unauthorized', 'The session has ended.');
    return work({ tx, now, user });
  });
}
