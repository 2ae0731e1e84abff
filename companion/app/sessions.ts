import { createHash } from 'node:crypto';
import type { QueryOf } from '../../shared/contract/endpoint.ts';
import type { people } from '../../shared/contract/people.ts';
import { makeToken } from '../../shared/key-format.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/store.ts';
import type { SessionRow, UserRow } from '../store/tables.ts';
import { auditPerson } from './audit.ts';
import { findSession, SESSION_ABSOLUTE_MS, SESSION_IDLE_MS, type SessionCaller } from './caller.ts';
import type { Deps, Origin } from './deps.ts';
import { pageOf, readCursor } from './paging.ts';

/** What a random token of full strength is stored as: it needs no key and no salt. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export interface IssuedSession {
  token: string;
  expiresAt: string;
}

/** Makes a session, in the transaction of what led to it. The token is in the answer only. */
export async function issueSession(
  deps: Deps,
  tx: Tx,
  session: { userId: string; client: SessionRow['client']; label: string; origin: Origin; authenticatedAt: number },
): Promise<IssuedSession> {
  const token = makeToken('session', (n) => deps.randomBytes(n));
  const now = deps.now();
  const expiresAt = now + SESSION_ABSOLUTE_MS;
  await tx
    .deleteFrom('session')
    .where('user_id', '=', session.userId)
    .where((is) => is.or([is('expires_at', '<=', now), is('last_used_at', '<=', now - SESSION_IDLE_MS)]))
    .execute();
  await tx
    .insertInto('session')
    .values({
      id: deps.newId('ses'),
      user_id: session.userId,
      token_hash: hashToken(token),
      client: session.client,
      label: session.label,
      ip: session.origin.ip,
      user_agent: session.origin.userAgent?.slice(0, 512) ?? null,
      created_at: now,
      last_used_at: now,
      expires_at: expiresAt,
      authenticated_at: session.authenticatedAt,
    })
    .execute();
  await endSurplus(deps, tx, session);
  return { token, expiresAt: new Date(expiresAt).toISOString() };
}

/** So many sessions of one person live at once: a program that signs in for every call does not fill the database and their list. */
export const MOST_SESSIONS = 500;

/** Ends those that were not used for longest. */
async function endSurplus(
  deps: Deps,
  tx: Tx,
  { userId, client, origin }: { userId: string; client: SessionRow['client']; origin: Origin },
): Promise<void> {
  const surplus = await tx
    .selectFrom('session')
    .innerJoin('user', 'user.id', 'session.user_id')
    .select(['session.id', 'session.client', 'session.label', 'user.name', 'user.email'])
    .where('session.user_id', '=', userId)
    .orderBy('session.last_used_at', 'desc')
    .orderBy('session.created_at', 'desc')
    .orderBy('session.id')
    .limit(100)
    .offset(MOST_SESSIONS)
    .execute();
  for (const { id, name, email, ...ended } of surplus) {
    await tx.deleteFrom('session').where('id', '=', id).execute();
    const who = { user: { id: userId, name, email }, origin, client };
    const target = { type: 'session', id, name: ended.label };
    await auditPerson(tx, deps.now(), who, 'session.ended', target, { before: { client: ended.client } });
  }
}

/** What is shown of a person. */
export const publicUser = (user: UserRow) => ({ id: user.id, name: user.name, email: user.email });

/** Sign-in by e-mail address and password. Unknown address and wrong password answer the same, at the same pace. */
export async function signIn(
  deps: Deps,
  input: { email: string; password: string },
  origin: Origin,
  client: SessionRow['client'] = 'api',
  label = 'Password',
) {
  await deps.throttle.attempt('sign_in', input.email, origin.ip);
  const user = await deps.store.read.selectFrom('user').selectAll().where('email', '=', input.email).executeTakeFirst();
  const matches = await deps.passwords.matches(input.password, user?.password_hash);
  if (!user || !matches || user.disabled_at !== null)
    throw new Refusal('unauthorized', 'E-mail address or password is wrong.');
  await deps.throttle.forgive('sign_in', input.email, origin.ip);
  return deps.store.transact(async (tx) => {
    const still = await tx.selectFrom('user').selectAll().where('id', '=', user.id).executeTakeFirst();
    if (still?.password_hash !== user.password_hash || still.disabled_at !== null)
      throw new Refusal('unauthorized', 'E-mail address or password is wrong.');
    const session = await issueSession(deps, tx, {
      userId: user.id,
      client,
      label,
      origin,
      authenticatedAt: deps.now(),
    });
    await auditSignIn(tx, deps.now(), { user, origin, client }, 'password');
    return { session, user: publicUser(user) };
  });
}

/** The audit row of a sign-in. A failed one has none, only its line in the log, which does not name anybody. */
export async function auditSignIn(
  tx: Tx,
  at: number,
  who: { user: UserRow; origin: Origin; client: SessionRow['client'] },
  method: 'password' | 'passkey' | 'single sign-on',
): Promise<void> {
  const { id, email } = who.user;
  await auditPerson(
    tx,
    at,
    who,
    'session.created',
    { type: 'user', id, name: email },
    {
      after: { method, client: who.client },
    },
  );
}

const TOUCH_EVERY_MS = 60_000;
/** Sessions whose use is being written. */
const touching = new Set<string>();

/** Notes that a session was used, beside the answer: a read does not wait for the write lock, nor fail for it. */
function touch(deps: Deps, id: string, ip: string | null): void {
  if (touching.has(id)) return;
  touching.add(id);
  deps.background.run('session use', () =>
    deps.store
      .transact(async (tx) => {
        await tx.updateTable('session').set({ last_used_at: deps.now(), ip }).where('id', '=', id).execute();
      })
      .finally(() => touching.delete(id)),
  );
}

/**
 * Who a session token stands for.
 * @throws Refusal unauthorized for anything but a live session
 */
export async function authenticateSession(deps: Deps, token: string, origin: Origin): Promise<SessionCaller> {
  const now = deps.now();
  const found = await findSession(deps.store.read, hashToken(token), now);
  if (!found) throw new Refusal('unauthorized');
  const { session, user } = found;
  if (now - session.last_used_at >= TOUCH_EVERY_MS) touch(deps, session.id, origin.ip);
  return {
    session: { id: session.id, client: session.client, authenticatedAt: session.authenticated_at },
    user: publicUser(user),
    origin,
  };
}

/** One's own sessions that still live, the latest used first. */
const live = (deps: Deps, caller: SessionCaller) =>
  deps.store.read
    .selectFrom('session')
    .selectAll()
    .where('user_id', '=', caller.user.id)
    .where('expires_at', '>', deps.now())
    .where('last_used_at', '>', deps.now() - SESSION_IDLE_MS)
    .orderBy('last_used_at', 'desc')
    .orderBy('id');

/** All of one's own sessions that still live: at most `MOST_SESSIONS`. */
export async function readSessions(deps: Deps, caller: SessionCaller) {
  const rows = await live(deps, caller).execute();
  return rows.map((row) => publicSession(row, caller.session.id));
}

/** The same, by the page. */
export async function listSessions(deps: Deps, caller: SessionCaller, query: QueryOf<typeof people.listSessions>) {
  const after = readCursor(query.cursor);
  let rows = live(deps, caller);
  if (after)
    rows = rows.where((is) =>
      is.or([is('last_used_at', '<', after.at), is.and([is('last_used_at', '=', after.at), is('id', '>', after.id)])]),
    );
  return pageOf(
    await rows.limit(query.limit + 1).execute(),
    query.limit,
    (row) => ({ at: row.last_used_at, id: row.id }),
    (row) => publicSession(row, caller.session.id),
  );
}

function publicSession(row: SessionRow, current: string) {
  const time = (at: number) => new Date(at).toISOString();
  return {
    id: row.id,
    current: row.id === current,
    client: row.client,
    label: row.label,
    ip: row.ip,
    userAgent: row.user_agent,
    createdAt: time(row.created_at),
    lastUsedAt: time(row.last_used_at),
    expiresAt: time(Math.min(row.expires_at, row.last_used_at + SESSION_IDLE_MS)),
  };
}

/** Ends one of one's own sessions, or `current`. @throws Refusal not_found, also for somebody else's */
export async function endSession(deps: Deps, caller: SessionCaller, sessionId: string): Promise<void> {
  const id = sessionId === 'current' ? caller.session.id : sessionId;
  await deps.store.transact(async (tx) => {
    const ended = await tx
      .deleteFrom('session')
      .where('id', '=', id)
      .where('user_id', '=', caller.user.id)
      .returning(['client', 'label'])
      .executeTakeFirst();
    if (!ended) throw notFound();
    await auditPerson(
      tx,
      deps.now(),
      caller,
      'session.ended',
      { type: 'session', id, name: ended.label },
      {
        before: { client: ended.client },
      },
    );
  });
}
