import { NOW } from './001-first.ts';

/**
 * Who was a member of a workspace and left, however: the identity provider of that workspace can still close their account, also
 * when it never provisioned them. Forgotten when it deletes them, and with the account or the workspace.
 */
export const formerMember = `
create table former_member (
  workspace_id text not null, user_id text not null, left_at integer not null, primary key (workspace_id, user_id)
) strict;
insert into former_member
  select a.workspace_id, u.id, max(a.at) from audit a join user u on u.id = a.before ->> 'userId'
  where a.action = 'member.removed' and u.disabled_at is null and exists (select 1 from workspace where id = a.workspace_id)
  group by 1, 2;

create trigger membership_left after delete on membership begin
  delete from former_member where workspace_id = old.workspace_id and user_id = old.user_id;
  insert into former_member values (old.workspace_id, old.user_id, ${NOW});
end;
create trigger former_member_user after delete on user begin
  delete from former_member where user_id = old.id;
end;
create trigger former_member_workspace after delete on workspace begin
  delete from former_member where workspace_id = old.id;
end;
`;
