import '../support/fake-browser.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ask } from '../../extension/messages/send.ts';
import { host } from '../support/fake-browser.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';
import { published, Worker } from '../support/worker.ts';

let s: Scenario;
let ada: Person;
let worker: Worker;
let count = 0;
beforeAll(async () => {
  s = await scenario();
  ada = await s.member('Ada', 'admin');
});
afterAll(() => s.end());
beforeEach(async () => {
  host.reset();
  worker = new Worker();
  await worker.start();
  const token = await s.signIn(ada);
  await worker.connectAs(s.url, { ...ada, token });
});
afterEach(() => worker.kill());

const body = () => ({ name: `made here ${++count}`, environment: 'staging' as const });
const create = (b: object = body(), attempt: string = crypto.randomUUID()) =>
  ask('key.create', { attempt, body: b as never });
const fresh = async () => (await published('fresh')) ?? [];
const isCreate = ({ method, path }: { method: string; path: string }) => method === 'POST' && path.endsWith('/keys');
const inDays = (ms = 0) => new Date(Date.now() + 90 * 86400000 + ms).toISOString();
function gate() {
  let release: () => void = () => undefined;
  const held = new Promise<void>((r) => {
    release = r;
  });
  return { held, release: () => release() };
}
async function secondWorkspace(person: Person, role = 'admin') {
  const { store, newId, now } = s.companion.deps;
  const id = newId('ws');
  await store.transact(async (tx) => {
    const { id: _id, ...rest } = await tx.selectFrom('workspace').selectAll().executeTakeFirstOrThrow();
    await tx
      .insertInto('workspace')
      .values({ ...rest, id, name: `Other ${++count}` })
      .execute();
    await tx
      .insertInto('membership')
      .values({
        id: newId('mem'),
        workspace_id: id,
        user_id: person.userId,
        role: role as never,
        joined_at: now(),
        suspended_at: null,
      })
      .execute();
  });
  return id;
}

describe('a loss that was none', () => {
  test('a key that is made at the second try, with an expiry a second later, has its secret and no loss is told', async () => {
    const b = body();
    worker.meddle = async (r, answer) => {
      if (isCreate(r)) throw new TypeError('network');
      return answer();
    };
    expect(await create({ ...b, expiresAt: inDays() })).toMatchObject({
      ok: false,
      failure: { code: 'outcome_unknown' },
    });
    worker.meddle = (_r, answer) => answer();
    const again = await create({ ...b, expiresAt: inDays(3000) });
    expect(again.ok).toBe(true);
    await ask('refresh');
    expect((await fresh()).map((f) => [f.key.name, f.secret === null])).toEqual([[b.name, false]]);
  });
  test('nor after a session that had ended before the first try', async () => {
    const b = body();
    const token = await s.signIn(ada);
    await worker.connectAs(s.url, { ...ada, token });
    await s.as({ ...ada, token }, 'DELETE', '/v1/sessions/current');
    expect(await create({ ...b, expiresAt: inDays() })).toMatchObject({ ok: false, failure: { code: 'signed_out' } });
    await worker.connectAs(s.url, { ...ada, token: await s.signIn(ada) });
    expect((await create({ ...b, expiresAt: inDays(3000) })).ok).toBe(true);
    await ask('refresh');
    expect((await fresh()).map((f) => [f.key.name, f.secret === null])).toEqual([[b.name, false]]);
  });
  test('nor after a rotation that is tried again with another overlap', async () => {
    const made = await create();
    if (!made.ok) throw new Error('x');
    await ask('secret.dismiss', { id: made.value.id });
    const keyId = made.value.key.id;
    worker.meddle = async (r, answer) => {
      if (r.path.endsWith('/rotate')) throw new TypeError('network');
      return answer();
    };
    await ask('key.rotate', { attempt: crypto.randomUUID(), keyId, body: { overlapSeconds: 86400 } });
    worker.meddle = (_r, answer) => answer();
    const again = await ask('key.rotate', { attempt: crypto.randomUUID(), keyId, body: { overlapSeconds: 0 } });
    expect(again.ok).toBe(true);
    await ask('refresh');
    expect((await fresh()).map((f) => f.secret === null)).toEqual([false]);
  });
});

describe('another workspace', () => {
  test('is in force also while the lists of the one before are on their way', async () => {
    const other = await secondWorkspace(ada);
    const g = gate();
    let n = 1;
    worker.meddle = async (r, answer) => {
      const a = await answer();
      if (r.method === 'GET' && r.path.endsWith('/keys') && n-- > 0) await g.held;
      return a;
    };
    const first = ask('refresh');
    await expect.poll(() => n).toBeLessThan(1);
    const chosen = ask('workspace.choose', { workspaceId: other });
    await new Promise((r) => setTimeout(r, 200));
    g.release();
    await Promise.all([first, chosen]);
    expect((await published('snapshot'))?.workspace.id).toBe(other);
  });
  test('leaves no members of the one before', async () => {
    const other = await secondWorkspace(ada);
    await ask('team.refresh');
    await ask('workspace.choose', { workspaceId: other });
    expect((await published('snapshot'))?.workspace.id).toBe(other);
    expect((await published('team'))?.members.map((m) => m.name) ?? []).not.toContain('Olga Owner');
  });
  test('does not keep an invitation that was withdrawn in the one before', async () => {
    const other = await secondWorkspace(ada);
    const g = gate();
    worker.pause = () => g.held;
    const invited = await ask('team.invite', { emails: [`w${++count}@acme.example`], role: 'member' });
    if (!invited.ok) throw new Error('x');
    const id = invited.value.sent[0]?.id ?? '';
    await ask('team.withdraw', { invitationId: id });
    await ask('workspace.choose', { workspaceId: other });
    worker.ahead = 11_000;
    g.release();
    await new Promise((r) => setTimeout(r, 700));
    const open = (await s.as(s.owner, 'GET', 'W/invitations?limit=100')).body.items as { id: string }[];
    expect(open.map((o) => o.id)).not.toContain(id);
  });
  test('an invitation is withdrawn later when the server is away at that moment', async () => {
    const g = gate();
    worker.pause = () => g.held;
    const invited = await ask('team.invite', { emails: [`w${++count}@acme.example`], role: 'member' });
    if (!invited.ok) throw new Error('x');
    const id = invited.value.sent[0]?.id ?? '';
    await ask('team.withdraw', { invitationId: id });
    worker.meddle = async () => {
      throw new TypeError('network');
    };
    worker.ahead = 11_000;
    g.release();
    await new Promise((r) => setTimeout(r, 700));
    worker.meddle = (_r, answer) => answer();
    worker.ahead = 60_000;
    await worker.restart();
    await ask('team.refresh');
    await new Promise((r) => setTimeout(r, 500));
    const open = (await s.as(s.owner, 'GET', 'W/invitations?limit=100')).body.items as { id: string }[];
    expect(open.map((o) => o.id)).not.toContain(id);
  });
});

describe('disconnecting', () => {
  test('while lists are on their way leaves nothing of the person', async () => {
    const g = gate();
    let n = 1;
    worker.meddle = async (r, answer) => {
      const a = await answer();
      if (r.method === 'GET' && r.path.endsWith('/keys') && n-- > 0) await g.held;
      return a;
    };
    const first = ask('refresh');
    await expect.poll(() => n).toBeLessThan(1);
    await ask('connection.disconnect');
    g.release();
    await first;
    await new Promise((r) => setTimeout(r, 300));
    expect(await published('snapshot')).toBeUndefined();
    expect(await host.stored('local')).not.toContain('ada@acme.example');
  });
  test('while members are on their way leaves none of them', async () => {
    const g = gate();
    let n = 1;
    worker.meddle = async (r, answer) => {
      const a = await answer();
      if (r.method === 'GET' && r.path.endsWith('/members') && n-- > 0) await g.held;
      return a;
    };
    const first = ask('team.refresh');
    await expect.poll(() => n).toBeLessThan(1);
    await ask('connection.disconnect');
    g.release();
    await first;
    expect(await published('team')).toBeUndefined();
  });
  test('is done although the server does not answer and the worker is stopped', async () => {
    const g = gate();
    worker.meddle = async (r, answer) => {
      if (r.method === 'DELETE') await g.held;
      return answer();
    };
    void ask('connection.disconnect');
    await new Promise((r) => setTimeout(r, 300));
    await worker.restart();
    expect((await published('connection'))?.status).toBe('disconnected');
  });
  test('while a key is being made leaves no secret to the next person', async () => {
    const b = body();
    const g = gate();
    worker.meddle = async (r, answer) => {
      const a = await answer();
      if (isCreate(r)) await g.held;
      return a;
    };
    const made = create(b);
    await new Promise((r) => setTimeout(r, 300));
    await ask('connection.disconnect');
    g.release();
    await made;
    await new Promise((r) => setTimeout(r, 300));
    expect(await fresh()).toEqual([]);
  });
});
