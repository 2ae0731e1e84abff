import { type ExpressionBuilder, sql } from 'kysely';
import type { KeyStatus } from '../../shared/contract/keys.ts';
import { EXPIRING_SOON_MS, type Expiration } from '../../shared/expiry.ts';
import type { Environment } from '../../shared/key-format.ts';
import type { Reading } from './store.ts';
import type { KeyRow, Tables } from './tables.ts';

export interface KeyFilter {
  workspaceId: string;
  /** Keys that this membership owns or owned; undefined for everyone's. */
  ownerId: string | undefined;
  status: KeyStatus | undefined;
  expiration: Expiration | undefined;
  environment: Environment | undefined;
  /** Folded text to be found in name or prefix. */
  text: string | undefined;
}

type Where = ExpressionBuilder<Tables, 'api_key'>;
type Column = 'expires_at' | 'revoked_at' | 'workspace_id';

/** A unary plus keeps SQLite from choosing an index by this column: the listing index has every filter in the right order. */
const plain = (column: Column) => sql<number | null>`+${sql.ref(column)}`;

/** `domain/status.ts` says what the three are; this says it to the database. */
function expirationIs(eb: Where, expiration: Expiration, now: number) {
  const soon = now + EXPIRING_SOON_MS;
  const expiresAt = plain('expires_at');
  if (expiration === 'expired') return eb(expiresAt, '<=', now);
  if (expiration === 'expiring_soon') return eb.and([eb(expiresAt, '>', now), eb(expiresAt, '<=', soon)]);
  return eb.or([eb(expiresAt, 'is', null), eb(expiresAt, '>', soon)]);
}

/** Whether a row of `api_key` has a status; see `domain/status.ts`. */
export function statusIs(eb: Where, status: KeyStatus, now: number) {
  if (status === 'revoked') return eb(plain('revoked_at'), 'is not', null);
  const live = eb(plain('revoked_at'), 'is', null);
  if (status === 'disabled') return eb.and([live, eb('disabled_at', 'is not', null)]);
  return eb.and([live, eb('disabled_at', 'is', null), expirationIs(eb, status === 'active' ? 'valid' : status, now)]);
}

export interface Page {
  after: { at: number; id: string } | undefined;
  limit: number;
}

/**
 * The ids of a listing, newest first, after a position. Answered from one covering index, in which a filter that matches
 * little among many keys is a walk over narrow entries. Exported so that a test can ask for its plan.
 */
export function keyListQuery(db: Reading, filter: KeyFilter, { after, limit }: Page, now: number) {
  const { workspaceId, ownerId, status, expiration, environment, text } = filter;
  let query = db.selectFrom('api_key').select(['id', 'created_at']);
  query =
    ownerId === undefined
      ? query.where('workspace_id', '=', workspaceId)
      : query.where('owner_id', '=', ownerId).where(plain('workspace_id'), '=', workspaceId as never);
  if (environment) query = query.where('environment', '=', environment);
  if (status) query = query.where((eb) => statusIs(eb, status, now));
  if (expiration) query = query.where((eb) => expirationIs(eb, expiration, now));
  if (text) query = query.where(sql<boolean>`instr(search_text, ${text}) > 0`);
  if (after) query = query.where(sql<boolean>`(created_at, id) < (${after.at}, ${after.id})`);
  return query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1);
}

/** Up to `limit + 1` keys, newest first. */
export async function listKeyRows(db: Reading, filter: KeyFilter, page: Page, now: number): Promise<KeyRow[]> {
  const ids = await keyListQuery(db, filter, page, now).execute();
  if (!ids.length) return [];
  const rows = await db
    .selectFrom('api_key')
    .selectAll()
    .where(
      'id',
      'in',
      ids.map((row) => row.id),
    )
    .execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((row) => byId.get(row.id) ?? []);
}
