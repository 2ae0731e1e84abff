/**
 * In the activity file: from where and by what program each key was let through, by day. What a removal would break is read
 * from here without going through weeks of single requests.
 */
export const keySource = `
create table key_source (
  key_id text not null, day integer not null, purpose text not null, ip text not null, user_agent text not null,
  uses integer not null, last_at integer not null,
  primary key (key_id, day, purpose, ip, user_agent)
) strict, without rowid;
insert into key_source
  select key_id, at / 86400000, purpose, coalesce(ip, ''), coalesce(user_agent, ''), count(*), max(at) from request
  where outcome in ('valid', 'rate_limited') group by 1, 2, 3, 4, 5;
`;
