import type { Tx } from '../store/store.ts';
import type { SessionRow } from '../store/tables.ts';
import type { MemberCaller, SessionCaller } from './caller.ts';
import type { Origin } from './deps.ts';

/** Who did it: a person, or what acts without one. */
export interface AuditActor {
  type: 'member' | 'user' | 'key' | 'scim' | 'system' | 'operator';
  id?: string;
  name?: string;
}

export type AuditClient = SessionRow['client'] | 'scim';

export interface AuditEntry {
  workspaceId: string;
  at: number;
  actor: AuditActor;
  /** `<thing>.<what happened>`, e.g. `key.created`. */
  action: string;
  target: { type: string; id: string; name: string };
  /** What changed, never a secret. */
  before?: object;
  after?: object;
  /** From where; undefined only for what nobody asked for over the network. */
  origin: Origin | undefined;
  client: AuditClient;
}

const json = (value: object | undefined) => (value === undefined ? null : JSON.stringify(value));

/** Writes the audit row of a change, in the transaction of the change: if it can't be written, nothing happens. */
export async function audit(tx: Tx, entry: AuditEntry): Promise<void> {
  await tx
    .insertInto('audit')
    .values({
      workspace_id: entry.workspaceId,
      at: entry.at,
      actor: JSON.stringify(entry.actor),
      action: entry.action,
      target: JSON.stringify(entry.target),
      before: json(entry.before),
      after: json(entry.after),
      ip: entry.origin?.ip ?? null,
      client: entry.client ?? null,
      hash: null,
    })
    .execute();
}

/** The actor, origin and client of a signed-in person, for an audit entry. */
export function by(caller: SessionCaller | MemberCaller): Pick<AuditEntry, 'actor' | 'origin' | 'client'> {
  const id = 'member' in caller ? caller.member.id : caller.user.id;
  return {
    actor: { type: 'member' in caller ? 'member' : 'user', id, name: caller.user.email },
    origin: caller.origin,
    client: caller.session.client,
  };
}

/** The audit row of what a person did to themselves, in each workspace that it concerns: those where they are a member. */
export async function auditPerson(
  tx: Tx,
  at: number,
  who: Pick<SessionCaller, 'user' | 'origin'> & (Pick<SessionCaller, 'session'> | { client: AuditClient }),
  action: string,
  target: AuditEntry['target'],
  changed: Pick<AuditEntry, 'before' | 'after'> = {},
): Promise<void> {
  const memberships = await tx
    .selectFrom('membership')
    .select(['id', 'workspace_id'])
    .where('user_id', '=', who.user.id)
    .execute();
  for (const { id, workspace_id } of memberships)
    await audit(tx, {
      workspaceId: workspace_id,
      at,
      actor: { type: 'member', id, name: who.user.email },
      action,
      target,
      ...changed,
      origin: who.origin,
      client: 'session' in who ? who.session.client : who.client,
    });
}
