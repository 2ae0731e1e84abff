/**
 * Who was handed a reset link, to pass it on: it opens no more than they could open themselves when it is used, and goes with them
 * when they leave. Null for one that was mailed to the person alone.
 */
export const resetMaker = `
alter table reset_token add column made_by text;
create trigger membership_reset_maker_leaves before delete on membership begin
  delete from reset_token where made_by = old.user_id;
end;
`;
