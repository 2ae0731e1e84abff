import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestCompanion, testCompanion } from '../support/companion.ts';
import { type KeyBench, keyBench } from '../support/keys.ts';

let companion: TestCompanion;
let bench: KeyBench;
beforeAll(async () => {
  companion = await testCompanion();
  bench = await keyBench(companion);
});
afterAll(() => companion.end());

test('of more changes at once than are caught up with one by one none is missed, nor any after them', async () => {
  const { secret: verifier } = await bench.verifier();
  const gone = await bench.verifier();
  const groupId = await bench.group(['a:b']);
  const edited = await bench.group(['a:b']);
  const [kept, disabled, poor] = [
    await bench.key({ groupId }),
    await bench.key({ groupId }),
    await bench.key({ groupId: edited }),
  ];
  const codes = () =>
    Promise.all([kept, disabled, poor].map(({ secret: key }) => bench.codeOf(verifier, { key, permissions: ['a:b'] })));
  expect(await codes()).toEqual(['valid', 'valid', 'valid']);
  expect((await bench.verify(gone.secret, { key: kept.secret })).status).toBe(200);

  await companion.deps.store.transact(async (tx) => {
    await tx.updateTable('api_key').set({ disabled_at: 1 }).where('id', '=', disabled.id).execute();
    await tx.updateTable('authorization_group').set({ permissions: '[]' }).where('id', '=', edited).execute();
    await tx.deleteFrom('verifier').where('id', '=', gone.id).execute();
    await sql`with recursive n (i) as (select 1 union all select i + 1 from n where i < 10000)
      insert into change (kind, id, workspace_id) select 'key', 'key_' || i, ${bench.workspaceId} from n`.execute(tx);
  });
  expect(await codes()).toEqual(['valid', 'disabled', 'insufficient_permissions']);
  expect((await bench.verify(gone.secret, { key: kept.secret })).status).toBe(401);

  await companion.deps.store.transact(async (tx) => {
    await tx.updateTable('authorization_group').set({ permissions: '[]' }).where('id', '=', groupId).execute();
    await tx.updateTable('api_key').set({ disabled_at: null }).where('id', '=', disabled.id).execute();
    await tx.updateTable('authorization_group').set({ permissions: '["a:b"]' }).where('id', '=', edited).execute();
  });
  expect(await codes()).toEqual(['insufficient_permissions', 'insufficient_permissions', 'valid']);
});
