/**
 * Which connection of an agent is the newest is told by a number that is taken when the connection is written down, and not by
 * a clock: clocks are set back.
 */
export const agentTurn = `
create table agent_turn (one integer primary key check (one = 1), last integer not null) strict;
insert into agent_turn (one, last) values (1, 0);
alter table agent_presence add column turn integer not null default 0;
drop index agent_presence_process;
create index agent_presence_turn on agent_presence (turn);
`;
