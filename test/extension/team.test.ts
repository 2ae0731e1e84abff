import '../support/fake-browser.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ask } from '../../extension/messages/send.ts';
import { host } from '../support/fake-browser.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { published, Worker } from '../support/worker.ts';

let s: Scenario;
let worker: Worker;
let undoOver: () => void;
beforeAll(async () => {
  s = await scenario();
});
afterAll(() => s.end());
beforeEach(async () => {
  host.reset();
  worker = new Worker();
  worker.pause = (ms) =>
    new Promise((resolve) => {
      undoOver = () => {
        worker.ahead += ms;
        resolve();
      };
    });
  await worker.start();
  await worker.connectAs(s.url, s.owner);
});
afterEach(() => worker.kill());

const open = async () =>
  ((await s.as(s.owner, 'GET', 'W/invitations')).body.items as { id: string }[]).map((i) => i.id);
async function invited(email: string) {
  const made = await ask('team.invite', { emails: [email], role: 'member' });
  const [one] = made.ok ? made.value.sent : [];
  if (!one) throw new Error(JSON.stringify(made));
  return one;
}

describe('an invitation', () => {
  test('has its link until the browser is closed, in memory only', async () => {
    const { id, link } = await invited('one@acme.example');
    expect((await published('team'))?.invitations).toMatchObject([{ id, link, withdrawing: false }]);
    expect(await host.stored('local')).not.toContain(link);
    await host.quit();
    await worker.start();
    await ask('team.refresh');
    expect((await published('team'))?.invitations).toMatchObject([{ id, link: null }]);
  });

  test('goes to several addresses; one that is refused keeps nobody else from theirs', async () => {
    const emails = ['five@acme.example', s.owner.email, 'six@acme.example'];
    const made = await ask('team.invite', { emails, role: 'member' });
    if (!made.ok) throw new Error(made.failure.title);
    const { sent, refused } = made.value;
    expect(sent.map(({ email, mailed }) => [email, mailed])).toEqual([
      ['five@acme.example', false],
      ['six@acme.example', false],
    ]);
    expect(new Set(sent.map(({ link }) => link)).size).toBe(2);
    expect(refused).toMatchObject([{ email: s.owner.email, failure: { code: 'conflict' } }]);
    expect(await open()).toEqual(expect.arrayContaining(sent.map(({ id }) => id)));
  });

  test('is not tried for the others when the first failure would meet them, too', async () => {
    const admin = await s.member('Nora', 'admin');
    await worker.connectAs(s.url, admin);
    await ask('refresh');
    const made = await ask('team.invite', { emails: ['a@acme.example', 'b@acme.example'], role: 'owner' });
    expect(made).toMatchObject({
      ok: true,
      value: { sent: [], refused: [{ email: 'a@acme.example', failure: { code: 'forbidden' } }] },
    });
    expect(made.ok && made.value.refused).toHaveLength(1);
  });

  test('that is made again takes the place of the one before, with a new link', async () => {
    const [first, again] = [await invited('seven@acme.example'), await invited('seven@acme.example')];
    expect(again.link).not.toBe(first.link);
    const ids = await open();
    expect([ids.includes(first.id), ids.includes(again.id)]).toEqual([false, true]);
  });

  test('is withdrawn when the time to undo is over', async () => {
    const { id } = await invited('two@acme.example');
    await ask('team.withdraw', { invitationId: id });
    expect(await open()).toContain(id);
    expect((await published('team'))?.invitations.find((i) => i.id === id)?.withdrawing).toBe(true);
    undoOver();
    await expect.poll(open).not.toContain(id);
  });

  test('stays when the withdrawal is undone', async () => {
    const { id } = await invited('three@acme.example');
    await ask('team.withdraw', { invitationId: id });
    await ask('team.keepInvitation', { invitationId: id });
    undoOver();
    await worker.restart();
    expect(await open()).toContain(id);
    expect((await published('team'))?.invitations.find((i) => i.id === id)?.withdrawing).toBe(false);
  });

  test('is withdrawn although the worker was stopped in between', async () => {
    const { id } = await invited('four@acme.example');
    await ask('team.withdraw', { invitationId: id });
    worker.kill();
    worker.ahead += 11_000;
    await worker.start();
    await expect.poll(open).not.toContain(id);
  });
});

describe('a member', () => {
  test('is removed, and their keys are shown as revoked', async () => {
    const jonas = await s.member('Jonas');
    const key = await s.key(jonas, { name: 'cli-jonas-mbp' });
    expect(await ask('team.remove', { memberId: jonas.membershipId })).toMatchObject({
      ok: true,
      value: { revokedKeys: 1 },
    });
    expect((await published('team'))?.members.map((m) => m.name)).not.toContain('Jonas');
    const shown = (await published('snapshot'))?.allKeys?.find((k) => k.id === key.id);
    expect(shown).toMatchObject({ status: 'revoked', revokedReason: 'member_left' });
  });

  test('is previewed first, and is not removed on a preview that no longer holds', async () => {
    const { membershipId: memberId, ...person } = await s.member('Priya');
    const preview = await ask('team.previewRemoval', { memberId });
    if (!preview.ok) throw new Error(preview.failure.title);
    expect(preview.value).toMatchObject({ member: { name: 'Priya' }, keys: [] });
    const key = await s.key({ ...person, membershipId: memberId }, { name: 'made in between' });
    const { version } = preview.value;
    expect(await ask('team.remove', { memberId, version })).toMatchObject({
      ok: false,
      failure: { code: 'precondition_failed', errors: [{ path: `keys.${key.id}` }] },
    });
    const now = await ask('team.previewRemoval', { memberId });
    const newer = now.ok ? now.value.version : undefined;
    expect(await ask('team.remove', { memberId, version: newer })).toMatchObject({ ok: true });
  });

  test('is suspended and reinstated, and changes roles', async () => {
    const { membershipId: memberId } = await s.member('Marc');
    const now = async () => (await published('team'))?.members.find((m) => m.id === memberId);
    await ask('team.suspend', { memberId });
    expect((await now())?.status).toBe('suspended');
    await ask('team.reinstate', { memberId });
    await ask('team.setRole', { memberId, role: 'admin' });
    expect(await now()).toMatchObject({ status: 'active', role: 'admin' });
  });

  test('cannot be removed when they are the last owner, and the reason arrives', async () => {
    expect(await ask('team.remove', { memberId: s.owner.membershipId })).toMatchObject({
      ok: false,
      failure: { code: 'last_owner' },
    });
  });
});
