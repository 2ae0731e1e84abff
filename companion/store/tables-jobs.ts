import type { Generated } from 'kysely';
import type { Environment } from '../../shared/key-format.ts';

/** A background job: when it is due, and how it last ended. */
export interface JobRow {
  name: string;
  next_at: number;
  started_at: number | null;
  /** Null while it runs, or when the process ended under it. */
  ended_at: number | null;
  outcome: 'ok' | 'failed' | null;
  detail: string | null;
}
/** Something that the owner of a key is told, once. */
export interface EventRow {
  seq: Generated<number>;
  workspace_id: string;
  membership_id: string;
  kind: 'key.expires';
  key_id: string;
  /** Tells two events of one kind and key apart. */
  about: string;
  at: number;
  /** JSON, as the interface shows it. */
  data: string;
}
/** The requests of a workspace and environment in an hour, by outcome. */
export interface UsageHourRow {
  workspace_id: string;
  environment: Environment;
  /** Hours since 1970-01-01 UTC. */
  hour: number;
  valid: number;
  unauthorized: number;
  forbidden: number;
  rate_limited: number;
}
