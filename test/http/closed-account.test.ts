import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { approveCommandLine, approveExtension } from '../support/approvals.ts';
import { visitor } from '../support/browserless.ts';
import { call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

// Passkeys and single sign-on have the same guarantee in `passkeys.test.ts` and `oidc.test.ts`.

let s: Scenario;
beforeAll(async () => {
  s = await scenario();
});
afterAll(() => s.end());

/** Everything by which somebody could come in later, prepared while they may. */
async function prepare(person: Person) {
  const page = visitor(s.url);
  await page.submit('/signin', { email: person.email, password: person.password });
  const [extension, commandLine] = [await approveExtension(s.url, page), await approveCommandLine(s.url, page)];
  const { link } = (await s.as(s.owner, 'POST', `W/members/${person.membershipId}/reset`)).body;
  const token = new URL(link).hash.slice(1);
  const { email, password } = person;
  return {
    'the password': () => call(s.url, 'POST', '/v1/sessions', { body: { email, password } }),
    'a session': () => call(s.url, 'GET', '/v1/me', { token: person.token }),
    'the cookie of a browser': async () =>
      (await page.get('/')).location === '/signin' ? { status: 401 } : { status: 200 },
    'an approved extension': extension.redeem,
    'an approved command line': commandLine.redeem,
    'a reset link': () =>
      call(s.url, 'POST', '/v1/password/reset', { body: { token, newPassword: 'a new passphrase' } }),
  };
}

const sql = (...statements: string[]) => {
  const db = new Database(s.companion.deps.store.files.database);
  try {
    for (const statement of statements) db.exec(statement);
  } finally {
    db.close();
  }
};
const close = (person: Person) => sql(`update user set disabled_at = 1 where id = '${person.userId}'`);
const refusals = async (ways: Awaited<ReturnType<typeof prepare>>) => {
  const said: [string, boolean][] = [];
  for (const [way, enter] of Object.entries(ways)) {
    const { status } = await enter();
    said.push([way, status >= 400 && status < 500]);
  }
  return said;
};
const every = (ways: object, refused: boolean) => Object.keys(ways).map((way) => [way, refused]);

test('every way in works until the account is closed, and none after', async () => {
  const open = await prepare(await s.member('Ada Open'));
  expect(await refusals(open)).toEqual(every(open, false));
  const ben = await s.member('Ben Closed');
  const closed = await prepare(ben);
  close(ben);
  expect(await refusals(closed)).toEqual(every(closed, true));
});

test('closing the account leaves nothing in the database that could let somebody in', async () => {
  const cy = await s.member('Cy Closed');
  await prepare(cy);
  const left = async () => {
    const count = (table: 'session' | 'connect_code' | 'device_code' | 'reset_token') =>
      s.companion.deps.store.read.selectFrom(table).select('user_id').where('user_id', '=', cy.userId).execute();
    const tables = ['session', 'connect_code', 'device_code', 'reset_token'] as const;
    return Promise.all(tables.map(async (table) => (await count(table)).length));
  };
  expect(await left()).toEqual([2, 1, 1, 1]);
  close(cy);
  expect(await left()).toEqual([0, 0, 0, 0]);
});

test('the database itself neither signs in nor lets back in whose account is closed', async () => {
  const eve = await s.member('Eve Closed');
  const of = `where user_id = '${eve.userId}'`;
  sql(`update membership set suspended_at = 1 ${of}`);
  close(eve);
  for (const statement of [
    `update membership set suspended_at = null ${of}`,
    `insert into membership (id, workspace_id, user_id, role, joined_at) select 'mem_again', 'ws_again', user_id, role, 1 from membership ${of}`,
    `insert into session (id, user_id, token_hash, client, label, created_at, last_used_at, expires_at, authenticated_at)
       values ('ses_again', '${eve.userId}', 'x', 'web', '', 1, 1, 1, 1)`,
  ])
    expect(() => sql(statement), statement).toThrow('deprovisioned');
});

// The database forgets sessions and approvals and refuses new ones; without that the companion still lets nobody in.
test('no way in depends on the triggers of the database alone', async () => {
  const dan = await s.member('Dan Closed');
  const ways = await prepare(dan);
  sql('drop trigger user_disabled', 'drop trigger session_of_enabled', 'drop trigger membership_of_enabled');
  close(dan);
  expect(await refusals(ways)).toEqual(every(ways, true));
});
