// Not unixepoch('subsec'): the sqlite3 shell of a stable distribution may be older than it (SQLite 3.42).
export const NOW = `coalesce((select at from acting), cast((julianday('now') - 2440587.5) * 86400000 as integer))`;

/**
 * The first schema. Plain SQL, so that what the database itself guarantees can be read in one place:
 * a key that is not revoked belongs to a member who exists, whoever deletes what, also from the `sqlite3` shell.
 */
export const first = `
create table workspace (
  id text primary key, name text not null, plan text not null check (plan in ('starter', 'team')),
  key_limit integer not null check (key_limit >= 0), max_key_lifetime_days integer, created_at integer not null
) strict, without rowid;

create table user (
  id text primary key, name text not null, email text not null unique, password_hash text,
  created_at integer not null, disabled_at integer
) strict, without rowid;

create table membership (
  id text primary key,
  workspace_id text not null references workspace on delete cascade,
  user_id text not null references user on delete cascade,
  role text not null check (role in ('owner', 'admin', 'member')),
  joined_at integer not null, suspended_at integer,
  unique (workspace_id, user_id)
) strict, without rowid;
create index membership_user on membership (user_id);

create table invitation (
  id text primary key, workspace_id text not null references workspace on delete cascade,
  email text not null, role text not null, token_hash text not null unique, invited_by text not null,
  created_at integer not null, expires_at integer not null, accepted_at integer, withdrawn_at integer
) strict;
create index invitation_workspace on invitation (workspace_id, created_at, id);

create table session (
  id text primary key, user_id text not null references user on delete cascade,
  token_hash text not null unique, client text not null, label text not null, ip text, user_agent text,
  created_at integer not null, last_used_at integer not null, expires_at integer not null, authenticated_at integer not null
) strict;
create index session_user on session (user_id);

create table authorization_group (
  id text primary key, workspace_id text not null references workspace on delete cascade,
  name text not null, description text not null, permissions text not null, created_at integer not null,
  unique (workspace_id, name)
) strict;

-- Keys outlive their member, their group and even the workspace row: history is kept.
create table api_key (
  id text primary key, workspace_id text not null,
  membership_id text references membership on delete set null,
  created_by text not null, name text not null, name_folded text not null, description text not null,
  environment text not null check (environment in ('production', 'staging', 'development')),
  group_id text references authorization_group on delete set null,
  permissions text, customers text not null, ip_allowlist text not null,
  rate_limit integer, rate_window_seconds integer, technical_owner text,
  expires_at integer, created_at integer not null, disabled_at integer, revoked_at integer, revoked_reason text,
  check (membership_id is not null or revoked_at is not null),
  check ((revoked_at is null) = (revoked_reason is null)),
  check ((rate_limit is null) = (rate_window_seconds is null))
) strict, without rowid;
create unique index api_key_name on api_key (membership_id, name_folded) where revoked_at is null;
create index api_key_listed on api_key (workspace_id, created_at desc, id desc);
create index api_key_owner on api_key (membership_id, created_at desc, id desc);
create index api_key_live on api_key (workspace_id, expires_at) where revoked_at is null;
create index api_key_group on api_key (group_id) where revoked_at is null;

create table api_key_secret (
  id text primary key, key_id text not null references api_key on delete cascade,
  prefix text not null, hash text not null unique, created_at integer not null,
  current integer not null check (current in (0, 1)), ends_at integer,
  check (current = 1 or ends_at is not null)
) strict;
create unique index api_key_secret_current on api_key_secret (key_id) where current = 1;
create index api_key_secret_key on api_key_secret (key_id, created_at);

create table verifier (
  id text primary key, workspace_id text not null references workspace on delete cascade, name text not null,
  environment text not null, prefix text not null, hash text not null unique, created_by text not null, created_at integer not null
) strict;

create table audit (
  seq integer primary key autoincrement, workspace_id text not null, at integer not null, actor text not null,
  action text not null, target text not null, before text, after text, ip text, client text, hash text
) strict;
create index audit_workspace on audit (workspace_id, seq);
create index audit_unsealed on audit (seq) where hash is null;
create table acting (
  id integer primary key check (id = 1), at integer not null, actor text not null, ip text, client text
) strict;

create table change (
  seq integer primary key autoincrement, kind text not null, id text not null, workspace_id text not null
) strict;

create table idempotency (
  membership_id text not null references membership on delete cascade, endpoint text not null, key text not null,
  body_hash text not null, result_id text not null, created_at integer not null,
  primary key (membership_id, endpoint, key)
) strict;

create table meta (name text primary key, value text not null) strict;
create table setup_token (token_hash text primary key, created_at integer not null) strict;
create table connect_code (
  code_hash text primary key, user_id text not null references user on delete cascade, challenge text not null,
  label text not null, authenticated_at integer not null, expires_at integer not null
) strict;

-- 1. Leaving. BEFORE, since the actions of foreign keys run ahead of AFTER triggers and would empty membership_id first.
create trigger membership_leaves before delete on membership begin
  insert into audit (workspace_id, at, actor, action, target, before, after, ip, client)
  select old.workspace_id, ${NOW},
    coalesce((select actor from acting), json_object('type', 'database')), 'member.removed',
    json_object('type', 'member', 'id', old.id, 'name', (select email from user where id = old.user_id)),
    json_object('role', old.role, 'userId', old.user_id), null,
    (select ip from acting), (select client from acting);
  insert into audit (workspace_id, at, actor, action, target, before, after, ip, client)
  select k.workspace_id, ${NOW},
    coalesce((select actor from acting), json_object('type', 'database')), 'key.revoked',
    json_object('type', 'key', 'id', k.id, 'name', k.name),
    json_object('status', 'live'), json_object('status', 'revoked', 'reason', 'member_left'),
    (select ip from acting), (select client from acting)
  from api_key k where k.membership_id = old.id and k.revoked_at is null order by k.created_at, k.id;
  update api_key set revoked_at = ${NOW}, revoked_reason = 'member_left', membership_id = null
    where membership_id = old.id and revoked_at is null;
  -- Here and below: foreign keys are off in the sqlite3 shell, so nothing is left to their actions.
  update api_key set membership_id = null where membership_id = old.id;
  delete from session where user_id = old.user_id;
  delete from connect_code where user_id = old.user_id;
  delete from idempotency where membership_id = old.id;
  insert into change (kind, id, workspace_id) values ('member', old.id, old.workspace_id);
end;
create trigger user_leaves before delete on user begin
  delete from membership where user_id = old.id;
end;
create trigger workspace_leaves before delete on workspace begin
  delete from membership where workspace_id = old.id;
end;

-- INSERT OR REPLACE deletes without running delete triggers: it is refused, and the tables above have no rowid to replace by. Ids and belonging never change.
create trigger membership_unique before insert on membership
  when exists (select 1 from membership where id = new.id or (workspace_id = new.workspace_id and user_id = new.user_id))
  begin select raise(abort, 'UNIQUE constraint failed: membership'); end;
create trigger user_unique before insert on user
  when exists (select 1 from user where id = new.id or email = new.email)
  begin select raise(abort, 'UNIQUE constraint failed: user'); end;
create trigger workspace_unique before insert on workspace when exists (select 1 from workspace where id = new.id)
  begin select raise(abort, 'UNIQUE constraint failed: workspace'); end;
create trigger membership_fixed before update of id, workspace_id, user_id on membership
  when new.id <> old.id or new.workspace_id <> old.workspace_id or new.user_id <> old.user_id
  begin select raise(abort, 'a membership does not change hands'); end;
create trigger user_fixed before update of id, email on user
  when new.id <> old.id or exists (select 1 from user where email = new.email and id <> old.id)
  begin select raise(abort, 'UNIQUE constraint failed: user'); end;
create trigger workspace_fixed before update of id on workspace when new.id <> old.id
  begin select raise(abort, 'the id of a workspace does not change'); end;

-- A key is issued to a member who exists, stays with them, and never comes back from being revoked.
create trigger api_key_issued before insert on api_key
  when new.revoked_at is null and not exists (select 1 from membership where id = new.membership_id and workspace_id = new.workspace_id)
  begin select raise(abort, 'a live key needs a live member'); end;
create trigger api_key_unique before insert on api_key
  when exists (select 1 from api_key where id = new.id) or (new.revoked_at is null and exists
    (select 1 from api_key where membership_id = new.membership_id and name_folded = new.name_folded and revoked_at is null))
  begin select raise(abort, 'UNIQUE constraint failed: api_key'); end;
create trigger api_key_name_taken before update of name_folded on api_key
  when new.name_folded <> old.name_folded and new.revoked_at is null and exists (select 1 from api_key
    where membership_id = new.membership_id and name_folded = new.name_folded and revoked_at is null and id <> new.id)
  begin select raise(abort, 'UNIQUE constraint failed: api_key'); end;
create trigger api_key_stays before update of membership_id, workspace_id, id, environment on api_key
  when new.id <> old.id or new.workspace_id <> old.workspace_id or new.environment <> old.environment
    or (new.membership_id is not null and new.membership_id is not old.membership_id)
    or (new.membership_id is null and new.revoked_at is null)
  begin select raise(abort, 'a key does not change hands'); end;
create trigger api_key_final before update of revoked_at on api_key
  when old.revoked_at is not null and new.revoked_at is not old.revoked_at
  begin select raise(abort, 'a revoked key stays revoked'); end;
create trigger api_key_reason before update of revoked_reason on api_key
  when old.revoked_at is not null and new.revoked_reason is not old.revoked_reason
  begin select raise(abort, 'a revoked key stays revoked'); end;
create trigger api_key_kept before delete on api_key when old.revoked_at is null
  begin select raise(abort, 'revoke a key before deleting it'); end;

-- 2. The audit log only grows. The one change allowed is sealing a row into the chain.
create trigger audit_append_only before update on audit
  when old.hash is not null or new.hash is null or new.seq <> old.seq or new.workspace_id <> old.workspace_id or new.at <> old.at
    or new.actor <> old.actor or new.action <> old.action or new.target <> old.target or new.before is not old.before
    or new.after is not old.after or new.ip is not old.ip or new.client is not old.client
  begin select raise(abort, 'the audit log is append-only'); end;
create trigger audit_kept before delete on audit begin select raise(abort, 'the audit log is append-only'); end;
create trigger audit_once before insert on audit when exists (select 1 from audit where seq = new.seq)
  begin select raise(abort, 'the audit log is append-only'); end;

-- 3. The change feed: whoever changes what verification depends on leaves a numbered row.
create trigger change_key_insert after insert on api_key begin
  insert into change (kind, id, workspace_id) values ('key', new.id, new.workspace_id); end;
create trigger change_key_update after update on api_key begin
  insert into change (kind, id, workspace_id) values ('key', new.id, new.workspace_id); end;
create trigger change_key_delete after delete on api_key begin
  insert into change (kind, id, workspace_id) values ('key', old.id, old.workspace_id); end;
create trigger change_secret_insert after insert on api_key_secret begin
  insert into change (kind, id, workspace_id) select 'key', id, workspace_id from api_key where id = new.key_id; end;
create trigger change_secret_update after update on api_key_secret begin
  insert into change (kind, id, workspace_id) select 'key', id, workspace_id from api_key where id = new.key_id; end;
create trigger change_secret_delete after delete on api_key_secret begin
  insert into change (kind, id, workspace_id) select 'key', id, workspace_id from api_key where id = old.key_id; end;
create trigger change_group_insert after insert on authorization_group begin
  insert into change (kind, id, workspace_id) values ('group', new.id, new.workspace_id); end;
create trigger change_group_update after update on authorization_group begin
  insert into change (kind, id, workspace_id) values ('group', new.id, new.workspace_id); end;
create trigger change_group_delete after delete on authorization_group begin
  insert into change (kind, id, workspace_id) values ('group', old.id, old.workspace_id); end;
create trigger change_member_insert after insert on membership begin
  insert into change (kind, id, workspace_id) values ('member', new.id, new.workspace_id); end;
create trigger change_member_update after update on membership begin
  insert into change (kind, id, workspace_id) values ('member', new.id, new.workspace_id); end;
create trigger change_user_update after update of name, email on user begin
  insert into change (kind, id, workspace_id) select 'member', id, workspace_id from membership where user_id = new.id; end;
create trigger change_verifier_insert after insert on verifier begin
  insert into change (kind, id, workspace_id) values ('verifier', new.id, new.workspace_id); end;
create trigger change_verifier_update after update on verifier begin
  insert into change (kind, id, workspace_id) values ('verifier', new.id, new.workspace_id); end;
create trigger change_verifier_delete after delete on verifier begin
  insert into change (kind, id, workspace_id) values ('verifier', old.id, old.workspace_id); end;
create trigger change_workspace_update after update on workspace begin
  insert into change (kind, id, workspace_id) values ('workspace', new.id, new.id); end;
create trigger change_workspace_delete after delete on workspace begin
  insert into change (kind, id, workspace_id) values ('workspace', old.id, old.id); end;
`;

/** The first schema of the activity file. */
export const firstActivity = `
create table secret_use (
  secret_id text primary key, key_id text not null, uses integer not null,
  last_at integer not null, last_ip text, last_user_agent text
) strict;
create index secret_use_key on secret_use (key_id);
create table usage_day (
  key_id text not null, workspace_id text not null, day integer not null,
  valid integer not null, unauthorized integer not null, forbidden integer not null, rate_limited integer not null,
  primary key (key_id, day)
) strict, without rowid;
create index usage_day_workspace on usage_day (workspace_id, day);
create table request (
  seq integer primary key autoincrement, request_id text not null, workspace_id text not null, key_id text not null,
  secret_id text, prefix text not null, at integer not null, outcome text not null, code text not null,
  purpose text not null, verifier_id text, ip text, user_agent text
) strict;
create index request_key on request (key_id, seq);
create index request_workspace on request (workspace_id, seq);
create index request_id on request (request_id);
create index request_at on request (at);
create table verifier_use (verifier_id text primary key, last_at integer not null) strict;
`;
