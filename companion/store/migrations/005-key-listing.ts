/**
 * Lists of many keys: everything that a listing filters by stands in one covering index, in the order of the list. Search looks
 * through the folded name and the prefixes of all secrets, old ones too: who finds one in a log wants its key.
 */
const SEARCHED = (id: string) => `
  update api_key set search_text = name_folded || char(10)
    || coalesce((select group_concat(lower(prefix), char(10)) from api_key_secret where key_id = ${id}), '')
  where id = ${id};`;

export const keyListing = `
alter table api_key add column owner_id text generated always as (json_extract(created_by, '$.membershipId')) virtual;
alter table api_key add column search_text text not null default '';
create trigger api_key_searched after insert on api_key begin ${SEARCHED('new.id')} end;
create trigger api_key_renamed after update of name_folded on api_key when new.name_folded <> old.name_folded
  begin ${SEARCHED('new.id')} end;
create trigger api_key_secret_searched after insert on api_key_secret begin ${SEARCHED('new.key_id')} end;
update api_key set search_text = name_folded || char(10)
  || coalesce((select group_concat(lower(prefix), char(10)) from api_key_secret where key_id = api_key.id), '');

drop index api_key_listed;
create index api_key_listed on api_key
  (workspace_id, created_at desc, id desc, environment, expires_at, disabled_at, revoked_at, search_text);
create index api_key_owned on api_key (owner_id, created_at desc, id desc);
`;
