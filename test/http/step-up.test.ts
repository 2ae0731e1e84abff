import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Endpoint } from '../../shared/contract/endpoint.ts';
import { endpoints } from '../../shared/contract/index.ts';
import { approveCommandLine, approveExtension } from '../support/approvals.ts';
import { type PageVisitor, visitor } from '../support/browserless.ts';
import { call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

const QUARTER = 15 * 60_000;
let s: Scenario;
beforeAll(async () => {
  s = await scenario();
});
afterAll(() => s.end());

const pathOf = (endpoint: Endpoint) =>
  endpoint.path.replace(':workspaceId', s.workspaceId).replaceAll(/:\w+/g, 'nobody_here');
const current = async (token: string): Promise<string> =>
  (await call(s.url, 'GET', '/v1/sessions', { token })).body.items.find((i: { current: boolean }) => i.current).id;
/** The owner, with a session of their own for each test. */
const fresh = async (): Promise<Person> => ({ ...s.owner, token: await s.signIn(s.owner) });

test('every endpoint that asks for a recent sign-in refuses an older one, and only those do', async () => {
  const owner = await fresh();
  s.companion.pass(QUARTER + 1);
  const asked = endpoints.filter((e) => e.stepUp);
  expect(asked.map((e) => e.id).sort()).toEqual([
    ...['addPasskey', 'createResetLink', 'createScimToken', 'editMember', 'editScim', 'removeIdentity', 'removeMember'],
    ...['removePasskey', 'removeSso', 'rotateScimToken', 'saveSso', 'startPasskey'],
  ]);
  for (const endpoint of asked) {
    const answer = await call(s.url, endpoint.method, pathOf(endpoint), { token: owner.token });
    expect([endpoint.id, answer.body.code]).toEqual([endpoint.id, 'step_up_required']);
    expect(answer.status).toBe(403);
  }
  expect((await s.as(owner, 'GET', 'W/members')).status).toBe(200);
});

test('a sign-in counts for fifteen minutes', async () => {
  const owner = await fresh();
  const ben = await s.member('Ben');
  s.companion.pass(QUARTER - 60_000);
  expect((await s.as(owner, 'DELETE', `W/members/${ben.membershipId}`)).status).toBe(200);
});

test('inviting an owner or an admin asks for a recent sign-in, inviting a member does not', async () => {
  const owner = await fresh();
  s.companion.pass(QUARTER + 1);
  const invite = (email: string, role: string) => s.as(owner, 'POST', 'W/invitations', { email, role });
  expect((await invite('two@acme.example', 'owner')).body.code).toBe('step_up_required');
  expect((await invite('three@acme.example', 'admin')).body.code).toBe('step_up_required');
  expect((await invite('four@acme.example', 'member')).status).toBe(201);
});

test('nobody is asked to confirm for what they may not do anyway', async () => {
  const cleo = await s.member('Cleo');
  s.companion.pass(QUARTER + 1);
  const answer = await s.as(cleo, 'DELETE', `W/sso`);
  expect(answer.body.code).toBe('forbidden');
});

test('the password renews a session, a wrong one does not, and the other sessions stay old', async () => {
  const [owner, other] = [await fresh(), await fresh()];
  s.companion.pass(QUARTER + 1);
  const confirm = (password: string) => s.as(owner, 'POST', '/v1/sessions/current/confirm', { password });
  expect((await confirm('not it at all')).body.code).toBe('forbidden');
  expect((await s.as(owner, 'DELETE', 'W/sso')).body.code).toBe('step_up_required');
  expect((await confirm(owner.password)).status).toBe(200);
  expect((await s.as(owner, 'DELETE', 'W/sso')).status).toBe(204);
  expect((await s.as(other, 'DELETE', 'W/sso')).body.code).toBe('step_up_required');
});

test('a recent sign-in in the browser vouches for the session of the extension, an old one does not', async () => {
  const extension = await fresh();
  s.companion.pass(QUARTER + 1);
  const refused = await s.as(extension, 'DELETE', 'W/sso');
  const sessionId = new URL(refused.body.confirmAt).searchParams.get('session') ?? '';
  expect(sessionId).toBe(await current(extension.token));
  const browser = await fresh();
  expect((await s.as(extension, 'POST', `/v1/sessions/${sessionId}/confirm`, {})).body.code).toBe('step_up_required');
  expect((await s.as(browser, 'POST', `/v1/sessions/${sessionId}/confirm`, {})).status).toBe(200);
  expect((await s.as(extension, 'DELETE', 'W/sso')).status).toBe(204);
  s.companion.pass(QUARTER + 1);
  expect((await s.as(browser, 'POST', `/v1/sessions/${sessionId}/confirm`, {})).body.code).toBe('step_up_required');
});

test.each([
  ['an extension', approveExtension],
  ['a command line', approveCommandLine],
])('approving %s is no sign-in: its session is as recently signed in as the browser was', async (_, approve) => {
  const sessionOf = async (page: PageVisitor) => {
    const { status, body } = await (await approve(s.url, page)).redeem();
    expect(status).toBeLessThan(300);
    return { ...s.owner, token: body.session.token };
  };
  const page = visitor(s.url);
  await page.submit('/signin', { email: s.owner.email, password: s.owner.password });
  const early = await sessionOf(page);
  expect((await s.as(early, 'DELETE', 'W/sso')).status).toBe(204);
  s.companion.pass(QUARTER - 60_000);
  const later = await sessionOf(page);
  expect((await s.as(later, 'DELETE', 'W/sso')).status).toBe(204);
  s.companion.pass(120_000);
  const late = await sessionOf(page);
  for (const one of [early, later, late])
    expect((await s.as(one, 'DELETE', 'W/sso')).body.code).toBe('step_up_required');
});

test('nobody confirms somebody else’s session', async () => {
  const [owner, dora] = [await fresh(), await s.member('Dora')];
  const sessionId = await current(owner.token);
  const body = { password: dora.password };
  expect((await s.as(dora, 'POST', `/v1/sessions/${sessionId}/confirm`, body)).status).toBe(404);
  expect((await s.as(undefined, 'POST', `/v1/sessions/${sessionId}/confirm`, body)).status).toBe(401);
});

test('guessing the password of a session is slowed down', async () => {
  const owner = await fresh();
  const codes: string[] = [];
  for (let i = 0; i < 12; i++)
    codes.push((await s.as(owner, 'POST', '/v1/sessions/current/confirm', { password: `guess ${i}` })).body.code);
  expect(codes.at(-1)).toBe('rate_limited');
});
