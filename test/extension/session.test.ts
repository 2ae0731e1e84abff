import '../support/fake-browser.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ask } from '../../extension/messages/send.ts';
import { host } from '../support/fake-browser.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';
import { published, Worker } from '../support/worker.ts';

const LOOPBACK = 'http://127.0.0.1/*';
let s: Scenario;
let ada: Person;
let worker: Worker;
beforeAll(async () => {
  s = await scenario();
});
afterAll(() => s.end());
let count = 0;
beforeEach(async () => {
  host.reset();
  ada = await s.member(`Ada ${++count}`);
  worker = new Worker();
  await worker.start();
  await worker.connectAs(s.url, ada);
});
afterEach(() => worker.kill());

const create = (name: string) =>
  ask('key.create', { attempt: crypto.randomUUID(), body: { name, environment: 'development' } });

describe('the lists', () => {
  test('are those of the person, and an admin’s have everyone’s keys too', async () => {
    await s.key(ada, { name: 'of ada' });
    await ask('refresh');
    expect(await published('snapshot')).toMatchObject({
      user: { email: ada.email },
      membership: { role: 'member' },
      keys: [{ name: 'of ada' }],
      allKeys: null,
    });
    await worker.connectAs(s.url, s.owner);
    const lists = await published('snapshot');
    expect(lists?.keys.some((key) => key.name === 'of ada')).toBe(false);
    expect(lists?.allKeys?.some((key) => key.name === 'of ada')).toBe(true);
  });

  test('stay readable while the server is away, with the time that they are of', async () => {
    const before = await published('snapshot');
    worker.meddle = async () => {
      throw new TypeError('network');
    };
    worker.ahead = 60_000;
    await ask('refresh');
    expect(await published('snapshot')).toEqual(before);
    expect(await published('sync')).toMatchObject({ failure: { code: 'network' } });
    expect(await published('connection')).toMatchObject({ status: 'connected' });
    worker.meddle = (_request, answer) => answer();
    await ask('refresh');
    expect(await published('sync')).toMatchObject({ failure: null });
  });

  test('that were asked for before a change do not undo it', async () => {
    const made = await create('raced');
    if (!made.ok) throw new Error(made.failure.title);
    await ask('secret.dismiss', { id: made.value.id });
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let holding = 1;
    worker.meddle = async (request, answer) => {
      const response = await answer();
      if (request.method === 'GET' && request.path.endsWith('/keys') && holding-- > 0) await held;
      return response;
    };
    const refreshed = ask('refresh');
    await expect.poll(() => holding).toBe(0);
    await ask('key.disable', { keyId: made.value.key.id });
    release();
    await refreshed;
    expect((await published('snapshot'))?.keys[0]?.status).toBe('disabled');
  });

  test('follow an edit, a disabling and a revocation', async () => {
    const made = await create('one');
    if (!made.ok) throw new Error(made.failure.title);
    const keyId = made.value.key.id;
    const now = async () => (await published('snapshot'))?.keys[0];
    await ask('key.edit', { keyId, body: { name: 'two' } });
    expect((await now())?.name).toBe('two');
    await ask('key.disable', { keyId });
    expect((await now())?.status).toBe('disabled');
    await ask('key.enable', { keyId });
    await ask('key.revoke', { keyId, reason: 'leaked' });
    expect(await now()).toMatchObject({ status: 'revoked', revokedReason: 'leaked' });
    await expect.poll(async () => (await published('snapshot'))?.workspace.keysUsed).toBeLessThan(10);
  });
});

describe('a session', () => {
  test('that the server has ended is signed out here, and what was read stays readable', async () => {
    await s.as(s.owner, 'DELETE', `W/members/${ada.membershipId}`);
    await ask('refresh');
    expect(await published('connection')).toMatchObject({
      status: 'signed_out',
      origin: s.url,
      user: { email: ada.email },
    });
    expect(await host.stored('local')).not.toContain(ada.token);
    expect(await published('snapshot')).toBeDefined();
    const sent = worker.sent.length;
    expect(await create('after')).toMatchObject({ ok: false, failure: { code: 'signed_out' } });
    expect(worker.sent).toHaveLength(sent);
  });

  test('goes with its token to its own server and nowhere else', () => {
    expect(new Set(worker.sent.map((request) => request.authorization))).toEqual(new Set([`Bearer ${ada.token}`]));
  });

  test('is ended on the server and forgotten here by disconnecting, permission and waiting secret included', async () => {
    await host.browser.storage.local.set({
      'published.preferences': { theme: 'dark', singleKeys: true, reminders: true },
    });
    const made = await create('gone');
    if (!made.ok) throw new Error(made.failure.title);
    await ask('connection.disconnect');
    expect((await s.as(ada, 'GET', '/v1/me')).status).toBe(401);
    expect([...host.granted]).toEqual([]);
    const kept = (await host.stored('local')) + (await host.stored('session'));
    for (const gone of [ada.token, ada.email, made.value.secret ?? '', 'gone']) expect(kept).not.toContain(gone);
    expect(await published('connection')).toEqual({ status: 'disconnected' });
    expect(await published('preferences')).toMatchObject({ theme: 'dark' });
  });

  test('that was ended is given up for another address', async () => {
    await s.as(ada, 'DELETE', '/v1/sessions/current');
    await ask('refresh');
    expect(await published('connection')).toMatchObject({ status: 'signed_out' });
    await ask('connection.cancel');
    expect(await published('connection')).toEqual({ status: 'disconnected' });
    expect(await host.stored('local')).not.toContain(ada.email);
  });

  test('is forgotten by disconnecting also when the server is away', async () => {
    worker.meddle = async () => {
      throw new TypeError('network');
    };
    await ask('connection.disconnect');
    expect(await published('connection')).toEqual({ status: 'disconnected' });
    expect(await host.stored('local')).not.toContain(ada.token);
  });

  test('rests while its permission is taken away, and goes on when it is given back', async () => {
    await host.takeAway(LOOPBACK);
    await expect
      .poll(() => published('connection'))
      .toMatchObject({ status: 'permission_needed', user: { email: ada.email } });
    await host.grant(LOOPBACK);
    await expect.poll(() => published('connection')).toMatchObject({ status: 'connected' });
    expect(await create('again')).toMatchObject({ ok: true });
  });
});
