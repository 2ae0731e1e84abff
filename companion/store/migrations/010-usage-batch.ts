/** Reports of services that decide by themselves: one that is sent again is not counted again. */
export const usageBatch = `
create table usage_batch (
  verifier_id text not null, name text not null, at integer not null, primary key (verifier_id, name)
) strict, without rowid;
create index usage_batch_at on usage_batch (at);
`;
