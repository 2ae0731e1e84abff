import { NOW } from './001-first.ts';

/**
 * Agents. Nothing here refers to a member or a key by a foreign key: an agent lives on when both are gone, and its row keeps
 * readable who enrolled it with which key.
 */
export const agents = `
create table agent (
  id text primary key, workspace_id text not null, name text not null,
  public_key text not null, public_key_thumbprint text not null unique,
  enrolled_key_id text not null, enrolled_key text not null,
  enrolled_membership_id text, enrolled_by text not null,
  created_at integer not null, removed_at integer
) strict;
create index agent_listed on agent (workspace_id, created_at desc, id desc) where removed_at is null;
create index agent_key on agent (enrolled_key_id) where removed_at is null;
create index agent_member on agent (enrolled_membership_id, created_at desc, id desc) where removed_at is null;

-- Here an agent ends with its workspace, as nobody is left who could remove it.
create trigger workspace_leaves_agents before delete on workspace begin
  update agent set removed_at = ${NOW} where workspace_id = old.id and removed_at is null;
end;

-- The public key is the agent's identity: neither it nor where it belongs ever changes, and a removed agent never comes back.
create trigger agent_unique before insert on agent
  when exists (select 1 from agent where id = new.id or public_key_thumbprint = new.public_key_thumbprint)
  begin select raise(abort, 'UNIQUE constraint failed: agent'); end;
create trigger agent_fixed
  before update of id, workspace_id, public_key, public_key_thumbprint, enrolled_key_id, created_at on agent
  when new.id <> old.id or new.workspace_id <> old.workspace_id or new.public_key <> old.public_key
    or new.public_key_thumbprint <> old.public_key_thumbprint or new.enrolled_key_id <> old.enrolled_key_id
    or new.created_at <> old.created_at
  begin select raise(abort, 'an agent does not change its identity'); end;
create trigger agent_final before update of removed_at on agent
  when old.removed_at is not null and new.removed_at is not old.removed_at
  begin select raise(abort, 'a removed agent stays removed'); end;
create trigger agent_kept before delete on agent
  begin select raise(abort, 'set removed_at to remove an agent: its key must stay known'); end;

create trigger change_agent_insert after insert on agent begin
  insert into change (kind, id, workspace_id) values ('agent', new.id, new.workspace_id); end;
create trigger change_agent_update after update on agent begin
  insert into change (kind, id, workspace_id) values ('agent', new.id, new.workspace_id); end;
`;

/** In the activity file: who is connected where. A row of a process that no longer beats counts as disconnected. */
export const agentPresence = `
create table companion_process (id text primary key, beat_at integer not null) strict;
create table agent_presence (
  agent_id text primary key, workspace_id text not null,
  process_id text, connected_at integer not null, last_seen_at integer not null,
  version text, host_name text, platform text, ip text
) strict;
create index agent_presence_process on agent_presence (process_id, connected_at) where process_id is not null;
`;
