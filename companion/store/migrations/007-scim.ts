/**
 * What an identity provider says of people (SCIM 2.0), the tokens it comes with, and the promise that somebody it has
 * deprovisioned can neither sign in nor belong to a workspace, whichever way they try.
 */
export const scim = `
create table scim_token (
  id text primary key, workspace_id text not null references workspace on delete cascade, name text not null,
  prefix text not null, hash text not null unique, created_by text not null, created_at integer not null, last_used_at integer
) strict;
create index scim_token_workspace on scim_token (workspace_id, created_at);

create table scim_setting (
  workspace_id text primary key references workspace on delete cascade,
  deactivation text not null check (deactivation in ('remove', 'suspend'))
) strict;

create table scim_user (
  workspace_id text not null references workspace on delete cascade,
  user_id text not null references user on delete cascade,
  user_name_folded text not null, external_id text, attributes text not null,
  deactivated_at integer, created_at integer not null, modified_at integer not null,
  primary key (workspace_id, user_id)
) strict;
create unique index scim_user_name on scim_user (workspace_id, user_name_folded);
create unique index scim_user_external on scim_user (workspace_id, external_id) where external_id is not null;

create trigger scim_user_leaves before delete on user begin
  delete from scim_user where user_id = old.id;
end;

create trigger user_disabled after update of disabled_at on user when new.disabled_at is not null begin
  delete from session where user_id = new.id;
  delete from connect_code where user_id = new.id;
  delete from device_code where user_id = new.id;
  delete from reset_token where user_id = new.id;
end;
create trigger session_of_enabled before insert on session
  when exists (select 1 from user where id = new.user_id and disabled_at is not null)
  begin select raise(abort, 'this person is deprovisioned'); end;
create trigger membership_of_enabled before insert on membership
  when exists (select 1 from user where id = new.user_id and disabled_at is not null)
  begin select raise(abort, 'this person is deprovisioned'); end;
create trigger membership_reinstated before update of suspended_at on membership
  when old.suspended_at is not null and new.suspended_at is null
    and exists (select 1 from user where id = new.user_id and disabled_at is not null)
  begin select raise(abort, 'this person is deprovisioned'); end;
`;
