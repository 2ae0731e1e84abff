import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Key, key as keySchema } from '../../shared/contract/keys.ts';
import { parseKey } from '../../shared/key-format.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let [ada, ben, admin] = [] as unknown as [Person, Person, Person];
beforeAll(async () => {
  s = await scenario();
  [ada, ben, admin] = [await s.member('Ada'), await s.member('Ben'), await s.member('Anna', 'admin')];
});
afterAll(() => s.end());

const body = (name: string, more: object = {}) => ({ name, environment: 'production', ...more });
const create = (person: Person, fields: object, headers = {}) => s.as(person, 'POST', 'W/keys', fields, { headers });
const auditOf = async (keyId: string) => {
  const rows = await s.companion.deps.store.read.selectFrom('audit').selectAll().orderBy('seq').execute();
  return rows.filter((row) => JSON.parse(row.target).id === keyId);
};

describe('a new key', () => {
  test('is shown with everything but its secret, which is in the first answer only', async () => {
    const made = await create(ada, body('prod-main-app', { description: 'Main', technicalOwner: 'Ben@Acme.example' }));
    expect(made.status).toBe(201);
    expect(made.headers.get('cache-control')).toBe('no-store');
    const { key, secret } = made.body;
    expect(parseKey(secret)).toEqual({ environment: 'production', prefix: key.prefix });
    expect(keySchema.parse(key)).toEqual(key);
    expect(key).toMatchObject({
      name: 'prod-main-app',
      status: 'active',
      expiresAt: null,
      groupId: null,
      permissions: [],
      technicalOwner: 'ben@acme.example',
      createdBy: { membershipId: ada.membershipId, name: 'Ada', email: ada.email },
      usageCount: 0,
      lastUsed: null,
      enrolledAgents: 0,
      rotation: null,
    });
    const read = await s.as(ada, 'GET', `W/keys/${key.id}`);
    expect(read.body).toEqual(key);
    expect(JSON.stringify((await s.as(ada, 'GET', 'W/keys')).body)).not.toContain(secret.slice(20));
    const verifier = await s.verifier();
    const verdict = await s.as(undefined, 'POST', '/v1/verify', { key: secret }, { token: verifier });
    expect(verdict.body).toMatchObject({ valid: true, key: { id: key.id } });
  });

  test('leaves one audit row and only a keyed hash of its secret in the database', async () => {
    const { body: made } = await create(ada, body('audited'));
    expect((await auditOf(made.key.id)).map((row) => row.action)).toEqual(['key.created']);
    const { store, hashSecret } = s.companion.deps;
    const secrets = await store.read
      .selectFrom('api_key_secret')
      .selectAll()
      .where('key_id', '=', made.key.id)
      .execute();
    expect(secrets).toMatchObject([{ prefix: made.key.prefix, hash: hashSecret(made.secret), current: 1 }]);
    for (const row of await auditOf(made.key.id)) expect(JSON.stringify(row)).not.toContain(made.secret.slice(20));
  });

  test('has a name that no other live key of its owner has, however it is written', async () => {
    const { body: made } = await create(ada, body('Straße 7'));
    for (const name of ['STRASSE 7', 'straße 7', 'Stra\u00dfe\u00a0７']) {
      const again = await create(ada, body(name));
      expect([again.status, again.body.code, again.body.errors?.[0]?.path]).toEqual([409, 'name_taken', 'name']);
    }
    expect((await create(ben, body('Straße 7'))).status).toBe(201);
    await s.as(ada, 'POST', `W/keys/${made.key.id}/revoke`);
    expect((await create(ada, body('strasse 7'))).status).toBe(201);
  });
});

const HOUR = 3_600_000;

describe('an Idempotency-Key', () => {
  test('makes one key; a repeat answers its record without the secret and says so', async () => {
    const headers = { 'Idempotency-Key': 'attempt-1' };
    const [first, again] = [await create(ada, body('once'), headers), await create(ada, body('once'), headers)];
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(first.body.secret).toBeTypeOf('string');
    expect(again.body).toEqual({ key: first.body.key, replayed: true });
    const others = await create(ben, body('once'), headers);
    expect(others.body.key.id).not.toBe(first.body.key.id);
  });

  test('with another body is refused', async () => {
    const headers = { 'Idempotency-Key': 'attempt-2' };
    await create(ada, body('first body'), headers);
    const other = await create(ada, body('other body'), headers);
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_mismatch']);
  });

  test('knows the same body again however its members are ordered, and another order of a list as another body', async () => {
    const headers = { 'Idempotency-Key': 'attempt-5' };
    const rateLimit = { limit: 5, windowSeconds: 60 };
    const sent = { ...body('any order'), rateLimit, customers: ['b', 'a'] };
    const first = await create(ada, sent, headers);
    const turned = Object.fromEntries(Object.entries(sent).reverse());
    const again = await create(ada, { ...turned, rateLimit: { windowSeconds: 60, limit: 5 } }, headers);
    expect(again.body).toEqual({ key: first.body.key, replayed: true });
    expect((await create(ada, { ...sent, customers: ['a', 'b'] }, headers)).status).toBe(422);
  });

  test('sent many times at once makes one key with one secret', async () => {
    const headers = { 'Idempotency-Key': 'attempt-3' };
    const answers = await Promise.all(Array.from({ length: 10 }, () => create(ada, body('at once'), headers)));
    expect(new Set(answers.map((a) => a.body.key.id)).size).toBe(1);
    expect(answers.filter((a) => a.body.secret).length).toBe(1);
  });

  test('is free again after a failure, and after a day', async () => {
    const headers = { 'Idempotency-Key': 'attempt-4' };
    await create(ada, body('taken name'));
    expect((await create(ada, body('taken name'), headers)).status).toBe(409);
    const made = await create(ada, body('free name'), headers);
    expect(made.body.secret).toBeTypeOf('string');
    s.companion.pass(23 * HOUR);
    expect((await create(ada, body('free name'), headers)).body).toMatchObject({
      key: { id: made.body.key.id },
      replayed: true,
    });
    s.companion.pass(2 * HOUR);
    expect((await create(ada, body('next day'), headers)).body.key.id).not.toBe(made.body.key.id);
  });
});

describe('somebody else’s key', () => {
  test('answers a member exactly as an id that never existed, on every route', async () => {
    const key = await s.key(ada);
    const calls: [string, string, object?][] = [
      ['GET', ''],
      ['PATCH', '', { name: 'mine now' }],
      ['POST', '/rotate', {}],
      ['POST', '/rotate/finish'],
      ['POST', '/disable'],
      ['POST', '/enable'],
      ['POST', '/revoke'],
      ['GET', '/usage'],
      ['GET', '/requests'],
    ];
    for (const [method, tail, input] of calls) {
      const [theirs, nobodys] = [
        await s.as(ben, method, `W/keys/${key.id}${tail}`, input),
        await s.as(ben, method, `W/keys/key_00000000000000000000${tail}`, input),
      ];
      const { requestId: _, ...problem } = theirs.body;
      expect([theirs.status, problem], `${method} ${tail}`).toEqual([
        404,
        { ...nobodys.body, requestId: undefined } as object,
      ]);
    }
    const bulk = await s.as(ben, 'POST', 'W/keys/revoke', { ids: [key.id] });
    expect(bulk.status).toBe(404);
    expect((await s.as(ada, 'GET', `W/keys/${key.id}`)).body.status).toBe('active');
  });

  test('can be seen, disabled and revoked by admins, never edited or rotated', async () => {
    const key = await s.key(ada);
    expect((await s.as(admin, 'GET', `W/keys/${key.id}`)).body.id).toBe(key.id);
    expect((await s.as(admin, 'PATCH', `W/keys/${key.id}`, { name: 'other' })).status).toBe(403);
    expect((await s.as(admin, 'POST', `W/keys/${key.id}/rotate`)).status).toBe(403);
    expect((await s.as(admin, 'POST', `W/keys/${key.id}/disable`)).body.key.status).toBe('disabled');
    expect((await s.as(admin, 'POST', `W/keys/${key.id}/revoke`)).body.key.revokedReason).toBe('by_admin');
  });

  test('is not in a member’s list, and asking for it is refused the same for every id', async () => {
    const key = await s.key(ada);
    const ids = (answer: { body: { items: Key[] } }) => answer.body.items.map((k) => k.id);
    expect(ids(await s.as(ben, 'GET', 'W/keys?limit=100'))).not.toContain(key.id);
    for (const owner of ['all', ada.membershipId, 'mem_nobody'])
      expect((await s.as(ben, 'GET', `W/keys?owner=${owner}`)).status).toBe(403);
    expect(ids(await s.as(admin, 'GET', 'W/keys?owner=all&limit=100'))).toContain(key.id);
    expect(ids(await s.as(admin, 'GET', `W/keys?owner=${ada.membershipId}`))).toContain(key.id);
    const unknown = await s.as(admin, 'GET', 'W/keys?owner=mem_nobody');
    expect([unknown.status, unknown.body.errors[0].path]).toEqual([400, 'owner']);
  });
});

test('the keys of somebody who has left are still listed under them, for admins alone', async () => {
  const gone = await s.member('Gone');
  const [live, revoked] = [await s.key(gone), await s.key(gone)];
  await s.as(gone, 'POST', `W/keys/${revoked.id}/revoke`, { reason: 'superseded' });
  // Removing somebody asks for a recent sign-in.
  const token = await s.signIn(admin);
  const removal = await s.as(admin, 'DELETE', `W/members/${gone.membershipId}`, undefined, { token });
  expect(removal.body.revokedKeys).toBe(1);
  const { items } = (await s.as(admin, 'GET', `W/keys?owner=${gone.membershipId}`)).body;
  expect(items.map((k: Key) => [k.id, k.status, k.revokedReason, k.createdBy.name])).toEqual([
    [revoked.id, 'revoked', 'superseded', 'Gone'],
    [live.id, 'revoked', 'member_left', 'Gone'],
  ]);
  expect((await s.as(ada, 'GET', `W/keys?owner=${gone.membershipId}`)).status).toBe(403);
});

describe('an edit', () => {
  test('changes what it names, leaves one audit row, and none when nothing differs', async () => {
    const key = await s.key(ada);
    const edit = {
      name: 'renamed',
      description: 'what it is for',
      customers: ['c-1'],
      rateLimit: { limit: 5, windowSeconds: 60 },
    };
    const edited = await s.as(ada, 'PATCH', `W/keys/${key.id}`, edit);
    expect(edited.body).toMatchObject(edit);
    expect((await s.as(ada, 'PATCH', `W/keys/${key.id}`, edit)).body).toEqual(edited.body);
    expect((await s.as(ada, 'PATCH', `W/keys/${key.id}`, {})).body).toEqual(edited.body);
    expect((await s.as(ada, 'PATCH', `W/keys/${key.id}`, { rateLimit: null })).body.rateLimit).toBeNull();
    const rows = await auditOf(key.id);
    expect(rows.map((row) => row.action)).toEqual(['key.created', 'key.edited', 'key.edited']);
    expect(JSON.parse(rows[1]?.after ?? '')).toMatchObject({ name: 'renamed', customers: ['c-1'], rateLimit: 5 });
  });

  test('to the name of another live key is refused and changes nothing', async () => {
    const [one, two] = [await s.key(ada), await s.key(ada)];
    const answer = await s.as(ada, 'PATCH', `W/keys/${two.id}`, { name: one.name.toUpperCase(), description: 'new' });
    expect([answer.status, answer.body.code, answer.body.errors?.[0]?.path]).toEqual([409, 'name_taken', 'name']);
    expect((await s.as(ada, 'GET', `W/keys/${two.id}`)).body).toMatchObject({ name: two.name, description: '' });
    expect((await s.as(ada, 'PATCH', `W/keys/${two.id}`, { name: two.name.toUpperCase() })).status).toBe(200);
  });

  test.each(['environment', 'expiresAt', 'secret', 'status', 'id'])(
    'of %s is refused as an unknown field',
    async (field) => {
      const key = await s.key(ada);
      const answer = await s.as(ada, 'PATCH', `W/keys/${key.id}`, { [field]: 'staging' });
      expect([answer.status, answer.body.errors]).toEqual([400, [{ path: field, message: 'is not a known field' }]]);
    },
  );
});
