/** Single sign-on, passkeys and password resets. */
export const identity = `
create table sso (
  workspace_id text primary key references workspace on delete cascade,
  issuer text not null, client_id text not null, client_secret text not null, name text not null,
  domains text not null, updated_at integer not null
) strict;

create table identity (
  id text primary key, user_id text not null references user on delete cascade,
  issuer text not null, subject text not null, email text, linked_at integer not null, last_used_at integer,
  unique (issuer, subject)
) strict;
create index identity_user on identity (user_id);

create table passkey (
  id text primary key, user_id text not null references user on delete cascade,
  credential_id text not null unique, public_key text not null, counter integer not null, transports text not null,
  name text not null, synced integer not null check (synced in (0, 1)), created_at integer not null, last_used_at integer
) strict;
create index passkey_user on passkey (user_id);

create table reset_token (
  token_hash text primary key, user_id text not null references user on delete cascade,
  created_at integer not null, expires_at integer not null
) strict;
create index reset_token_user on reset_token (user_id);

create table spent (hash text primary key, expires_at integer not null) strict;
create index spent_expires on spent (expires_at);

-- Foreign keys are off in the sqlite3 shell, so nothing is left to their actions.
create trigger user_identity_leaves before delete on user begin
  delete from identity where user_id = old.id;
  delete from passkey where user_id = old.id;
  delete from reset_token where user_id = old.id;
end;
create trigger workspace_sso_leaves before delete on workspace begin
  delete from sso where workspace_id = old.id;
end;
create trigger membership_reset_leaves before delete on membership begin
  delete from reset_token where user_id = old.user_id;
end;

-- What signs one person in never comes to sign in another, by INSERT OR REPLACE either.
create trigger identity_unique before insert on identity
  when exists (select 1 from identity where id = new.id or (issuer = new.issuer and subject = new.subject))
  begin select raise(abort, 'UNIQUE constraint failed: identity'); end;
create trigger identity_fixed before update of id, user_id, issuer, subject on identity
  begin select raise(abort, 'an identity does not change hands'); end;
create trigger passkey_unique before insert on passkey
  when exists (select 1 from passkey where id = new.id or credential_id = new.credential_id)
  begin select raise(abort, 'UNIQUE constraint failed: passkey'); end;
create trigger passkey_fixed before update of id, user_id, credential_id, public_key on passkey
  begin select raise(abort, 'a passkey does not change hands'); end;
`;
