import type { KeyEvent } from '../../../shared/contract/overview.ts';
import { DAY_MS } from '../../domain/time.ts';
import { dueWarning, WARN_DAYS, type WarnDays } from '../../domain/warnings.ts';
import type { Reading } from '../../store/store.ts';
import type { Deps } from '../deps.ts';
import { mailExpiry } from '../keys/mail.ts';
import type { BackgroundJob } from './job.ts';

const AT_ONCE = 200;

/** Working keys of all workspaces that expire within the first warning, soonest first. */
function findExpiring(db: Reading, workspaceId: string, now: number, after: { at: number; id: string }) {
  return db
    .selectFrom('api_key')
    .innerJoin('api_key_secret', 'api_key_secret.key_id', 'api_key.id')
    .innerJoin('membership', 'membership.id', 'api_key.membership_id')
    .innerJoin('user', 'user.id', 'membership.user_id')
    .innerJoin('workspace', 'workspace.id', 'api_key.workspace_id')
    .select([
      'api_key.id',
      'api_key.name',
      'api_key.environment',
      'api_key.workspace_id',
      'api_key.membership_id',
      'api_key.technical_owner as technicalOwner',
      'api_key.expires_at',
      'api_key_secret.prefix',
      'api_key_secret.created_at as set_at',
      'user.email as owner',
      'workspace.name as workspace',
    ])
    .where('api_key.workspace_id', '=', workspaceId)
    .where('api_key.revoked_at', 'is', null)
    .where('api_key.disabled_at', 'is', null)
    .where('api_key_secret.current', '=', 1)
    .where('api_key.expires_at', '<=', now + Math.max(...WARN_DAYS) * DAY_MS)
    .where((is) =>
      is.or([
        is('api_key.expires_at', '>', after.at),
        is.and([is('api_key.expires_at', '=', after.at), is('api_key.id', '>', after.id)]),
      ]),
    )
    .where('api_key.expires_at', '>=', after.at)
    .orderBy('api_key.expires_at')
    .orderBy('api_key.id')
    .limit(AT_ONCE)
    .execute();
}
export type ExpiringKey = Awaited<ReturnType<typeof findExpiring>>[number];
interface Warning {
  key: ExpiringKey;
  expiresAt: number;
  days: WarnDays;
}

const about = ({ expiresAt, days }: Warning) => `${expiresAt} ${days}`;

/** Notes the warnings that were not given before, and tells which these are. */
async function note(deps: Deps, warnings: readonly Warning[], now: number): Promise<Warning[]> {
  if (!warnings.length) return [];
  return deps.store.transact(async (tx) => {
    const fresh: Warning[] = [];
    for (const warning of warnings) {
      const { key, expiresAt, days } = warning;
      const data: Omit<KeyEvent, 'id' | 'at' | 'kind'> = {
        keyId: key.id,
        keyName: key.name,
        prefix: key.prefix,
        expiresAt: new Date(expiresAt).toISOString(),
        daysBefore: days,
      };
      const { numInsertedOrUpdatedRows } = await tx
        .insertInto('event')
        .values({
          workspace_id: key.workspace_id,
          membership_id: key.membership_id as string,
          kind: 'key.expires',
          key_id: key.id,
          about: about(warning),
          at: now,
          data: JSON.stringify(data),
        })
        .onConflict((c) => c.doNothing())
        .executeTakeFirstOrThrow();
      if (numInsertedOrUpdatedRows) fresh.push(warning);
    }
    return fresh;
  });
}

/** Leaves out what was noted before, without taking the write lock. */
async function notNoted(db: Reading, warnings: readonly Warning[]): Promise<Warning[]> {
  if (!warnings.length) return [];
  const rows = await db
    .selectFrom('event')
    .select(['key_id', 'about'])
    .where('kind', '=', 'key.expires')
    .where(
      'key_id',
      'in',
      warnings.map(({ key }) => key.id),
    )
    .execute();
  const noted = new Set(rows.map((row) => `${row.key_id} ${row.about}`));
  return warnings.filter((warning) => !noted.has(`${warning.key.id} ${about(warning)}`));
}

async function warnIn(deps: Deps, workspaceId: string, now: number): Promise<number> {
  let given = 0;
  for (let after = { at: now, id: '' }; ; ) {
    const keys = await findExpiring(deps.store.read, workspaceId, now, after);
    const due = keys.flatMap((key): Warning[] => {
      const expiresAt = key.expires_at as number;
      const days = dueWarning(expiresAt, key.set_at, now);
      return days === undefined ? [] : [{ key, expiresAt, days }];
    });
    const fresh = await note(deps, await notNoted(deps.store.read, due), now);
    for (const { key, expiresAt, days } of fresh) mailExpiry(deps, key, expiresAt, days);
    given += fresh.length;
    const last = keys.at(-1);
    if (!last || keys.length < AT_ONCE) return given;
    after = { at: last.expires_at as number, id: last.id };
  }
}

/** Warns the owner of a key 14, 7 and 1 days before it expires, once each: as an event, and by mail where there is any. */
export const expiryWarnings: BackgroundJob = {
  name: 'expiry-warnings',
  summary: 'Warns the owners of keys 14, 7 and 1 days before these expire',
  everyMs: 10 * 60_000,
  async run(deps) {
    const now = deps.now();
    const workspaces = await deps.store.read.selectFrom('workspace').select('id').execute();
    let given = 0;
    for (const { id } of workspaces) given += await warnIn(deps, id, now);
    return `${given} warned`;
  },
};
