const searched = (key: string) =>
  `name_folded || char(10)
    || coalesce((select group_concat(lower(prefix), char(10)) from api_key_secret where key_id = ${key}), '')`;
const owner = `coalesce(json_extract(created_by, '$.membershipId'), '')`;

/**
 * Lists of many keys: everything that a listing filters by stands in a covering index, in the order of the list. Search looks
 * through the folded name and the prefixes of all secrets, old ones too: who finds one in a log wants its key. The owner
 * stays known when the membership is gone. Triggers keep both, whoever writes.
 */
export const keyListing = `
alter table api_key add column owner_id text not null default '';
alter table api_key add column search_text text not null default '';
create trigger api_key_searched after insert on api_key begin
  update api_key set owner_id = ${owner}, search_text = ${searched('new.id')} where id = new.id;
end;
create trigger api_key_renamed after update of name_folded on api_key when new.name_folded <> old.name_folded begin
  update api_key set search_text = ${searched('new.id')} where id = new.id;
end;
create trigger api_key_secret_searched after insert on api_key_secret begin
  update api_key set search_text = ${searched('new.key_id')} where id = new.key_id;
end;
update api_key set owner_id = ${owner}, search_text = ${searched('api_key.id')};

drop index api_key_listed;
create index api_key_listed on api_key
  (workspace_id, created_at desc, id desc, environment, expires_at, disabled_at, revoked_at, search_text);
create index api_key_owned on api_key
  (owner_id, created_at desc, id desc, workspace_id, environment, expires_at, disabled_at, revoked_at, search_text);
`;
