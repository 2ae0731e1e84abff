import type { FieldError } from '../../shared/contract/errors.ts';
import { DAY_MS } from '../domain/time.ts';
import type { Reading } from '../store/store.ts';
import { part } from './audit-log.ts';
import type { Deps } from './deps.ts';
import type { MemberWithPerson } from './members.ts';
import { directOf, type Hanging, readSources, type Sources, versionOf } from './removal-preview.ts';

/** New callers of a key that are told one by one. */
const MOST_CALLERS = 3;
/** Requests of a key that are looked through for who called before: a few milliseconds, for which verification waits. */
const MOST_LOOKED_AT = 5000;

/** A preview that is told from now: the member, what hangs on them, and the time of the preview. */
interface Then {
  target: MemberWithPerson;
  hanging: Hanging;
  sources: Sources;
  /** When the preview was made. */
  since: number;
}

/**
 * What has changed since a preview, one entry for each thing; empty when it still holds. Called inside the removal.
 * @param versions those of `If-Match`
 */
export async function changedSince(
  deps: Deps,
  tx: Reading,
  target: MemberWithPerson,
  hanging: Hanging,
  versions: readonly string[],
  now: number,
): Promise<FieldError[]> {
  const sources = await readSources(
    deps,
    hanging.keys.map((key) => key.id),
    now,
  );
  const hashOf = (version: string) => version.split('.')[1];
  const present = hashOf(versionOf(target, hanging, sources, now));
  if (versions.some((version) => hashOf(version) === present)) return [];
  const since = Math.max(0, ...versions.map((version) => Number.parseInt(version, 10) || 0));
  const then = { target, hanging, sources, since };
  // Of a preview that is older, or was none, everything may have changed.
  const changes =
    since < now - DAY_MS
      ? []
      : [...(await memberChanges(tx, then)), ...(await keyChanges(deps, tx, then)), ...(await agentChanges(tx, then))];
  return changes.length
    ? changes
    : [
        {
          path: 'member',
          message:
            'has changed in role, status, keys, agents, in what calls with the keys or in which secrets they know',
        },
      ];
}

/** Which of these happened to the member or a key, by the audit log: where it leaves no time of its own. */
async function happened(tx: Reading, { target, since }: Then): Promise<Set<string>> {
  const all = tx.selectFrom('audit').where('workspace_id', '=', target.workspace_id);
  const before = await all.select('seq').where('at', '<', since).orderBy('seq', 'desc').limit(1).executeTakeFirst();
  const rows = await all
    .select(['action', part('target', 'id').as('id')])
    .where('seq', '>', before?.seq ?? 0)
    .where('action', 'in', ['key.enabled', 'member.role_changed', 'member.reinstated'])
    .execute();
  return new Set(rows.map(({ action, id }) => `${action} ${id}`));
}

async function memberChanges(tx: Reading, then: Then): Promise<FieldError[]> {
  const { target, since } = then;
  const log = await happened(tx, then);
  const changes: FieldError[] = [];
  const say = (path: string, message: string) => changes.push({ path, message });
  if (log.has(`member.role_changed ${target.id}`)) say('member', `has the role ${target.role} now`);
  if (target.suspended_at !== null && target.suspended_at >= since) say('member', 'was suspended');
  if (target.suspended_at === null && log.has(`member.reinstated ${target.id}`)) say('member', 'was reinstated');
  for (const { id, name, disabledAt } of then.hanging.keys)
    if (disabledAt === null && log.has(`key.enabled ${id}`)) say(`keys.${id}`, `“${name}” was enabled`);
  return changes;
}

async function keyChanges(deps: Deps, tx: Reading, { target, hanging, sources, since }: Then): Promise<FieldError[]> {
  const gone = await tx
    .selectFrom('api_key')
    .select(['id', 'name'])
    .where('membership_id', '=', target.id)
    .where('revoked_at', '>=', since)
    .execute();
  const changes: FieldError[] = gone.map(({ id, name }) => ({ path: `keys.${id}`, message: `“${name}” was revoked` }));
  for (const key of hanging.keys) {
    const say = (what: string) => changes.push({ path: `keys.${key.id}`, message: `“${key.name}” ${what}` });
    if (key.createdAt >= since) say('was made');
    else if (key.secretAt >= since) say('was rotated');
    if (key.createdAt < since && key.disabledAt !== null && key.disabledAt >= since) say('was disabled');
    const callers = await newCallers(deps, key.id, sources, since);
    for (const { ip, user_agent } of callers.slice(0, MOST_CALLERS))
      say(`was used directly${ip && ` from ${ip}`}${user_agent && ` by ${user_agent}`}`);
    if (callers.length > MOST_CALLERS) say(`was used directly from ${callers.length - MOST_CALLERS} more places`);
  }
  return changes;
}

/** Who began to call with a key after the preview; the request log tells those of the same day apart. */
async function newCallers({ store }: Deps, keyId: string, sources: Sources, since: number) {
  const candidates = directOf(sources, keyId).filter(
    (source) => source.at >= since && source.since_day >= Math.floor(since / DAY_MS),
  );
  if (!candidates.length) return [];
  const latest = store.activity.read
    .selectFrom('request')
    .select(['at', 'ip', 'user_agent'])
    .where('key_id', '=', keyId)
    .where('purpose', '=', 'direct')
    .where('outcome', 'in', ['valid', 'rate_limited'])
    .orderBy('seq', 'desc')
    .limit(MOST_LOOKED_AT);
  const earlier = await store.activity.read
    .selectFrom(latest.as('latest'))
    .select(['ip', 'user_agent'])
    .distinct()
    .where('at', '<', since)
    .execute();
  const known = new Set(earlier.map(({ ip, user_agent }) => JSON.stringify([ip ?? '', user_agent ?? ''])));
  return candidates.filter(({ ip, user_agent }) => !known.has(JSON.stringify([ip, user_agent])));
}

async function agentChanges(tx: Reading, { target, since }: Then): Promise<FieldError[]> {
  const agents = await tx
    .selectFrom('agent')
    .select(['id', 'name', 'removed_at'])
    .where('enrolled_membership_id', '=', target.id)
    .where((is) => is.or([is('created_at', '>=', since), is('removed_at', '>=', since)]))
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return agents.map(({ id, name, removed_at }) => ({
    path: `agents.${id}`,
    message: `“${name}” was ${removed_at === null ? 'enrolled' : 'removed'}`,
  }));
}
