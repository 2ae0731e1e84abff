/**
 * In the activity file: uses as they come in, one after another, to be added to the counts of their keys many at a time and in
 * the order of the keys. Written where it belongs at once, each use of another key would touch a page of four tables; in
 * order, a page is touched once for all keys on it. What is in here was used and survives a crash.
 *
 * `use_fold` says how far that has got: rows up to `upto` are being added, and those of keys up to `through` are (null: all of
 * them, and nothing is under way).
 */
export const usePending = `
create table use_pending (
  id integer primary key autoincrement,
  key_id text not null, secret_id text not null, workspace_id text not null, day integer not null, purpose text not null,
  outcome text not null, ip text, user_agent text, uses integer not null, at integer not null
) strict;
create table use_fold (one integer primary key check (one = 1), upto integer not null, through text) strict;
insert into use_fold values (1, 0, null);

alter table secret_use rename to secret_use_old;
create table secret_use (
  key_id text not null, secret_id text not null, uses integer not null,
  last_at integer not null, last_ip text, last_user_agent text, primary key (key_id, secret_id)
) strict, without rowid;
insert into secret_use (key_id, secret_id, uses, last_at, last_ip, last_user_agent)
  select key_id, secret_id, uses, last_at, last_ip, last_user_agent from secret_use_old;
drop table secret_use_old;
`;
