import { NOW } from './001-first.ts';

/**
 * Whose account is deleted in plain SQL does not come back, as somebody new, by an invitation from before they left: as after every
 * other way of leaving. One that was made since then stays, as does one of a workspace that never had them.
 */
const open = `from invitation i where i.email = old.email and i.accepted_at is null and i.withdrawn_at is null and i.expires_at > ${NOW}
  and (exists (select 1 from membership where user_id = old.id and workspace_id = i.workspace_id)
    or exists (select 1 from former_member where user_id = old.id and workspace_id = i.workspace_id and left_at >= i.created_at))`;

export const invitationOfDeleted = `
create trigger user_invitation_leaves before delete on user begin
  insert into audit (workspace_id, at, actor, action, target, before, after, ip, client)
  select i.workspace_id, ${NOW}, json_object('type', 'database'), 'invitation.withdrawn',
    json_object('type', 'invitation', 'id', i.id, 'name', i.email), json_object('role', i.role), null, null, null
  ${open} order by i.created_at, i.id;
  update invitation set withdrawn_at = ${NOW} where id in (select i.id ${open});
end;
`;
