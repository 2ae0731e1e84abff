import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acceptInvitation } from '../../companion/app/accept-invitation.ts';
import { authorize, changeAs, type MemberCaller } from '../../companion/app/caller.ts';
import { changePassword } from '../../companion/app/change-password.ts';
import { approveConnection } from '../../companion/app/connect.ts';
import type { Deps } from '../../companion/app/deps.ts';
import { beginDevice, decideDevice } from '../../companion/app/device.ts';
import { resetPassword } from '../../companion/app/reset.ts';
import { authenticateSession, signIn } from '../../companion/app/sessions.ts';
import { confirmSession } from '../../companion/app/step-up.ts';
import { approveCommandLine, approveExtension } from '../support/approvals.ts';
import { visitor } from '../support/browserless.ts';
import { call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

// What a request was let in by may end before it writes: between the two lies the reading of its body, the hashing of a password,
// the wait for the write lock.

let s: Scenario;
let n = 0;
beforeAll(async () => {
  s = await scenario();
});
afterAll(() => s.end());

const fragment = (link: string) => new URL(link).hash.slice(1);
const ORIGIN = { requestId: 'req_1', ip: '127.0.0.1', userAgent: null };
const NEW = 'a new and better passphrase';
/** Somebody as they are once their request was let in. */
async function letIn(person: Person): Promise<MemberCaller> {
  const { deps } = s.companion;
  const caller = await authenticateSession(deps, person.token, ORIGIN);
  return { ...caller, member: await authorize(deps.store.read, caller.user.id, s.workspaceId, 'key.create') };
}
const sql = (text: string, ...args: unknown[]) => {
  const db = new Database(s.companion.deps.store.files.database);
  db.prepare(text).run(...args);
  db.close();
};

type Write = (caller: MemberCaller) => Promise<unknown>;
const inTheWorkspace: Write = (caller) =>
  changeAs(s.companion.deps, caller, 'key.create', async ({ tx }) => {
    await tx.updateTable('workspace').set({ name: 'Written' }).execute();
  });
const ofOnesOwn: Write = (caller) => changePassword(s.companion.deps, caller, { newPassword: NEW });
const extension: Write = (caller) =>
  approveConnection(s.companion.deps, caller, {
    label: 'Chrome',
    code_challenge: createHash('sha256').update('v').digest('base64url'),
  });
const commandLine: Write = async (caller) => {
  const { user_code } = await beginDevice(s.companion.deps, { client_id: 'heex-cli' }, ORIGIN);
  await decideDevice(s.companion.deps, caller, user_code, 'approved');
};
const accept: Write = async (caller) => {
  const { body } = await s.as(s.owner, 'POST', 'W/invitations', { email: caller.user.email, role: 'member' });
  await acceptInvitation(s.companion.deps, { token: fragment(body.link) }, caller, ORIGIN);
};

const ended = async (person: Person) => {
  expect((await s.as(person, 'DELETE', '/v1/sessions/current')).status).toBe(204);
};
const expired = async (person: Person) =>
  sql('update session set expires_at = ? where user_id = ?', s.companion.deps.now(), person.userId);
const removed = async (person: Person) => {
  expect((await s.as(s.owner, 'DELETE', `W/members/${person.membershipId}`)).status).toBe(200);
};
const closed = async (person: Person) => sql('update user set disabled_at = 1 where id = ?', person.userId);

const ENDINGS: [string, (person: Person) => Promise<void>, [string, Write][]][] = [
  [
    'the session was ended',
    ended,
    [
      ['a change in the workspace', inTheWorkspace],
      ['a change of one’s own', ofOnesOwn],
      ['letting an extension in', extension],
      ['letting a command line in', commandLine],
    ],
  ],
  [
    'the session expired',
    expired,
    [
      ['a change in the workspace', inTheWorkspace],
      ['a change of one’s own', ofOnesOwn],
    ],
  ],
  [
    'the person was removed',
    removed,
    [
      ['a change in the workspace', inTheWorkspace],
      ['a change of one’s own', ofOnesOwn],
      ['letting an extension in', extension],
      ['letting a command line in', commandLine],
      ['accepting an invitation', accept],
    ],
  ],
  [
    'the account was closed',
    closed,
    [
      ['a change of one’s own', ofOnesOwn],
      ['letting an extension in', extension],
      ['letting a command line in', commandLine],
    ],
  ],
];
for (const [what, end, writes] of ENDINGS)
  describe(`once ${what}`, () => {
    test.each(writes)('%s that was on its way is refused, and nothing is written', async (_, write) => {
      const person = await s.member(`Late ${++n}`);
      const caller = await letIn(person);
      await end(person);
      await expect(write(caller)).rejects.toMatchObject({ code: 'unauthorized' });
      const { read } = s.companion.deps.store;
      expect(await read.selectFrom('workspace').select('name').execute()).toEqual([{ name: 'Acme Robotics' }]);
      for (const table of ['connect_code', 'device_code'] as const)
        expect(await read.selectFrom(table).select('user_id').where('user_id', '=', caller.user.id).execute()).toEqual(
          [],
        );
    });
  });

test.each([
  ['suspended', (path: string) => s.as(s.owner, 'POST', `${path}/suspend`)],
  ['made a plain member', (path: string) => s.as(s.owner, 'PATCH', path, { role: 'member' })],
])('a change by somebody who was %s meanwhile is refused', async (_, act) => {
  const person = await s.member(`Admin ${++n}`, 'admin');
  const caller = await letIn(person);
  expect((await act(`W/members/${person.membershipId}`)).status).toBe(200);
  const late = changeAs(s.companion.deps, caller, 'member.edit', async ({ tx }) => {
    await tx.updateTable('workspace').set({ name: 'Written' }).execute();
  });
  await expect(late).rejects.toMatchObject({ code: 'forbidden' });
});

test('a new password ends what was approved with the old one, and what was asked with the old one is refused', async () => {
  const ida = await s.member('Ida');
  const page = visitor(s.url);
  await page.submit('/signin', { email: ida.email, password: ida.password });
  const approvals = [await approveExtension(s.url, page), await approveCommandLine(s.url, page)];
  const caller = await letIn(ida);
  const change = (newPassword: string) =>
    call(s.url, 'POST', '/v1/me/password', {
      token: ida.token,
      body: { currentPassword: ida.password, newPassword },
    });
  // Both gave the present password; the second to write finds another.
  const answers = await Promise.all([change(NEW), change(`${NEW} of another tab`)]);
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409]);
  for (const { redeem } of approvals) expect((await redeem()).status).toBeGreaterThanOrEqual(400);
  expect(
    await s.companion.deps.store.read.selectFrom('session').select('id').where('user_id', '=', ida.userId).execute(),
  ).toEqual([{ id: caller.session.id }]);
});

/** The companion's own parts; while a password is hashed or compared, something else happens. */
const whileHashing = (happens: () => void): Deps => {
  const { deps } = s.companion;
  const then = async <T>(done: Promise<T>): Promise<T> => {
    const result = await done;
    happens();
    return result;
  };
  const { hash, matches } = deps.passwords;
  return {
    ...deps,
    passwords: { hash: (given) => then(hash(given)), matches: (given, kept) => then(matches(given, kept)) },
  };
};

describe('while a password is hashed', () => {
  const invited = async (email: string) =>
    fragment((await s.as(s.owner, 'POST', 'W/invitations', { email, role: 'member' })).body.link);

  test.each([
    ['withdrawn', 'update invitation set withdrawn_at = 1 where email = ?'],
    ['used', 'update invitation set accepted_at = 1 where email = ?'],
  ])('an invitation that is %s lets nobody join', async (_, statement) => {
    const email = `new${++n}@acme.example`;
    const input = { token: await invited(email), name: 'New', password: NEW };
    const deps = whileHashing(() => sql(statement, email));
    await expect(acceptInvitation(deps, input, undefined, ORIGIN)).rejects.toMatchObject({ code: 'not_found' });
    expect(
      await s.companion.deps.store.read.selectFrom('user').select('id').where('email', '=', email).execute(),
    ).toEqual([]);
  });

  test.each([
    ['whose account is closed', 'update user set disabled_at = 1 where id = ?'],
    ['whose password is changed', `update user set password_hash = 'another' where id = ?`],
  ])('nobody %s is signed in by the old one', async (_, statement) => {
    const { email, password, userId } = await s.member(`Slow ${++n}`);
    const deps = whileHashing(() => sql(statement, userId));
    await expect(signIn(deps, { email, password }, ORIGIN)).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('a reset link that is used sets no second password', async () => {
    const { membershipId, userId } = await s.member(`Slow ${++n}`);
    const token = fragment((await s.as(s.owner, 'POST', `W/members/${membershipId}/reset`)).body.link);
    const deps = whileHashing(() => sql('delete from reset_token where user_id = ?', userId));
    await expect(resetPassword(deps, { token, newPassword: NEW }, ORIGIN)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('a session is not confirmed by a password that is changed', async () => {
    const person = await s.member(`Slow ${++n}`);
    const deps = whileHashing(() => sql(`update user set password_hash = 'another' where id = ?`, person.userId));
    const late = confirmSession(deps, await letIn(person), 'current', { password: person.password }, undefined);
    await expect(late).rejects.toMatchObject({ code: 'forbidden' });
  });
});

test('an invitation is for the address that the account has when it is accepted', async () => {
  const mel = await s.member(`Mel ${++n}`);
  await removed(mel);
  const back = { ...mel, token: await s.signIn(mel) };
  const { deps } = s.companion;
  const caller = await authenticateSession(deps, back.token, ORIGIN);
  const { link } = (await s.as(s.owner, 'POST', 'W/invitations', { email: mel.email, role: 'member' })).body;
  sql('update user set email = ? where id = ?', `renamed${n}@acme.example`, mel.userId);
  const late = acceptInvitation(deps, { token: fragment(link) }, caller, ORIGIN);
  await expect(late).rejects.toMatchObject({ code: 'not_found' });
});

test('a change of one’s own by a closed account is refused without the database’s help, too', async () => {
  const kay = await s.member('Kay');
  const caller = await letIn(kay);
  sql('drop trigger user_disabled');
  await closed(kay);
  await expect(ofOnesOwn(caller)).rejects.toMatchObject({ code: 'unauthorized' });
});
