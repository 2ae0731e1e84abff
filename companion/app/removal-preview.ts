import { createHash } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import type { RemovalPreview } from '../../shared/contract/members.ts';
import { DAY_MS } from '../domain/time.ts';
import type { Reading } from '../store/store.ts';
import { type MemberCaller, SESSION_IDLE_MS } from './caller.ts';
import type { Deps } from './deps.ts';
import { findRemovable, type MemberWithPerson, showMember } from './members.ts';

/** How far back a use counts as one that will be missed. */
const WINDOW_DAYS = 30;
const SOURCES_SHOWN = 100;

/** What hangs on a membership, read in one statement, so that it is one moment's truth also without a transaction. */
export interface Hanging {
  keys: {
    id: string;
    name: string;
    prefix: string;
    environment: RemovalPreview['keys'][number]['environment'];
    createdAt: number;
    /** When the current secret was made: by the last rotation. */
    secretAt: number;
    disabledAt: number | null;
  }[];
  agents: { id: string; name: string; keyId: string; createdAt: number }[];
  sessions: number;
  /** Credentials of the workspace whose secret they were shown. */
  knownSecrets: RemovalPreview['knownSecrets'];
}

export async function readHanging(db: Reading, target: MemberWithPerson, now: number): Promise<Hanging> {
  // Plain SQL may have left any text there: it must not stand in the way of a removal.
  const shownTo = (author: RawBuilder<string>) =>
    sql`iif(json_valid(${author}), ${author} ->> '$.membershipId', null) = ${target.id}`;
  const { rows } = await sql<{ keys: string; agents: string; sessions: number; secrets: string }>`
    select
      (select json_group_array(json_object('id', k.id, 'name', k.name, 'prefix', s.prefix, 'environment', k.environment,
          'createdAt', k.created_at, 'secretAt', s.created_at, 'disabledAt', k.disabled_at) order by k.created_at, k.id)
        from api_key k join api_key_secret s on s.key_id = k.id and s.current = 1
        where k.membership_id = ${target.id} and k.revoked_at is null) as keys,
      (select json_group_array(json_object('id', id, 'name', name, 'keyId', enrolled_key_id, 'createdAt', created_at)
          order by created_at, id)
        from agent where enrolled_membership_id = ${target.id} and removed_at is null) as agents,
      (select count(*) from session where user_id = ${target.user_id}
        and expires_at > ${now} and last_used_at > ${now - SESSION_IDLE_MS}) as sessions,
      (select json_group_array(json_object('kind', kind, 'id', id, 'name', name) order by kind, name, id) from (
        select 'scim_token' as kind, id, name from scim_token
          where workspace_id = ${target.workspace_id} and ${shownTo(sql`coalesce(secret_by, created_by)`)}
        union all select 'verifier', id, name from verifier
          where workspace_id = ${target.workspace_id} and ${shownTo(sql`created_by`)})) as secrets`.execute(db);
  const row = rows[0];
  return {
    keys: JSON.parse(row?.keys ?? '[]') as Hanging['keys'],
    agents: JSON.parse(row?.agents ?? '[]') as Hanging['agents'],
    sessions: row?.sessions ?? 0,
    knownSecrets: JSON.parse(row?.secrets ?? '[]') as Hanging['knownSecrets'],
  };
}

/** Any number of ids as one parameter: SQLite takes 32,766 of those at most. */
const among = (ids: readonly string[]) => sql<string>`(select value from json_each(${JSON.stringify(ids)}))`;

/** Where each key was let through in the last 30 days, latest first. One query, however many keys. */
export async function readSources(deps: Deps, keyIds: readonly string[], now: number) {
  const since = now - WINDOW_DAYS * DAY_MS;
  const rows = await deps.store.activity.read
    .selectFrom('key_source')
    .select((f) => [
      'key_id',
      'purpose',
      'ip',
      'user_agent',
      f.fn.sum<number>('uses').as('uses'),
      f.fn.max<number>('last_at').as('at'),
      f.fn.min<number>('day').as('since_day'),
    ])
    .where('key_id', 'in', among(keyIds))
    .where('day', '>=', Math.floor(since / DAY_MS))
    .where('last_at', '>=', since)
    .groupBy(['key_id', 'purpose', 'ip', 'user_agent'])
    .orderBy('at', 'desc')
    .execute();
  return Map.groupBy(rows, (row) => row.key_id);
}
export type Sources = Awaited<ReturnType<typeof readSources>>;

export const directOf = (sources: Sources, keyId: string) =>
  (sources.get(keyId) ?? []).filter((source) => source.purpose === 'direct');

/** Which programs call with a key, and from where. */
const callersOf = (sources: Sources, keyId: string) =>
  [...new Set(directOf(sources, keyId).map(({ ip, user_agent }) => JSON.stringify([ip, user_agent])))].sort();

/** What an admin decides by. How often something was used is not part of it: a busy key would never hold still. */
export function versionOf(target: MemberWithPerson, hanging: Hanging, sources: Sources, at: number): string {
  const facts = [
    [target.id, target.role, target.suspended_at !== null],
    hanging.keys.map((key) => [key.id, key.prefix, key.disabledAt !== null, callersOf(sources, key.id)]),
    hanging.agents.map((agent) => agent.id),
    hanging.knownSecrets.map((secret) => secret.id),
  ];
  return `${at}.${createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 22)}`;
}

/** What removing this member would revoke, break and leave running. @throws Refusal not_found, forbidden */
export async function previewRemoval(deps: Deps, caller: MemberCaller, memberId: string): Promise<RemovalPreview> {
  await deps.usage.flush();
  const now = deps.now();
  const { read, activity } = deps.store;
  const target = await findRemovable(read, caller.member, memberId);
  const hanging = await readHanging(read, target, now);
  const ids = hanging.keys.map((key) => key.id);
  const sources = await readSources(deps, ids, now);
  const lastUses = await activity.read
    .selectFrom('secret_use')
    .select(['key_id', 'last_at', 'last_ip', 'last_user_agent'])
    .where('key_id', 'in', among(ids))
    .orderBy('last_at')
    .execute();
  // The latest of a key's secrets comes last, so it is the one that stays.
  const lastUse = new Map(lastUses.map((use) => [use.key_id, use]));
  return {
    version: versionOf(target, hanging, sources, now),
    member: showMember(target),
    keys: hanging.keys.map((key) => showKey(key, sources, lastUse.get(key.id))),
    agents: hanging.agents.map(({ id, name, keyId }) => ({ id, name, keyId })),
    sessions: hanging.sessions,
    knownSecrets: hanging.knownSecrets,
  };
}

function showKey(
  { id, name, prefix, environment }: Hanging['keys'][number],
  sources: Sources,
  last: { last_at: number; last_ip: string | null; last_user_agent: string | null } | undefined,
): RemovalPreview['keys'][number] {
  const direct = directOf(sources, id);
  const all = sources.get(id) ?? [];
  const sum = (of: typeof all) => of.reduce((total, source) => total + source.uses, 0);
  return {
    id,
    name,
    prefix,
    environment,
    directUses: sum(direct),
    enrolments: sum(all) - sum(direct),
    lastUsed: last
      ? { at: new Date(last.last_at).toISOString(), ip: last.last_ip, userAgent: last.last_user_agent }
      : null,
    sources: direct.slice(0, SOURCES_SHOWN).map((source) => ({
      ip: source.ip || null,
      userAgent: source.user_agent || null,
      uses: source.uses,
      lastAt: new Date(source.at).toISOString(),
    })),
    moreSources: Math.max(0, direct.length - SOURCES_SHOWN),
  };
}
