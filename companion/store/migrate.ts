import type Database from 'better-sqlite3';
import { first, firstActivity } from './migrations/001-first.ts';
import { agentPresence, agents } from './migrations/002-agents.ts';
import { auditChain } from './migrations/003-audit-chain.ts';
import { device } from './migrations/004-device.ts';
import { keyListing } from './migrations/005-key-listing.ts';
import { identity } from './migrations/006-identity.ts';
import { scim } from './migrations/007-scim.ts';
import { keySource } from './migrations/008-key-source.ts';
import { activityHours, jobs } from './migrations/009-jobs.ts';
import { usageBatch } from './migrations/010-usage-batch.ts';
import { agentTurn } from './migrations/011-agent-turn.ts';
import { heldPermissions } from './migrations/012-held-permissions.ts';
import { enrolledAgents } from './migrations/013-enrolled-agents.ts';
import { auditOrigin } from './migrations/014-audit-origin.ts';
import { scimExclusion } from './migrations/015-scim-exclusion.ts';
import { usePending } from './migrations/016-use-pending.ts';
import { formerMember } from './migrations/017-former-member.ts';
import { resetMaker } from './migrations/018-reset-maker.ts';
import { scimSecretMaker } from './migrations/019-scim-secret-maker.ts';
import { changeMark } from './migrations/020-change-mark.ts';
import { invitationOfDeleted } from './migrations/021-invitation-of-deleted.ts';

/** `HEEX` in ASCII: tells a database of ours from any other SQLite file. */
const APPLICATION_ID = 0x48454558;

/** Forward only. Position + 1 is the schema version; a released entry never changes. */
export const MIGRATIONS: readonly string[] = [
  first,
  agents,
  auditChain,
  device,
  keyListing,
  identity,
  scim,
  jobs,
  heldPermissions,
  enrolledAgents,
  auditOrigin,
  scimExclusion,
  formerMember,
  resetMaker,
  scimSecretMaker,
  changeMark,
  invitationOfDeleted,
];
export const ACTIVITY_MIGRATIONS: readonly string[] = [
  firstActivity,
  agentPresence,
  keySource,
  activityHours,
  usageBatch,
  agentTurn,
  usePending,
];

/** The database can't be used as it is; the message is one line for the operator. */
export class DatabaseRefused extends Error {}

const versionOf = (db: Database.Database) => db.pragma('user_version', { simple: true }) as number;

/** @throws DatabaseRefused when an existing file is not ours, or was written by a newer version */
export function checkVersion(db: Database.Database, migrations: readonly string[], file: string): void {
  const found = versionOf(db);
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID)
    throw new DatabaseRefused(`${file} is not a database of Heex Keys`);
  if (found > migrations.length)
    throw new DatabaseRefused(
      `${file} was written by a newer version of Heex Keys (schema ${found}, this one knows ${migrations.length})`,
    );
}

/**
 * Brings a new or existing database to the newest schema, each step in one transaction. Two processes may do it at once.
 * @throws DatabaseRefused as `checkVersion`
 */
export function migrate(db: Database.Database, migrations: readonly string[], file: string): void {
  db.pragma('busy_timeout = 10000');
  const step = db.transaction((to: number) => {
    if (versionOf(db) >= to) return;
    db.exec(migrations[to - 1] as string);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${to}`);
  });
  if (versionOf(db) > 0) checkVersion(db, migrations, file);
  for (let to = versionOf(db) + 1; to <= migrations.length; to++) step.immediate(to);
  db.pragma('busy_timeout = 0');
}
