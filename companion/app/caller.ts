import type { Action } from '../../shared/contract/actions.ts';
import type { Role } from '../../shared/contract/fields.ts';
import { allows, mayWhileSuspended } from '../domain/access.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import type { Reading, Tx } from '../store/store.ts';
import type { SessionRow, UserRow } from '../store/tables.ts';
import type { Deps, Origin } from './deps.ts';

/** Somebody with a valid session. */
export interface SessionCaller {
  session: { id: string; client: SessionRow['client']; authenticatedAt: number };
  user: { id: string; name: string; email: string };
  origin: Origin;
}
/** The same, in a workspace where they are a member. */
export interface MemberCaller extends SessionCaller {
  member: { id: string; workspaceId: string; role: Role; suspended: boolean };
}

/** A session lives this long after its last use, and never longer than `SESSION_ABSOLUTE_MS` (OWASP Session Management). */
export const SESSION_IDLE_MS = 7 * 86_400_000;
export const SESSION_ABSOLUTE_MS = 30 * 86_400_000;

/** The session that a token hash stands for, if it lives. */
export async function findSession(
  db: Reading,
  tokenHash: string,
  now: number,
): Promise<{ session: SessionRow; user: UserRow } | undefined> {
  const session = await db.selectFrom('session').selectAll().where('token_hash', '=', tokenHash).executeTakeFirst();
  if (!session || session.expires_at <= now || session.last_used_at + SESSION_IDLE_MS <= now) return undefined;
  const user = await db.selectFrom('user').selectAll().where('id', '=', session.user_id).executeTakeFirst();
  return user && user.disabled_at === null ? { session, user } : undefined;
}

export const suspended = (): Refusal => new Refusal('forbidden', 'Your membership is suspended.');

/**
 * The membership that lets this person act, or the refusal: 404 for outsiders, as for a workspace that never existed.
 * @throws Refusal not_found, forbidden
 */
export async function authorize(
  db: Reading,
  userId: string,
  workspaceId: string,
  action: Action,
): Promise<MemberCaller['member']> {
  const row = await db
    .selectFrom('membership')
    .select(['id', 'role', 'suspended_at'])
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  if (!row) throw notFound();
  if (row.suspended_at !== null && !mayWhileSuspended(action)) throw suspended();
  if (!allows(row.role, action)) throw new Refusal('forbidden');
  return { id: row.id, workspaceId, role: row.role, suspended: row.suspended_at !== null };
}

/**
 * Looks again whether somebody may still do what they began: an answer that is streamed can outlast their session or membership.
 * @throws Refusal unauthorized, not_found, forbidden
 */
export async function stillMay(deps: Deps, caller: MemberCaller, action: Action): Promise<void> {
  const { read } = deps.store;
  const session = read.selectFrom('session').select('expires_at').where('id', '=', caller.session.id);
  const row = await session.executeTakeFirst();
  if (!row || row.expires_at <= deps.now()) throw new Refusal('unauthorized', 'The session has ended.');
  await authorize(read, caller.user.id, caller.member.workspaceId, action);
}

/** What a change works with: the transaction, its one time, and the member as they are inside it. */
export interface Change {
  tx: Tx;
  now: number;
  member: MemberCaller['member'];
}

/**
 * One change by a member: one transaction, in which session, membership and role are looked at again, since they
 * may have ended after the request was authenticated.
 * @throws Refusal unauthorized, not_found, forbidden, and what `work` throws: then nothing is changed
 */
export async function changeAs<T>(
  deps: Deps,
  caller: MemberCaller,
  action: Action,
  work: (change: Change) => Promise<T>,
): Promise<T> {
  return deps.store.transact(async (tx) => {
    const now = deps.now();
    const session = await tx
      .selectFrom('session')
      .select('expires_at')
      .where('id', '=', caller.session.id)
      .executeTakeFirst();
    if (!session || session.expires_at <= now) throw new Refusal('unauthorized', 'The session has ended.');
    const member = await authorize(tx, caller.user.id, caller.member.workspaceId, action);
    return work({ tx, now, member });
  });
}
