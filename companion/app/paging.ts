import { type RawBuilder, sql } from 'kysely';
import { badField } from '../domain/refusal.ts';

/** Where a list goes on: after the row with this time and id, in the list's own order. */
export interface Position {
  at: number;
  id: string;
}

/** The position that a cursor stands for. @throws Refusal bad_request when it is not one that a list handed out */
export function readCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  const match = /^(-?\d{1,16})\.([A-Za-z0-9_-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (!match?.[1] || !match[2]) throw badField('cursor', 'is not a cursor of this list');
  return { at: Number(match[1]), id: match[2] };
}

/** The cursor that stands for a position. */
export function cursorAt({ at, id }: Position): string {
  return Buffer.from(`${at}.${id}`, 'latin1').toString('base64url');
}

/** In a list that is newest first, that a row comes after the position. @param table where several tables have such columns */
export function olderThan({ at, id }: Position, table = ''): RawBuilder<boolean> {
  const column = (name: string) => sql.ref(table ? `${table}.${name}` : name);
  return sql<boolean>`(${column('created_at')}, ${column('id')}) < (${at}, ${id})`;
}

/**
 * One page of a list.
 * @param rows one more than `limit` where there is more
 */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  position: (row: Row) => Position,
  show: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined ? position(last) : undefined;
  return {
    items: shown.map(show),
    nextCursor: more ? cursorAt(more) : null,
  };
}
