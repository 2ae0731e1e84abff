import { sql } from 'kysely';
import type { TestCompanion } from './companion.ts';

const DAY = 86_400_000;

/**
 * Puts many keys of one member into a workspace by one statement, in every status, environment and state of expiry, with
 * times of creation over the last 231 days that do not follow their ids. About every thousandth has `needle` in its name.
 */
export async function manyKeys(
  companion: TestCompanion,
  workspaceId: string,
  membershipId: string,
  count: number,
): Promise<void> {
  const now = companion.deps.now();
  const createdBy = JSON.stringify({ membershipId, name: 'Olga Owner', email: 'olga@acme.example' });
  await companion.deps.store.transact(async (tx) => {
    await sql`
      with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})
      insert into api_key (id, workspace_id, membership_id, created_by, name, name_folded, description, environment, customers,
        ip_allowlist, expires_at, created_at, disabled_at, revoked_at, revoked_reason)
      select 'key_many' || i, ${workspaceId}, ${membershipId}, ${createdBy}, name, name, '',
        case i % 3 when 0 then 'production' when 1 then 'staging' else 'development' end, '[]', '[]',
        case i % 5 when 0 then null when 1 then ${now - DAY} when 2 then ${now + DAY} else ${now + 100 * DAY} end,
        ${now} - 1 - (i * 7919 % ${count}) * 200000,
        iif(i % 11 = 0, ${now}, null), iif(i % 2 = 0, ${now}, null), iif(i % 2 = 0, 'by_owner', null)
      from (select i, 'service ' || i || iif(i % 997 = 7, ' needle', '') as name from n)`.execute(tx);
    await sql`
      with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})
      insert into api_key_secret (id, key_id, prefix, hash, created_at, current)
      select 'sec_many' || i, 'key_many' || i, 'heex_prod_Many' || printf('%04d', i % 10000), 'hash' || i, 1, 1 from n`.execute(
      tx,
    );
  });
}
