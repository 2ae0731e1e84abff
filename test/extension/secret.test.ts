import '../support/fake-browser.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ask } from '../../extension/messages/send.ts';
import { parseKey } from '../../shared/key-format.ts';
import { host } from '../support/fake-browser.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';
import { published, Worker } from '../support/worker.ts';

let s: Scenario;
let ada: Person;
let worker: Worker;
let count = 0;
beforeAll(async () => {
  s = await scenario();
  ada = await s.member('Ada');
});
afterAll(() => s.end());
beforeEach(async () => {
  host.reset();
  worker = new Worker();
  await worker.start();
  await worker.connectAs(s.url, ada);
});
afterEach(() => worker.kill());

const body = () => ({ name: `made here ${++count}`, environment: 'staging' as const });
const create = (b = body(), attempt: string = crypto.randomUUID()) => ask('key.create', { attempt, body: b });
const fresh = async () => (await published('fresh')) ?? [];
/** The keys of that name that the server has. */
const onServer = async (name: string) =>
  (await s.as(ada, 'GET', 'W/keys?limit=100')).body.items.filter((key: { name: string }) => key.name === name);
const isCreate = ({ method, path }: { method: string; path: string }) => method === 'POST' && path.endsWith('/keys');

describe('a new key', () => {
  test('is answered with its secret, which waits in memory until it is stored', async () => {
    const made = await create();
    if (!made.ok) throw new Error(made.failure.title);
    expect(parseKey(made.value.secret ?? '')).toMatchObject({ environment: 'staging', prefix: made.value.key.prefix });
    expect(await fresh()).toEqual([made.value]);
    expect(await host.stored('local')).not.toContain(made.value.secret);
    expect(await published('unfinished')).toEqual([]);
    await ask('secret.copied', { id: made.value.id });
    expect((await fresh())[0]?.copied).toBe(true);
    await ask('secret.dismiss', { id: made.value.id });
    expect(await fresh()).toEqual([]);
    expect(await host.stored('session')).not.toContain(made.value.secret);
  });

  test('is in the list at once', async () => {
    const b = body();
    await create(b);
    expect((await published('snapshot'))?.keys[0]?.name).toBe(b.name);
  });

  test('that the server refuses leaves nothing behind, and its field errors arrive', async () => {
    const b = body();
    await create(b);
    expect(await create(b)).toMatchObject({ ok: false, failure: { code: 'name_taken', status: 409 } });
    const late = { ...body(), expiresAt: '2001-01-01T00:00:00Z' };
    expect(await create(late)).toMatchObject({ ok: false, failure: { status: 400, errors: [{ path: 'expiresAt' }] } });
    expect(await published('unfinished')).toEqual([]);
    expect(await fresh()).toHaveLength(1);
  });
});

describe('a worker that is stopped in the middle of a create', () => {
  test('before the request was sent, makes one key and keeps its secret', async () => {
    const b = body();
    let reached: () => void = () => undefined;
    const sending = new Promise<void>((resolve) => {
      reached = resolve;
    });
    worker.meddle = (request, answer) => {
      if (!isCreate(request)) return answer();
      reached();
      return new Promise(() => undefined);
    };
    const asked = create(b);
    await sending;
    expect(await published('unfinished')).toMatchObject([{ kind: 'create', name: b.name }]);
    worker.kill();
    expect(await asked).toMatchObject({ ok: false });
    worker.meddle = (_request, answer) => answer();
    await worker.start();
    const [one, ...more] = await fresh();
    expect(more).toEqual([]);
    expect(one?.secret).toMatch(/^heex_stag_/);
    expect(await onServer(b.name)).toHaveLength(1);
  });

  test('after the server has made the key, makes no second one and says that the secret was lost', async () => {
    const b = body();
    let answered: () => void = () => undefined;
    const made = new Promise<void>((resolve) => {
      answered = resolve;
    });
    worker.meddle = async (request, answer) => {
      const response = await answer();
      if (!isCreate(request)) return response;
      answered();
      return new Promise(() => undefined);
    };
    void create(b);
    await made;
    worker.kill();
    worker.meddle = (_request, answer) => answer();
    await worker.start();
    expect(await fresh()).toMatchObject([{ kind: 'created', secret: null, key: { name: b.name } }]);
    expect(await onServer(b.name)).toHaveLength(1);
    expect(await published('unfinished')).toEqual([]);
  });

  test('and is asked again by the page that waited, answers the same', async () => {
    const b = body();
    const attempt = crypto.randomUUID();
    const first = await create(b, attempt);
    await worker.restart();
    expect(await create(b, attempt)).toEqual(first);
    expect(worker.sent.filter(isCreate)).toHaveLength(1);
  });

  test('finds it after a browser start, too; what is old is looked up, not repeated', async () => {
    const b = body();
    worker.meddle = (request, answer) => (isCreate(request) ? new Promise(() => undefined) : answer());
    void create(b);
    await expect.poll(() => published('unfinished')).toHaveLength(1);
    worker.kill();
    await host.quit();
    worker.meddle = (_request, answer) => answer();
    worker.ahead = 11 * 60_000;
    const before = worker.sent.filter(isCreate).length;
    await worker.start();
    await ask('refresh');
    expect(worker.sent.filter(isCreate)).toHaveLength(before);
    expect(await fresh()).toEqual([]);
    expect(await onServer(b.name)).toEqual([]);
    expect(await host.stored('local')).not.toContain(b.name);
  });
});

describe('a create whose answer is lost on the way', () => {
  test('is sent again with the same Idempotency-Key', async () => {
    const b = body();
    let failures = 1;
    worker.meddle = async (request, answer) => {
      if (isCreate(request) && failures-- > 0) throw new TypeError('network');
      return answer();
    };
    expect(await create(b)).toMatchObject({ ok: true, value: { key: { name: b.name } } });
    const keys = worker.sent.filter(isCreate).map((request) => request.key);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
    expect(await onServer(b.name)).toHaveLength(1);
  });

  test('for good, is of unknown outcome; the list then says whether the key exists', async () => {
    const b = body();
    worker.meddle = async (request, answer) => {
      const response = await answer();
      if (isCreate(request)) throw new TypeError('network');
      return response;
    };
    expect(await create(b)).toMatchObject({ ok: false, failure: { code: 'outcome_unknown' } });
    expect(await onServer(b.name)).toHaveLength(1);
    await ask('refresh');
    expect(await fresh()).toMatchObject([{ secret: null, key: { name: b.name } }]);
  });

  test('tried again by the person, is a repeat and not a second key', async () => {
    const b = body();
    const attempt = crypto.randomUUID();
    worker.meddle = async (request, answer) => {
      if (isCreate(request)) throw new TypeError('network');
      return answer();
    };
    expect(await create(b, attempt)).toMatchObject({ ok: false, failure: { code: 'outcome_unknown' } });
    worker.meddle = (_request, answer) => answer();
    expect(await create(b, attempt)).toMatchObject({ ok: true });
    expect(await onServer(b.name)).toHaveLength(1);
  });
});

describe('a rotation', () => {
  test('keeps the key and waits with its new secret like a new one', async () => {
    const made = await create();
    if (!made.ok) throw new Error(made.failure.title);
    await ask('secret.dismiss', { id: made.value.id });
    const keyId = made.value.key.id;
    const rotated = await ask('key.rotate', { attempt: crypto.randomUUID(), keyId, body: { overlapSeconds: 0 } });
    expect(rotated).toMatchObject({ ok: true, value: { kind: 'rotated', key: { id: keyId } } });
    expect((await fresh())[0]?.secret).not.toBe(made.value.secret);
    expect((await published('snapshot'))?.keys[0]?.prefix).toBe((await fresh())[0]?.key.prefix);
  });
});
