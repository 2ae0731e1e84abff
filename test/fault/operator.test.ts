import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

// Beside a running companion, on its own data folder.
let s: Scenario;
beforeAll(async () => {
  s = await scenario();
});
afterAll(() => s.end());

const program = join(import.meta.dirname, '../../companion/operator.ts');
const operate = (...args: string[]) => operateIn(s.companion.folder, ...args);
function operateIn(folder: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', HEEX_DATA: folder },
  });
  return { status, stdout, stderr };
}

test('the operator gives a workspace an owner again, and the audit log says who did', async () => {
  const ann = await s.member('Ann');
  const nobody = { status: 2, stderr: 'nobody@acme.example is no member of Acme Robotics\n' };
  expect(operate('owner', 'nobody@acme.example')).toMatchObject(nobody);
  expect(operate('owner', 'ANN@acme.example')).toMatchObject({ status: 0 });
  expect((await s.as(ann, 'GET', 'W/scim')).status).toBe(200);
  const [row] = (await s.as(ann, 'GET', 'W/audit')).body.items;
  expect(row).toMatchObject({ actor: { type: 'operator' }, action: 'member.role_changed', after: { role: 'owner' } });
});

test('somebody who is suspended is made no owner: they could not act, and no admin could reinstate them any more', async () => {
  const sue = await s.member('Sue', 'admin');
  expect((await s.as(s.owner, 'POST', `W/members/${sue.membershipId}/suspend`)).status).toBe(200);
  const refused = operate('owner', sue.email);
  expect([refused.status, refused.stderr]).toEqual([
    2,
    'sue@acme.example is suspended in Acme Robotics: name somebody who can act\n',
  ]);
  const { items } = (await s.as(s.owner, 'GET', 'W/members')).body;
  expect(items).toContainEqual(expect.objectContaining({ id: sue.membershipId, role: 'admin', status: 'suspended' }));
});

test('where no owner can act any more, somebody who is suspended is reinstated as one; not against the identity provider', async () => {
  const t = await scenario();
  const on = (...args: string[]) => operateIn(t.companion.folder, ...args);
  const [una, vic] = [await t.member('Una'), await t.member('Vic')];
  const sql = (text: string) => {
    const db = new Database(join(t.companion.folder, 'heex.sqlite'));
    db.exec(text);
    db.close();
  };
  for (const { membershipId } of [una, vic])
    expect((await t.as(t.owner, 'POST', `W/members/${membershipId}/suspend`)).status).toBe(200);
  expect(on('owner', una.email).status).toBe(2);
  sql(`update membership set suspended_at = 1 where id = '${t.owner.membershipId}';
    insert into scim_exclusion values ('${t.workspaceId}', '${vic.userId}', 1)`);
  const refused = on('owner', vic.email);
  expect([refused.status, refused.stderr]).toEqual([2, expect.stringMatching(/^the identity provider .*\n$/)]);
  const made = on('owner', una.email);
  expect([made.status, made.stdout]).toEqual([0, expect.stringContaining('was reinstated')]);
  expect((await t.as(una, 'GET', 'W/scim')).status).toBe(200);
  const rows = (await t.as(una, 'GET', 'W/audit?limit=2')).body.items;
  expect(rows).toMatchObject([
    { action: 'member.role_changed', actor: { type: 'operator' }, target: { id: una.membershipId } },
    { action: 'member.reinstated', actor: { type: 'operator' }, target: { id: una.membershipId } },
  ]);
  await t.end();
});

test('an owner whom nobody else can help gets a link from the operator that sets a password once, which is on record', async () => {
  const t = await scenario();
  const on = (...args: string[]) => operateIn(t.companion.folder, ...args);
  const una = await t.member('Una');
  const made = on('reset', 'OLGA@acme.example');
  const token = /^http:\/\/127\.0\.0\.1:8787\/reset#(\S+)$/m.exec(made.stdout)?.[1];
  expect([made.status, token]).toEqual([0, expect.any(String)]);
  const [row] = (await t.as(t.owner, 'GET', 'W/audit')).body.items;
  const target = { id: t.owner.membershipId };
  expect(row).toMatchObject({ action: 'password.reset_link_created', actor: { type: 'operator' }, target });
  expect(JSON.stringify(row)).not.toContain(token);
  const set = () => call(t.url, 'POST', '/v1/password/reset', { body: { token, newPassword: 'a long passphrase' } });
  expect((await set()).status).toBe(204);
  expect((await set()).status).toBe(404);
  const body = { email: t.owner.email, password: 'a long passphrase' };
  expect((await call(t.url, 'POST', '/v1/sessions', { body })).status).toBe(201);

  expect(on('reset', 'nobody@acme.example').stderr).toBe('nobody@acme.example is no member of Acme Robotics\n');
  const db = new Database(join(t.companion.folder, 'heex.sqlite'));
  db.prepare('update user set disabled_at = 1 where id = ?').run(una.userId);
  db.close();
  const closed = on('reset', una.email);
  expect([closed.status, closed.stderr]).toEqual([2, expect.stringMatching(/^the identity provider .*\n$/)]);
  await t.end();
});

test('the operator checks the audit chain, also against a head that was kept, and is told where it breaks', async () => {
  const whole = operate('audit', 'verify');
  expect([whole.status, whole.stdout]).toEqual([0, expect.stringMatching(/the chain of \d+ entries holds/)]);
  const anchor = whole.stdout.match(/--seq \d+ --hash \w+/)?.[0]?.split(' ') ?? [];
  await s.member('Ben');
  expect(operate('audit', 'verify', ...anchor).status).toBe(0);
  expect(operate('audit', 'verify', '--seq', '1', '--hash', 'f'.repeat(64))).toMatchObject({ status: 1 });
  expect(operate('audit', 'verify', '--seq', '1').status).toBe(2);
  const db = new Database(join(s.companion.folder, 'heex.sqlite'));
  db.exec(`drop trigger audit_append_only; update audit set actor = '{"type":"system"}' where seq = 2`);
  db.close();
  const broken = operate('audit', 'verify');
  expect([broken.status, broken.stdout]).toEqual([1, expect.stringContaining('breaks at entry 2')]);
});

test('a wrong command or folder is refused with one line and how to use it', () => {
  for (const args of [
    [],
    ['audit'],
    ['owner'],
    ['owner', 'a', 'b'],
    ['reset'],
    ['nothing'],
    ['audit', 'verify', '--id', 'ws_x'],
  ])
    expect(operate(...args), args.join(' ')).toMatchObject({ status: 2, stderr: expect.stringContaining('Usage:') });
});
