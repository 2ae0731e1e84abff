export interface AgentRow {
  id: string;
  workspace_id: string;
  name: string;
  /** The 32 bytes of the Ed25519 key in base64url: the `x` of its JWK. */
  public_key: string;
  /** RFC 7638, SHA-256, base64url. Unique for ever, removed agents included. */
  public_key_thumbprint: string;
  /** The key that it was enrolled with. No foreign key: what becomes of that key is nothing to the agent. */
  enrolled_key_id: string;
  /** As it was then: `{ name, prefix }`. */
  enrolled_key: string;
  /** The member who enrolled it; stays when they leave, for a member's id is never given out again. */
  enrolled_membership_id: string | null;
  /** As it was then: `{ membershipId, name, email }`. */
  enrolled_by: string;
  created_at: number;
  /** Final: the same public key never enrols again. */
  removed_at: number | null;
}

/** Where an agent is connected, or was last. In the activity file. */
export interface AgentPresenceRow {
  agent_id: string;
  workspace_id: string;
  /** The companion process that holds the connection; null once it ended. */
  process_id: string | null;
  connected_at: number;
  last_seen_at: number;
  version: string | null;
  host_name: string | null;
  platform: string | null;
  ip: string | null;
  /** Of two connections of an agent, that with the higher number is the newer one. */
  turn: number;
}

/** The last turn that was taken. In the activity file. */
export interface AgentTurnRow {
  one: 1;
  last: number;
}

/** A companion process with agents on it. One that stopped beating has none any more. */
export interface CompanionProcessRow {
  id: string;
  beat_at: number;
}
