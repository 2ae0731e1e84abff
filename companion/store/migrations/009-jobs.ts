/** Background jobs, what they tell owners of keys, and the figures of the overview. */
export const jobs = `
create table job (
  name text primary key, next_at integer not null,
  started_at integer, ended_at integer, outcome text check (outcome in ('ok', 'failed')), detail text
) strict;

-- No foreign key: an event is kept or removed by its age alone. \`about\` tells two events of one kind and key apart.
create table event (
  seq integer primary key autoincrement, workspace_id text not null, membership_id text not null, kind text not null,
  key_id text not null, about text not null, at integer not null, data text not null,
  unique (key_id, kind, about)
) strict;
create index event_member on event (membership_id, seq);
create index event_at on event (at);

create index api_key_any_address on api_key (workspace_id, expires_at, environment) where revoked_at is null and ip_allowlist = '[]';
create index session_expiry on session (expires_at);
`;

/** In the activity file: the requests of a workspace by the hour, and the refused ones of its request log. */
export const activityHours = `
create table usage_hour (
  workspace_id text not null, environment text not null,
  -- Hours since 1970-01-01 UTC.
  hour integer not null,
  valid integer not null, unauthorized integer not null, forbidden integer not null, rate_limited integer not null,
  primary key (workspace_id, hour, environment)
) strict, without rowid;
create index usage_hour_age on usage_hour (hour);
create index usage_day_age on usage_day (day);
create index key_source_age on key_source (day);
-- Most requests are let through: looking for the others must not walk past them.
create index request_refused on request (workspace_id, outcome, seq) where outcome <> 'valid';
`;
