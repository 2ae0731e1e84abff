/**
 * Whom the identity provider of a workspace has deprovisioned stays out of that workspace, whichever way they try, also where
 * their account goes on because another workspace has them.
 */
export const scimExclusion = `
create table scim_exclusion (
  workspace_id text not null references workspace on delete cascade,
  user_id text not null references user on delete cascade,
  at integer not null,
  primary key (workspace_id, user_id)
) strict;
insert into scim_exclusion select workspace_id, user_id, deactivated_at from scim_user where deactivated_at is not null;

create trigger scim_exclusion_leaves before delete on user begin
  delete from scim_exclusion where user_id = old.id;
end;
create trigger membership_not_excluded before insert on membership
  when exists (select 1 from scim_exclusion where workspace_id = new.workspace_id and user_id = new.user_id)
  begin select raise(abort, 'this person is deprovisioned'); end;
create trigger membership_not_reinstated before update of suspended_at on membership
  when old.suspended_at is not null and new.suspended_at is null
    and exists (select 1 from scim_exclusion where workspace_id = new.workspace_id and user_id = new.user_id)
  begin select raise(abort, 'this person is deprovisioned'); end;
`;
