// Times are milliseconds since 1970-01-01 UTC.

/** The bearer token of an identity provider. */
export interface ScimTokenRow {
  id: string;
  workspace_id: string;
  name: string;
  prefix: string;
  hash: string;
  created_by: string;
  created_at: number;
  /** Who rotated it last; null where nobody did. */
  secret_by: string | null;
  /** Written at most once a minute. */
  last_used_at: number | null;
}
export interface ScimSettingRow {
  workspace_id: string;
  /** What `active: false` does to a member. */
  deactivation: 'remove' | 'suspend';
}
/** A person as the identity provider knows them, member or (deactivated) not any more. */
export interface ScimUserRow {
  workspace_id: string;
  user_id: string;
  user_name_folded: string;
  external_id: string | null;
  /** JSON: the attributes that are kept, `active` apart. */
  attributes: string;
  /** Also the `suspended_at` of a membership that this suspended. */
  deactivated_at: number | null;
  created_at: number;
  modified_at: number;
}
/** Whom the identity provider keeps out of a workspace, also after the resource is gone. */
export interface ScimExclusionRow {
  workspace_id: string;
  user_id: string;
  at: number;
}

/** Who left a workspace, by whatever way. */
export interface FormerMemberRow {
  workspace_id: string;
  user_id: string;
  left_at: number;
}

export interface ScimTables {
  scim_token: ScimTokenRow;
  scim_setting: ScimSettingRow;
  scim_user: ScimUserRow;
  scim_exclusion: ScimExclusionRow;
  former_member: FormerMemberRow;
}
