import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { approveCommandLine, approveExtension } from '../support/approvals.ts';
import { visitor } from '../support/browserless.ts';
import { call } from '../support/client.ts';
import { SETUP_TOKEN, testCompanion } from '../support/companion.ts';
import { hostileProvider } from '../support/hostile-provider.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

const fragment = (link: string) => new URL(link).hash.slice(1);

/** One of everything that lets somebody in, by what it is. */
async function everySecret(s: Scenario): Promise<Record<string, string[]>> {
  const { owner } = s;
  const as = async (method: string, path: string, body?: object) => (await s.as(owner, method, path, body)).body;
  const page = visitor(s.url);
  await page.submit('/signin', { email: owner.email, password: owner.password });
  const [extension, commandLine] = [await approveExtension(s.url, page), await approveCommandLine(s.url, page)];
  const used = await approveExtension(s.url, page);
  const key = await as('POST', 'W/keys', { name: 'nightly', environment: 'production' });
  const rotated = await as('POST', `W/keys/${key.key.id}/rotate`, { overlapSeconds: 3600 });
  const scim = await as('POST', 'W/scim/tokens', { name: 'Okta' });
  const mia = await s.member('Mia');
  return {
    password: [owner.password],
    'session token': [owner.token, mia.token, (await used.redeem()).body.session.token],
    'session cookie': [page.cookies.get('heex_session') ?? ''],
    'connect code': [...extension.secrets, ...used.secrets],
    'device and user code': commandLine.secrets,
    'key secret': [key.secret, rotated.secret],
    'verifier secret': [await s.verifier()],
    'SCIM token': [scim.secret, (await as('POST', `W/scim/tokens/${scim.token.id}/rotate`)).secret],
    invitation: [fragment((await as('POST', 'W/invitations', { email: 'new@acme.example', role: 'member' })).link)],
    'reset link': [fragment((await as('POST', `W/members/${mia.membershipId}/reset`)).link)],
  };
}

/** Every byte in a folder and in a log. */
const everything = (folder: string, lines: readonly string[]) =>
  Buffer.concat([...readdirSync(folder).map((name) => readFileSync(join(folder, name))), Buffer.from(lines.join())]);
/** What would do instead of it: without its kind in front and its checksum behind. */
const core = (secret: string) => (/^heex[a-z]?_/.test(secret) ? secret.slice(-46, -6) : secret);

test('nothing that lets somebody in is in the files or in the log, in whole or without its frame', async () => {
  const s = await scenario();
  const idp = await hostileProvider();
  const clientSecret = 'client secret for tests 0123456789';
  const client = { issuer: idp.issuer, clientId: 'heex-keys', clientSecret, name: 'SSO', domains: [] };
  expect((await s.as(s.owner, 'PUT', 'W/sso', client)).status).toBe(200);
  const secrets = { ...(await everySecret(s)), 'client secret': [clientSecret] };
  await s.companion.deps.background.idle();
  const { folder, lines } = s.companion;
  const bytes = everything(folder, lines);
  for (const [kind, values] of Object.entries(secrets))
    for (const value of values) {
      expect([kind, value.length > 7, bytes.includes(core(value))]).toEqual([kind, true, false]);
    }
  // What is no secret is there, so that this looked at the right bytes.
  for (const known of [s.owner.email, 'new@acme.example', 'nightly', s.workspaceId])
    expect(bytes.includes(known)).toBe(true);
  await s.end();
  await idp.close();
});

test('nor is the setup token, while it waits', async () => {
  const companion = await testCompanion();
  expect((await call(companion.url, 'GET', '/readyz')).status).toBe(200);
  expect(everything(companion.folder, companion.lines).includes(SETUP_TOKEN)).toBe(false);
  await companion.end();
});
