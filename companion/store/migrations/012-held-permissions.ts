/**
 * What a revoked key was allowed is part of its history: it stays when its group is changed or deleted afterwards. Written when
 * that happens, which is rare, and not at every revocation. The order is that of the group, as for live keys.
 */
const keep = `
  update api_key set held_permissions = (select json_group_array(value) from json_each(old.permissions)
    where api_key.permissions is null or value in (select value from json_each(api_key.permissions)))
  where workspace_id = old.workspace_id and group_id = old.id and revoked_at is not null and held_permissions is null;`;

export const heldPermissions = `
alter table api_key add column held_permissions text;
create trigger group_held_update before update of permissions on authorization_group
  when new.permissions <> old.permissions begin ${keep} end;
create trigger group_held_delete before delete on authorization_group begin ${keep} end;
`;
