/** A command line that asks for a session; see `app/device.ts`. Times are milliseconds since 1970-01-01 UTC. */
export interface DeviceCodeRow {
  device_code_hash: string;
  /** Keyed: the code is short enough to be guessed from a plain hash. */
  user_code_hash: string;
  client_id: string;
  device_name: string;
  ip: string | null;
  created_at: number;
  expires_at: number;
  /** How long the device has to wait between two polls. */
  interval_ms: number;
  polled_at: number | null;
  decision: 'approved' | 'denied' | null;
  user_id: string | null;
  /** When the person who approved last proved who they are. */
  authenticated_at: number | null;
}

export interface DeviceTables {
  device_code: DeviceCodeRow;
}
