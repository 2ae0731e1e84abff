/** Where an audit row came from, and what keeps plain SQL from adding rows after which the log could not go on or be read. */
export const auditOrigin = `
-- Null: the companion wrote it. 'outside': it was there, unsealed, when the companion's transaction began. Set by sealing.
alter table audit add column source text check (source = 'outside');

-- The next number, and no other: after the greatest that there is, nothing could be added. Rows that are gone keep their numbers.
drop trigger audit_at_the_end;
create trigger audit_next after insert on audit
  when new.seq <> 1 + max(coalesce((select max(seq) from audit where seq < new.seq), 0),
    coalesce((select seq from sqlite_sequence where name = 'audit'), 0))
  begin select raise(abort, 'the audit log is append-only'); end;

create trigger audit_readable before insert on audit
  when not coalesce(
    json_type(new.actor, '$.type') = 'text' and coalesce(json_type(new.actor, '$.id'), 'text') = 'text'
    and coalesce(json_type(new.actor, '$.name'), 'text') = 'text'
    and json_type(new.target, '$.id') = 'text' and json_type(new.target, '$.type') = 'text'
    and coalesce(json_type(new.target, '$.name'), 'absent') in ('text', 'null')
    and (new.before is null or json_type(new.before) = 'object') and (new.after is null or json_type(new.after) = 'object')
    and new.at between -8640000000000000 and 8640000000000000, 0)
  begin select raise(abort, 'an audit row names actor, target and time'); end;
`;
