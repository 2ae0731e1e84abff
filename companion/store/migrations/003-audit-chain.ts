/**
 * The head of each workspace's audit chain, sealed with the hash key, and what keeps the log in order: rows come in
 * unsealed and at the end only.
 */
export const auditChain = `
create table audit_head (
  workspace_id text primary key, seq integer not null, hash text not null, seal text not null
) strict;

-- AFTER: before an insert the number that autoincrement gives is not known yet.
create trigger audit_at_the_end after insert on audit when exists (select 1 from audit where seq > new.seq)
  begin select raise(abort, 'the audit log is append-only'); end;
create trigger audit_unsealed_first before insert on audit when new.hash is not null
  begin select raise(abort, 'an audit row is sealed after it was written'); end;
`;
