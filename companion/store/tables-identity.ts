/** How people sign in other than by a password that they know. */
export interface SsoRow {
  workspace_id: string;
  issuer: string;
  client_id: string;
  /** Sealed: readable only with the hash key, which is not in the database. */
  client_secret: string;
  name: string;
  /** A JSON list of e-mail domains. */
  domains: string;
  updated_at: number;
}
/** A person's account at an identity provider: found by issuer and subject alone. */
export interface IdentityRow {
  id: string;
  user_id: string;
  issuer: string;
  subject: string;
  /** As the provider said it when it was linked; only for show. */
  email: string | null;
  linked_at: number;
  last_used_at: number | null;
}
export interface PasskeyRow {
  id: string;
  user_id: string;
  /** base64url, as browsers say it. */
  credential_id: string;
  /** COSE key, base64url. */
  public_key: string;
  counter: number;
  transports: string;
  name: string;
  synced: 0 | 1;
  created_at: number;
  last_used_at: number | null;
}
export interface ResetTokenRow {
  token_hash: string;
  user_id: string;
  created_at: number;
  expires_at: number;
  /** The user who was handed the link; null where it was mailed. */
  made_by: string | null;
}
/** One-time values that were used, until they would have expired anyway. */
export interface SpentRow {
  hash: string;
  expires_at: number;
}

export interface IdentityTables {
  sso: SsoRow;
  identity: IdentityRow;
  passkey: PasskeyRow;
  reset_token: ResetTokenRow;
  spent: SpentRow;
}
