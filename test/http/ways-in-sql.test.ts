import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';
import { scimCaller, scimToken } from '../support/scim.ts';

let s: Scenario;
let ada: Person;
let eve: Person;
let db: Database.Database;
beforeAll(async () => {
  s = await scenario();
  [ada, eve] = [await s.member('Ada'), await s.member('Eve')];
  db = new Database(s.companion.deps.store.files.database);
  for (const { userId } of [ada, eve]) {
    db.prepare(
      `insert into identity (id, user_id, issuer, subject, linked_at) values (?, ?, 'https://idp.example', ?, 1)`,
    ).run(`idt_${userId}`, userId, userId);
    db.prepare(
      `insert into passkey (id, user_id, credential_id, public_key, counter, transports, name, synced, created_at)
         values (?, ?, ?, ?, 0, '[]', 'Laptop', 0, 1)`,
    ).run(`pky_${userId}`, userId, `cred_${userId}`, `key_${userId}`);
  }
});
afterAll(async () => {
  db.close();
  await s.end();
});

const ways = () => [
  db.prepare('select id, user_id, issuer, subject from identity order by id').all(),
  db.prepare('select id, user_id, credential_id, public_key from passkey order by id').all(),
];

test('no statement makes what signs one person in sign in another, or somebody else’s key theirs', () => {
  const before = ways();
  expect(before.map((rows) => rows.length)).toEqual([2, 2]);
  const [of, hers] = [`where user_id = '${ada.userId}'`, `'${eve.userId}'`];
  for (const statement of [
    `update identity set user_id = ${hers} ${of}`,
    `update identity set subject = 'another' ${of}`,
    `update identity set issuer = 'https://evil.example' ${of}`,
    `update or replace identity set id = 'idt_${eve.userId}' ${of}`,
    `insert or replace into identity (id, user_id, issuer, subject, linked_at) select id, ${hers}, issuer, subject, 1 from identity ${of}`,
    `insert or replace into identity (id, user_id, issuer, subject, linked_at) select 'idt_new', ${hers}, issuer, subject, 1 from identity ${of}`,
    `update passkey set user_id = ${hers} ${of}`,
    `update passkey set public_key = 'key_${eve.userId}' ${of}`,
    `update passkey set credential_id = 'another' ${of}`,
    `insert or replace into passkey select 'pky_new', ${hers}, credential_id, public_key, counter, transports, name, synced, created_at, last_used_at from passkey ${of}`,
    `insert or replace into passkey select id, ${hers}, 'another', public_key, counter, transports, name, synced, created_at, last_used_at from passkey ${of}`,
  ])
    expect(() => db.exec(statement), statement).toThrow(/change hands|UNIQUE constraint/);
  expect(ways()).toEqual(before);
});

test('what a deleted person signed in with goes with them, also without foreign keys', () => {
  db.pragma('foreign_keys = OFF');
  db.prepare('delete from user where id = ?').run(ada.userId);
  expect(ways()).toEqual([
    [expect.objectContaining({ user_id: eve.userId })],
    [expect.objectContaining({ user_id: eve.userId })],
  ]);
});

test('nobody whose account was deleted comes back by an invitation from before they left; one made since then stays', async () => {
  const token = await scimToken(s);
  const scim = scimCaller(() => ({ url: s.url, token }));
  const invite = async (email: string) => {
    const { body } = await s.as(s.owner, 'POST', 'W/invitations', { email, role: 'admin' });
    return new URL(body.link).hash.slice(1);
  };
  const accept = (token: string) =>
    call(s.url, 'POST', '/v1/invitations/accept', { body: { token, name: 'Nia', password: 'correct horse battery' } });
  const come = async (email: string) => (await scim('POST', '/Users', { userName: email })).body.id as string;
  const erase = (id: string) => db.prepare('delete from user where id = ?').run(id);
  const leave = (id: string) => db.prepare('delete from membership where user_id = ?').run(id);
  for (const email of ['nia@acme.example', 'nia.left@acme.example']) {
    const before = await invite(email);
    const id = await come(email);
    if (email.includes('left')) leave(id);
    erase(id);
    expect([email, (await accept(before)).status]).toEqual([email, 404]);
    const log = await s.as(s.owner, 'GET', `W/audit?action=invitation.withdrawn&target=${email}`);
    expect(log.body.items).toMatchObject([
      { actor: { type: 'database' }, before: { role: 'admin' }, source: 'outside' },
    ]);
  }
  const id = await come('nia.again@acme.example');
  leave(id);
  const left = Date.now();
  await expect.poll(() => Date.now()).toBeGreaterThan(left);
  const since = await invite('nia.again@acme.example');
  erase(id);
  expect((await accept(since)).status).toBe(201);
  expect((await s.as(s.owner, 'GET', 'W/audit/verify')).body.valid).toBe(true);
});
