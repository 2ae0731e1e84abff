import type { Role } from '../../shared/contract/fields.ts';
import type { Tx } from '../store/store.ts';
import type { UserRow } from '../store/tables.ts';
import type { Deps } from './deps.ts';

export interface NewUser {
  /** Given where something else already refers to it. */
  id?: string;
  name: string;
  /** In the form in which addresses are compared. */
  email: string;
  /** Null where another way of signing in is there or comes. */
  passwordHash: string | null;
}

/** Opens an account, in the transaction of what it is opened for. The database refuses a second one of an address. */
export async function insertUser(deps: Deps, tx: Tx, person: NewUser, now: number): Promise<UserRow> {
  const { id = deps.newId('usr'), name, email, passwordHash } = person;
  const user = { id, name, email, password_hash: passwordHash, created_at: now, disabled_at: null };
  await tx.insertInto('user').values(user).execute();
  return user;
}

/**
 * Makes a person a member, not suspended. The audit row is the caller's, who knows by what way they came.
 * @returns the id of the membership
 */
export async function insertMembership(
  deps: Deps,
  tx: Tx,
  { workspaceId, userId, role }: { workspaceId: string; userId: string; role: Role },
  now: number,
): Promise<string> {
  const id = deps.newId('mem');
  const row = { id, workspace_id: workspaceId, user_id: userId, role, joined_at: now, suspended_at: null };
  await tx.insertInto('membership').values(row).execute();
  return id;
}
