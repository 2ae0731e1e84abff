/** Sign-ins of command lines that wait for their approval (RFC 8628), shared by all processes on the database. */
export const device = `
create table device_code (
  device_code_hash text primary key, user_code_hash text not null unique,
  client_id text not null, device_name text not null, ip text,
  created_at integer not null, expires_at integer not null, interval_ms integer not null, polled_at integer,
  decision text check (decision in ('approved', 'denied')),
  user_id text references user on delete cascade, authenticated_at integer,
  check ((decision is 'approved') = (user_id is not null))
) strict;
create index device_code_expiry on device_code (expires_at);

-- Who leaves gets no session out of an approval that was given before.
create trigger device_code_member_leaves before delete on membership begin
  delete from device_code where user_id = old.user_id;
end;
create trigger device_code_user_leaves before delete on user begin
  delete from device_code where user_id = old.id;
end;
`;
