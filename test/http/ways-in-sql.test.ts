import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

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
