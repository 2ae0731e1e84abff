import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { visitor } from '../support/browserless.ts';
import { call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

// Passkeys and single sign-on have the same guarantee in `passkeys.test.ts` and `oidc.test.ts`.

let s: Scenario;
beforeAll(async () => {
  s = await scenario();
});
afterAll(() => s.end());

const VERIFIER = 'v'.repeat(43);
const state = 's'.repeat(43);
const form = (path: string, fields: Record<string, string>) =>
  call(s.url, 'POST', path, {
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });

/** Everything by which somebody could come in later, prepared while they may. */
async function prepare(person: Person) {
  const page = visitor(s.url);
  await page.submit('/signin', { email: person.email, password: person.password });
  const connect = {
    client: 'extension',
    label: 'Chrome',
    state,
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    code_challenge_method: 'S256',
  };
  const approved = await page.submit('/connect', { ...connect, decision: 'approve' });
  const code = new URLSearchParams(new URL(approved.location ?? '', s.url).hash.slice(1)).get('code');
  const device = (await form('/v1/device/code', { client_id: 'heex-cli' })).body;
  await page.submit('/device/decide', { code: device.user_code, decision: 'approve' });
  const { link } = (await s.as(s.owner, 'POST', `W/members/${person.membershipId}/reset`)).body;
  const token = new URL(link).hash.slice(1);
  const grant = 'urn:ietf:params:oauth:grant-type:device_code';
  const { email, password } = person;
  return {
    'the password': () => call(s.url, 'POST', '/v1/sessions', { body: { email, password } }),
    'a session': () => call(s.url, 'GET', '/v1/me', { token: person.token }),
    'the cookie of a browser': async () =>
      (await page.get('/')).location === '/signin' ? { status: 401 } : { status: 200 },
    'an approved extension': () => call(s.url, 'POST', '/v1/connect/token', { body: { code, codeVerifier: VERIFIER } }),
    'an approved command line': () =>
      form('/v1/device/token', { grant_type: grant, client_id: 'heex-cli', device_code: device.device_code }),
    'a reset link': () =>
      call(s.url, 'POST', '/v1/password/reset', { body: { token, newPassword: 'a new passphrase' } }),
  };
}

test('every way in works until the account is closed, and none after', async () => {
  const open = await prepare(await s.member('Ada Open'));
  for (const [way, enter] of Object.entries(open)) expect([way, (await enter()).status < 300]).toEqual([way, true]);
  const ben = await s.member('Ben Closed');
  const closed = await prepare(ben);
  const db = new Database(s.companion.deps.store.files.database);
  db.prepare('update user set disabled_at = 1 where id = ?').run(ben.userId);
  db.close();
  for (const [way, enter] of Object.entries(closed)) expect([way, (await enter()).status >= 400]).toEqual([way, true]);
});
