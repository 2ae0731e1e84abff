import type { Generated, GeneratedAlways } from 'kysely';
import type { Role } from '../../shared/contract/fields.ts';
import type { RevokeReason } from '../../shared/contract/keys.ts';
import type { Environment } from '../../shared/key-format.ts';
import type { AgentPresenceRow, AgentRow, AgentTurnRow, CompanionProcessRow } from './tables-agents.ts';
import type { DeviceTables } from './tables-device.ts';
import type { IdentityTables } from './tables-identity.ts';
import type { EventRow, JobRow, UsageHourRow } from './tables-jobs.ts';
import type { ScimTables } from './tables-scim.ts';

// Times are integers: milliseconds since 1970-01-01 UTC. Lists and objects are JSON text. Hashes are lower-case hex.

export interface WorkspaceRow {
  id: string;
  name: string;
  plan: 'starter' | 'team';
  key_limit: number;
  max_key_lifetime_days: number | null;
  created_at: number;
}
export interface UserRow {
  id: string;
  name: string;
  email: string;
  password_hash: string | null;
  created_at: number;
  /** Deprovisioned by the identity provider: no way of signing in works. */
  disabled_at: number | null;
}
export interface MembershipRow {
  id: string;
  workspace_id: string;
  user_id: string;
  role: Role;
  joined_at: number;
  suspended_at: number | null;
}
export interface InvitationRow {
  id: string;
  workspace_id: string;
  email: string;
  role: Role;
  token_hash: string;
  invited_by: string;
  created_at: number;
  expires_at: number;
  accepted_at: number | null;
  withdrawn_at: number | null;
}
export interface SessionRow {
  id: string;
  user_id: string;
  token_hash: string;
  client: 'web' | 'extension' | 'cli' | 'api';
  label: string;
  ip: string | null;
  user_agent: string | null;
  created_at: number;
  /** Written at most once a minute. */
  last_used_at: number;
  expires_at: number;
  /** When the person last proved who they are. */
  authenticated_at: number;
}
export interface GroupRow {
  id: string;
  workspace_id: string;
  name: string;
  description: string;
  permissions: string;
  created_at: number;
}
export interface KeyRow {
  id: string;
  workspace_id: string;
  /** Null once the member has left; only a revoked key can be without. */
  membership_id: string | null;
  /** As it was at creation, so that it stays readable when the member has left: `{membershipId, name, email}`. */
  created_by: string;
  name: string;
  /** The name as it is compared: case and compatibility forms folded. */
  name_folded: string;
  description: string;
  environment: Environment;
  group_id: string | null;
  /** The narrowing; null means everything that the group holds. */
  permissions: string | null;
  customers: string;
  ip_allowlist: string;
  rate_limit: number | null;
  rate_window_seconds: number | null;
  technical_owner: string | null;
  expires_at: number | null;
  created_at: number;
  disabled_at: number | null;
  revoked_at: number | null;
  revoked_reason: RevokeReason | null;
  /** What a revoked key was allowed, once its group was changed or deleted; null before. The database keeps it by itself. */
  held_permissions?: string | null | undefined;
}
/** What the database keeps about a key by itself. */
export interface KeyTable extends KeyRow {
  /** The membership that it was issued to, also when that one is gone: taken from `created_by`. */
  owner_id: GeneratedAlways<string>;
  /** What a search looks through, folded: the name and the prefixes. */
  search_text: GeneratedAlways<string>;
}
export interface KeySecretRow {
  id: string;
  key_id: string;
  prefix: string;
  hash: string;
  created_at: number;
  /** 1 for the newest secret of the key. */
  current: 0 | 1;
  /** When an old secret stops (or stopped); null for the current one, which stops with the key. */
  ends_at: number | null;
}
export interface VerifierRow {
  id: string;
  workspace_id: string;
  name: string;
  environment: Environment;
  prefix: string;
  hash: string;
  created_by: string;
  created_at: number;
}
export interface AuditRow {
  seq: Generated<number>;
  workspace_id: string;
  at: number;
  actor: string;
  action: string;
  target: string;
  before: string | null;
  after: string | null;
  ip: string | null;
  client: string | null;
  /** Null until it is sealed into the chain, in the same transaction unless plain SQL wrote it. */
  hash: string | null;
  /** What plain SQL wrote, itself or through a trigger; null for what a companion did. Set when it is sealed. */
  source: Generated<'outside' | null>;
}
/** The last sealed row of a workspace's audit log; see `audit-chain.ts`. */
export interface AuditHeadRow {
  workspace_id: string;
  seq: number;
  hash: string;
  seal: string;
}
/** The one row that tells a trigger who acts; there only while a transaction runs. */
export interface ActingRow {
  id: 1;
  at: number;
  actor: string;
  ip: string | null;
  client: string | null;
}
export const CHANGE_KINDS = ['key', 'group', 'member', 'verifier', 'agent', 'workspace'] as const;
export interface ChangeRow {
  seq: Generated<number>;
  kind: (typeof CHANGE_KINDS)[number];
  id: string;
  workspace_id: string;
  /** Drawn by the database: of two changes with one number, in a restored database and in the one before, it tells which. */
  mark: Generated<string>;
}
export interface IdempotencyRow {
  membership_id: string;
  endpoint: string;
  key: string;
  body_hash: string;
  /** The id of what was made. */
  result_id: string;
  created_at: number;
}
export interface SetupTokenRow {
  token_hash: string;
  created_at: number;
}
export interface ConnectCodeRow {
  code_hash: string;
  user_id: string;
  challenge: string;
  label: string;
  authenticated_at: number;
  expires_at: number;
}

export interface Tables extends DeviceTables, IdentityTables, ScimTables {
  workspace: WorkspaceRow;
  user: UserRow;
  membership: MembershipRow;
  invitation: InvitationRow;
  session: SessionRow;
  authorization_group: GroupRow;
  api_key: KeyTable;
  api_key_secret: KeySecretRow;
  verifier: VerifierRow;
  audit: AuditRow;
  audit_head: AuditHeadRow;
  acting: ActingRow;
  change: ChangeRow;
  idempotency: IdempotencyRow;
  meta: { name: string; value: string };
  setup_token: SetupTokenRow;
  connect_code: ConnectCodeRow;
  agent: AgentRow;
  job: JobRow;
  event: EventRow;
}

// The second file: activity. It has its own writer, so that counting neither moves the change feed nor waits for a disk.

export interface SecretUseRow {
  secret_id: string;
  key_id: string;
  uses: number;
  last_at: number;
  last_ip: string | null;
  last_user_agent: string | null;
}
export interface UsageDayRow {
  key_id: string;
  workspace_id: string;
  /** Days since 1970-01-01 UTC. */
  day: number;
  valid: number;
  unauthorized: number;
  forbidden: number;
  rate_limited: number;
}
export interface RequestRow {
  seq: Generated<number>;
  request_id: string;
  workspace_id: string;
  key_id: string;
  secret_id: string | null;
  prefix: string;
  at: number;
  outcome: 'valid' | 'unauthorized' | 'forbidden' | 'rate_limited';
  code: string;
  purpose: 'direct' | 'enrolment';
  verifier_id: string | null;
  ip: string | null;
  user_agent: string | null;
}
/** Uses of a key that were let through, by day and by where they came from; empty text where it is not known. */
export interface KeySourceRow {
  key_id: string;
  /** Days since 1970-01-01 UTC. */
  day: number;
  purpose: 'direct' | 'enrolment';
  ip: string;
  user_agent: string;
  uses: number;
  last_at: number;
}
export interface VerifierUseRow {
  verifier_id: string;
  last_at: number;
}
export interface UsageBatchRow {
  verifier_id: string;
  name: string;
  at: number;
}
export interface ActivityTables {
  usage_batch: UsageBatchRow;
  secret_use: SecretUseRow;
  usage_day: UsageDayRow;
  request: RequestRow;
  key_source: KeySourceRow;
  verifier_use: VerifierUseRow;
  usage_hour: UsageHourRow;
  agent_presence: AgentPresenceRow;
  companion_process: CompanionProcessRow;
  agent_turn: AgentTurnRow;
}
