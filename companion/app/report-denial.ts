import { sql } from 'kysely';
import { notFound } from '../domain/refusal.ts';
import { HOUR_MS } from '../domain/time.ts';
import type { Reading } from '../store/store.ts';
import { auditPerson } from './audit.ts';
import { part } from './audit-log.ts';
import type { SessionCaller } from './caller.ts';
import { changeOwn } from './change-own.ts';
import type { Deps } from './deps.ts';

/** For so long somebody can report what they denied, in milliseconds. */
const REPORTABLE_MS = HOUR_MS;
/** So many of the latest rows of the audit log are looked through for it. */
const ROWS = 2000;

export type DeniedClient = 'extension' | 'cli';

/** A request for a session that somebody denied. */
export interface Denial {
  /** The number of its row in the audit log. */
  seq: number;
  at: number;
  client: DeniedClient;
  /** The browser or machine, as it calls itself. */
  label: string;
  askedFrom: string | null;
}

/** Rows about what this person denied or reported since a time, of those that are looked through. */
const rowsOf = (db: Reading, userId: string, action: 'session.denied' | 'session.reported', since: number) =>
  db
    .selectFrom('audit')
    .where('seq', '>', sql<number>`(select coalesce(max(seq), 0) - ${ROWS} from audit)`)
    .where('at', '>', since)
    .where('action', '=', action)
    .where(part('target', 'id'), '=', userId);

async function latest(client: DeniedClient, ...about: Parameters<typeof rowsOf>) {
  const row = await rowsOf(...about)
    .select(['seq', 'at', 'after'])
    .where(part('after', 'client'), '=', client)
    .orderBy('seq', 'desc')
    .executeTakeFirst();
  if (!row?.after) return undefined;
  const { label, askedFrom, denial } = JSON.parse(row.after) as Omit<Denial, 'seq' | 'at'> & { denial?: number };
  return { seq: row.seq, at: row.at, client, label, askedFrom, denial };
}

/** What this person denied last, within the hour. */
export async function lastDenial(
  deps: Deps,
  caller: SessionCaller,
  client: DeniedClient,
  db: Reading = deps.store.read,
): Promise<Denial | undefined> {
  return latest(client, db, caller.user.id, 'session.denied', deps.now() - REPORTABLE_MS);
}

/** So many reports of one person are mailed within an hour; further ones are on record alone. */
const MOST_MAILED_AN_HOUR = 5;

/** Whether the last report of this person was one of those that are mailed. */
export async function isReportMailed(deps: Deps, userId: string, db: Reading = deps.store.read): Promise<boolean> {
  if (!deps.mailer) return false;
  const row = await rowsOf(db, userId, 'session.reported', deps.now() - HOUR_MS)
    // In each workspace of the person there is a row of the same report.
    .select((is) => is.fn.count<number>(part('after', 'denial')).distinct().as('reports'))
    .executeTakeFirst();
  return (row?.reports ?? 0) <= MOST_MAILED_AN_HOUR;
}

/**
 * Somebody says that they did not start what they denied: on record once, and mailed to those who look after their workspaces.
 * @throws Refusal not_found when they denied nothing within the hour; unauthorized
 */
export async function reportDenial(deps: Deps, caller: SessionCaller, client: DeniedClient): Promise<void> {
  const told = await changeOwn(deps, caller, async ({ tx, now }) => {
    const denial = await lastDenial(deps, caller, client, tx);
    if (!denial) throw notFound();
    const { id, email } = caller.user;
    const reported = await latest(client, tx, id, 'session.reported', denial.at - 1);
    if (reported?.denial === denial.seq) return undefined;
    const { label, askedFrom, seq } = denial;
    const after = { client, label, askedFrom, denial: seq };
    await auditPerson(tx, now, caller, 'session.reported', { type: 'user', id, name: email }, { after });
    if (!(await isReportMailed(deps, id, tx))) return undefined;
    const admins = await tx
      .selectFrom('membership as own')
      .innerJoin('membership as other', 'other.workspace_id', 'own.workspace_id')
      .innerJoin('user', 'user.id', 'other.user_id')
      .select('user.email')
      .distinct()
      .where('own.user_id', '=', id)
      .where('other.user_id', '<>', id)
      .where('other.role', 'in', ['owner', 'admin'])
      .where('other.suspended_at', 'is', null)
      .execute();
    return { denial, admins };
  });
  for (const admin of told?.admins ?? []) mail(deps, admin.email, caller.user, told?.denial);
}

function mail({ mailer, background, config }: Deps, to: string, by: SessionCaller['user'], denial?: Denial): void {
  if (!mailer || !denial) return;
  const text = [
    `${by.name} (${by.email}) denied a request for access to their account on ${config.publicUrl} and did not start it.`,
    '',
    `It came from ${denial.client === 'cli' ? 'a command line' : 'a browser'} that calls itself “${denial.label}”, at ${denial.askedFrom ?? 'an unknown address'}, and was denied at ${new Date(denial.at).toISOString()}.`,
    'It got no access. Somebody may be trying to trick people with a code: the audit log has the details.',
  ].join('\n');
  background.run('denial mail', () => mailer.send({ to, subject: `${by.name} reported a request for access`, text }));
}
