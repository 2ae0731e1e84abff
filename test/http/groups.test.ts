import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let [ada, admin, verifier] = [] as unknown as [Person, Person, string];
beforeAll(async () => {
  s = await scenario();
  [ada, admin, verifier] = [await s.member('Ada'), await s.member('Anna', 'admin'), await s.verifier()];
});
afterAll(() => s.end());

let made = 0;
const PERMISSIONS = ['events:read', 'events:write', 'agents:enroll'];
const group = async (permissions = PERMISSIONS) => {
  const answer = await s.as(admin, 'POST', 'W/groups', { name: `group ${++made}`, permissions });
  expect(answer.status).toBe(201);
  return answer.body;
};
const verify = async (key: string, permissions: string[] = []) =>
  (await s.as(undefined, 'POST', '/v1/verify', { key, permissions }, { token: verifier })).body;
const read = async (id: string) => (await s.as(ada, 'GET', `W/keys/${id}`)).body;

describe('a group', () => {
  test('is made and changed by admins, seen by everyone, and has a name of its own', async () => {
    const { id, name } = await group();
    expect((await s.as(ada, 'GET', 'W/groups')).body.items).toContainEqual(
      expect.objectContaining({ id, name, permissions: PERMISSIONS, keys: 0 }),
    );
    const again = await s.as(admin, 'POST', 'W/groups', { name: name.toUpperCase(), permissions: [] });
    expect([again.status, again.body.code]).toEqual([409, 'name_taken']);
    for (const [method, path] of [
      ['POST', 'W/groups'],
      ['PATCH', `W/groups/${id}`],
      ['DELETE', `W/groups/${id}`],
    ] as const)
      expect(
        (await s.as(ada, method, path, method === 'POST' ? { name: 'mine', permissions: [] } : undefined)).status,
      ).toBe(403);
  });

  test('can be deleted when only revoked keys are left in it', async () => {
    const { id } = await group();
    const [key, other] = [await s.key(ada, { groupId: id }), await s.key(ada, { groupId: id })];
    await s.as(ada, 'POST', `W/keys/${other.id}/disable`);
    const refused = await s.as(admin, 'DELETE', `W/groups/${id}`);
    expect([refused.status, refused.body.code, refused.body.detail]).toEqual([
      409,
      'in_use',
      '2 keys belong to this group. Move or revoke them first.',
    ]);
    for (const k of [key, other]) await s.as(ada, 'POST', `W/keys/${k.id}/revoke`);
    expect((await s.as(admin, 'DELETE', `W/groups/${id}`)).status).toBe(204);
    expect((await s.as(admin, 'DELETE', `W/groups/${id}`)).status).toBe(404);
    expect(await read(key.id)).toMatchObject({ groupId: null, permissions: PERMISSIONS });
  });

  test('that is changed or deleted later leaves what a revoked key was allowed as it was', async () => {
    const { id } = await group();
    const make = async (permissions: string[] | null) => (await s.key(ada, { groupId: id, permissions })).id;
    const [all, part, live] = [await make(null), await make(['agents:enroll', 'events:read']), await make(null)];
    for (const key of [all, part]) await s.as(ada, 'POST', `W/keys/${key}/revoke`);
    await s.as(admin, 'PATCH', `W/groups/${id}`, { permissions: ['events:read'] });
    const held = async () => [(await read(all)).permissions, (await read(part)).permissions];
    const then = [PERMISSIONS, ['events:read', 'agents:enroll']];
    expect(await held()).toEqual(then);
    expect((await read(live)).permissions).toEqual(['events:read']);
    await s.as(ada, 'POST', `W/keys/${live}/revoke`);
    await s.as(admin, 'DELETE', `W/groups/${id}`);
    expect(await held()).toEqual(then);
    expect(await read(live)).toMatchObject({ groupId: null, permissions: ['events:read'] });
  });

  test('leaves an audit row for each change and none for a change of nothing', async () => {
    const { id, name } = await group();
    await s.as(admin, 'PATCH', `W/groups/${id}`, { name });
    await s.as(admin, 'PATCH', `W/groups/${id}`, { permissions: ['events:read'] });
    await s.as(admin, 'DELETE', `W/groups/${id}`);
    const rows = await s.companion.deps.store.read.selectFrom('audit').selectAll().orderBy('seq').execute();
    expect(rows.filter((row) => JSON.parse(row.target).id === id).map((row) => row.action)).toEqual([
      'group.created',
      'group.edited',
      'group.deleted',
    ]);
  });
});

describe('what a key may do', () => {
  test('is what its group holds, or the part that it was narrowed to; without a group nothing', async () => {
    const { id } = await group();
    const [all, some, none] = [
      await s.key(ada, { groupId: id }),
      await s.key(ada, { groupId: id, permissions: ['events:read'] }),
      await s.key(ada),
    ];
    expect((await verify(all.secret, PERMISSIONS)).key.permissions).toEqual(PERMISSIONS);
    expect((await verify(some.secret, ['events:read'])).valid).toBe(true);
    expect((await verify(some.secret, ['events:write'])).code).toBe('insufficient_permissions');
    expect((await verify(none.secret, ['events:read'])).code).toBe('insufficient_permissions');
    expect((await verify(none.secret)).valid).toBe(true);
  });

  test('never goes beyond the group, in a new key and in an edited one', async () => {
    const { id, name } = await group(['events:read']);
    const beyond = { groupId: id, permissions: ['events:read', 'events:write', 'agents:enroll'] };
    const errors = [
      { path: 'permissions.1', message: `events:write is not in the group ${name}` },
      { path: 'permissions.2', message: `agents:enroll is not in the group ${name}` },
    ];
    const created = await s.as(ada, 'POST', 'W/keys', { name: 'too much', environment: 'production', ...beyond });
    expect([created.status, created.body.errors]).toEqual([400, errors]);
    const key = await s.key(ada, { groupId: id });
    expect((await s.as(ada, 'PATCH', `W/keys/${key.id}`, { permissions: beyond.permissions })).body.errors).toEqual(
      errors,
    );
    const without = await s.as(ada, 'PATCH', `W/keys/${key.id}`, { groupId: null, permissions: ['events:read'] });
    expect([without.status, without.body.errors[0].path]).toEqual([400, 'permissions']);
    const unknown = await s.as(ada, 'PATCH', `W/keys/${key.id}`, { groupId: 'grp_nothing' });
    expect([unknown.status, unknown.body.errors[0].path]).toEqual([400, 'groupId']);
  });

  test('shrinks in every key at once when the group loses a permission', async () => {
    const { id } = await group();
    const [all, some] = [
      await s.key(ada, { groupId: id }),
      await s.key(ada, { groupId: id, permissions: ['events:read', 'events:write'] }),
    ];
    for (const key of [all, some]) expect((await verify(key.secret, ['events:write'])).valid).toBe(true);
    await s.as(admin, 'PATCH', `W/groups/${id}`, { permissions: ['events:read'] });
    for (const key of [all, some]) {
      expect((await verify(key.secret, ['events:write'])).code).toBe('insufficient_permissions');
      expect((await read(key.id)).permissions).toEqual(['events:read']);
    }
    // The narrowing of a key whose group shrank doesn't stand in the way of other edits.
    expect((await s.as(ada, 'PATCH', `W/keys/${some.id}`, { description: 'x' })).status).toBe(200);
  });

  test('is not widened when a narrowed key moves to another group', async () => {
    const [from, to] = [await group(), await group(['customers:read'])];
    const key = await s.key(ada, { groupId: from.id, permissions: ['events:read'] });
    const moved = await s.as(ada, 'PATCH', `W/keys/${key.id}`, { groupId: to.id });
    expect([moved.status, moved.body.errors[0].path]).toEqual([400, 'permissions.0']);
    const chosen = await s.as(ada, 'PATCH', `W/keys/${key.id}`, { groupId: to.id, permissions: ['customers:read'] });
    expect(chosen.body.permissions).toEqual(['customers:read']);
    expect((await s.as(ada, 'PATCH', `W/keys/${key.id}`, { groupId: null })).body.permissions).toEqual([]);
    expect((await s.as(ada, 'PATCH', `W/keys/${key.id}`, { permissions: null })).body.permissions).toEqual([]);
  });
});
