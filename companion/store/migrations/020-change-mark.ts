/**
 * A number alone does not tell a change: a database that was restored from a backup gives out the same numbers again. Made anew,
 * since SQLite adds no column whose default is drawn; triggers name the table and are not touched by that.
 */
export const changeMark = `
create temp table kept as select * from change;
drop table change;
create table change (
  seq integer primary key autoincrement, kind text not null, id text not null, workspace_id text not null,
  mark text not null default (hex(randomblob(8)))
) strict;
insert into change (seq, kind, id, workspace_id) select seq, kind, id, workspace_id from temp.kept;
drop table temp.kept;
`;
