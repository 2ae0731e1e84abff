import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OVERLAPS } from '../../shared/contract/keys.ts';
import { waitForCounts } from '../support/patience.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let [ada, admin, verifier] = [] as unknown as [Person, Person, string];
beforeAll(async () => {
  s = await scenario({ HEEX_KEY_LIMIT: '100000' });
  [ada, admin, verifier] = [await s.member('Ada'), await s.member('Anna', 'admin'), await s.verifier()];
});
afterAll(() => s.end());

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const now = () => s.companion.deps.now();
const at = (ms: number) => new Date(ms).toISOString();

const post = (person: Person, id: string, what: string, body?: unknown) =>
  s.as(person, 'POST', `W/keys/${id}/${what}`, body);
const read = async (id: string) => (await s.as(ada, 'GET', `W/keys/${id}`)).body;
const codeOf = async (secret: string): Promise<string> =>
  (await s.as(undefined, 'POST', '/v1/verify', { key: secret }, { token: verifier })).body.code;
const why = (answer: { status: number; body: { code: string; detail: string } }) => [
  answer.status,
  answer.body.code,
  answer.body.detail,
];

describe('a rotation', () => {
  test('kills the old secret at once unless it is given time', async () => {
    const key = await s.key(ada, { expiresAt: at(now() + 30 * DAY) });
    const rotated = (await post(ada, key.id, 'rotate')).body;
    expect(rotated.key).toMatchObject({ id: key.id, name: key.name, status: 'active', rotation: null });
    expect(rotated.key.prefix).not.toBe(key.prefix);
    expect([await codeOf(key.secret), await codeOf(rotated.secret)]).toEqual(['revoked', 'valid']);
  });

  test.each([3600, 86_400, 604_800])(
    'with an overlap of %d s keeps both secrets for just that long',
    async (overlapSeconds) => {
      const key = await s.key(ada);
      const { secret, key: shown } = (await post(ada, key.id, 'rotate', { overlapSeconds })).body;
      expect(shown.rotation).toMatchObject({ oldPrefix: key.prefix, oldLastUsed: null });
      expect(Math.abs(Date.parse(shown.rotation.oldExpiresAt) - now() - overlapSeconds * 1000)).toBeLessThan(30_000);
      await s.pass(overlapSeconds * 1000 - 10_000);
      expect([await codeOf(key.secret), await codeOf(secret)]).toEqual(['valid', 'valid']);
      await s.pass(10_000);
      expect([await codeOf(key.secret), await codeOf(secret)]).toEqual(['revoked', 'valid']);
      expect((await read(key.id)).rotation).toBeNull();
    },
  );

  test('never lets the old secret live past its own expiry, also when the key lives on', async () => {
    const expiresAt = at(now() + 2 * HOUR);
    const key = await s.key(ada, { expiresAt });
    const later = at(now() + 60 * DAY);
    const rotated = (await post(ada, key.id, 'rotate', { overlapSeconds: 604_800, expiresAt: later })).body;
    expect(rotated.key).toMatchObject({ expiresAt: later, rotation: { oldExpiresAt: expiresAt } });
    await s.pass(2 * HOUR);
    expect([await codeOf(key.secret), await codeOf(rotated.secret)]).toEqual(['revoked', 'valid']);
  });

  test('is refused while two secrets live, until the first one is finished or over', async () => {
    const key = await s.key(ada);
    const second = (await post(ada, key.id, 'rotate', { overlapSeconds: 3600 })).body;
    for (const overlapSeconds of OVERLAPS) {
      const refused = await post(ada, key.id, 'rotate', { overlapSeconds });
      expect(why(refused)).toEqual([
        409,
        'conflict',
        expect.stringMatching(/^Two secrets of this key are live until 20/),
      ]);
    }
    expect((await post(ada, key.id, 'rotate/finish')).body.key.rotation).toBeNull();
    expect([await codeOf(key.secret), await codeOf(second.secret)]).toEqual(['revoked', 'valid']);
    expect(why(await post(ada, key.id, 'rotate/finish'))).toEqual([
      409,
      'conflict',
      'Only one secret of this key is live: there is no rotation to finish.',
    ]);
    const third = (await post(ada, key.id, 'rotate', { overlapSeconds: 3600 })).body;
    await s.pass(HOUR);
    const fourth = (await post(ada, key.id, 'rotate')).body;
    expect([await codeOf(second.secret), await codeOf(third.secret), await codeOf(fourth.secret)]).toEqual([
      'revoked',
      'revoked',
      'valid',
    ]);
  });

  test('says when, from where and by which program the old secret was last used, apart from the new one', async () => {
    waitForCounts();
    const key = await s.key(ada);
    const { secret } = (await post(ada, key.id, 'rotate', { overlapSeconds: 86_400 })).body;
    const use = (k: string, ip: string, userAgent: string) =>
      s.as(undefined, 'POST', '/v1/verify', { key: k, ip, userAgent }, { token: verifier });
    await use(key.secret, '10.0.0.4', 'curl/8.5.0');
    await s.pass(1000);
    await use(key.secret, '10.0.0.5', 'curl/8.5.1');
    await s.pass(1000);
    await use(secret, '10.0.0.7', 'heex-ingest/2.9');
    expect(await read(key.id)).toMatchObject({
      usageCount: 3,
      lastUsed: { ip: '10.0.0.7', userAgent: 'heex-ingest/2.9' },
      rotation: { oldLastUsed: { ip: '10.0.0.5', userAgent: 'curl/8.5.1' } },
    });
    const other = await s.key(ada);
    const rotated = (await post(ada, other.id, 'rotate', { overlapSeconds: 86_400 })).body;
    await use(rotated.secret, '10.0.0.7', 'heex-ingest/2.9');
    expect(await read(other.id)).toMatchObject({ lastUsed: { ip: '10.0.0.7' }, rotation: { oldLastUsed: null } });
  });

  test('brings an expired key back only with a new expiry', async () => {
    const key = await s.key(ada, { expiresAt: at(now() + HOUR) });
    await s.pass(HOUR);
    expect(await codeOf(key.secret)).toBe('expired');
    expect(why(await post(ada, key.id, 'rotate'))).toEqual([
      409,
      'conflict',
      'This key has expired. Give the rotation a new expiry to bring it back.',
    ]);
    const back = (await post(ada, key.id, 'rotate', { overlapSeconds: 86_400, expiresAt: null })).body;
    expect(back.key).toMatchObject({ status: 'active', expiresAt: null, rotation: null });
    expect([await codeOf(key.secret), await codeOf(back.secret)]).toEqual(['revoked', 'valid']);
  });

  test('is made once for an Idempotency-Key, whose repeat has no secret', async () => {
    const key = await s.key(ada);
    const once = { headers: { 'Idempotency-Key': 'rotate-1' } };
    const rotate = (person: Person) => s.as(person, 'POST', `W/keys/${key.id}/rotate`, { overlapSeconds: 0 }, once);
    const [first, again] = [await rotate(ada), await rotate(ada)];
    expect(again.body).toEqual({ key: first.body.key, replayed: true });
    expect(await codeOf(first.body.secret)).toBe('valid');
    const other = await s.key(ada);
    expect((await s.as(ada, 'POST', `W/keys/${other.id}/rotate`, undefined, once)).body.secret).toBeTypeOf('string');
  });

  test('with an overlap or expiry that is none is refused, naming the field', async () => {
    const key = await s.key(ada);
    for (const [body, path] of [
      [{ overlapSeconds: 1 }, 'overlapSeconds'],
      [{ overlapSeconds: '3600' }, 'overlapSeconds'],
      [{ expiresAt: '2027-02-30T00:00:00Z' }, 'expiresAt'],
      [{ expiresAt: at(now() - 1) }, 'expiresAt'],
      [{ name: 'other' }, 'name'],
    ] as const) {
      const answer = await post(ada, key.id, 'rotate', body);
      expect([answer.status, answer.body.errors?.[0]?.path]).toEqual([400, path]);
    }
    expect(await codeOf(key.secret)).toBe('valid');
  });
});

describe('disabling', () => {
  test('stops both secrets at once, and enabling brings both back', async () => {
    const key = await s.key(ada);
    const { secret } = (await post(ada, key.id, 'rotate', { overlapSeconds: 3600 })).body;
    expect((await post(admin, key.id, 'disable')).body.key).toMatchObject({ status: 'disabled' });
    expect([await codeOf(key.secret), await codeOf(secret)]).toEqual(['disabled', 'disabled']);
    expect(why(await post(ada, key.id, 'disable'))).toEqual([409, 'conflict', 'This key is disabled already.']);
    expect((await post(ada, key.id, 'enable')).body.key).toMatchObject({ status: 'active', disabledAt: null });
    expect([await codeOf(key.secret), await codeOf(secret)]).toEqual(['valid', 'valid']);
    expect(why(await post(ada, key.id, 'enable'))).toEqual([409, 'conflict', 'This key is not disabled.']);
  });
});

describe('revoking', () => {
  test('is final for both secrets; again it answers the same and keeps the first reason', async () => {
    const key = await s.key(ada);
    const { secret } = (await post(ada, key.id, 'rotate', { overlapSeconds: 3600 })).body;
    const first = await post(ada, key.id, 'revoke', { reason: 'leaked' });
    expect(first.body.key).toMatchObject({ status: 'revoked', revokedReason: 'leaked', rotation: null });
    expect([await codeOf(key.secret), await codeOf(secret)]).toEqual(['revoked', 'revoked']);
    const again = await post(admin, key.id, 'revoke', { reason: 'superseded' });
    expect([again.status, again.body]).toEqual([200, first.body]);
    for (const [what, body] of [['disable'], ['enable'], ['rotate'], ['rotate/finish'], ['', {}]] as const) {
      const answer = what
        ? await post(ada, key.id, what, body)
        : await s.as(ada, 'PATCH', `W/keys/${key.id}`, { name: 'new' });
      expect(why(answer), what).toEqual([
        409,
        'conflict',
        'This key is revoked, which is final. Generate another one.',
      ]);
    }
    const rows = await s.companion.deps.store.read
      .selectFrom('audit')
      .selectAll()
      .where('action', '=', 'key.revoked')
      .execute();
    expect(rows.filter((row) => JSON.parse(row.target).id === key.id)).toHaveLength(1);
  });

  test('has a reason that follows from who does it, unless one of two is given', async () => {
    const reasonOf = async (person: Person, body?: unknown) =>
      (await post(person, (await s.key(ada)).id, 'revoke', body)).body.key.revokedReason;
    expect(await reasonOf(ada)).toBe('by_owner');
    expect(await reasonOf(admin)).toBe('by_admin');
    expect(await reasonOf(ada, { reason: 'superseded' })).toBe('superseded');
    expect(await reasonOf(admin, { reason: 'leaked' })).toBe('leaked');
    const key = await s.key(ada);
    for (const reason of ['member_left', 'by_owner', 'by_admin', 'because', null]) {
      const answer = await post(ada, key.id, 'revoke', { reason });
      expect([answer.status, answer.body.errors[0].path]).toEqual([400, 'reason']);
    }
  });

  test('of several keys takes all of them or none', async () => {
    const [one, two, bens] = [await s.key(ada), await s.key(ada), await s.key(await s.member('Ben'))];
    const bulk = (person: Person, ids: string[]) => s.as(person, 'POST', 'W/keys/revoke', { ids });
    for (const bad of [bens.id, 'key_nothing']) expect((await bulk(ada, [one.id, bad, two.id])).status).toBe(404);
    expect([await codeOf(one.secret), await codeOf(two.secret)]).toEqual(['valid', 'valid']);
    expect((await bulk(ada, [])).status).toBe(400);
    const done = await bulk(admin, [one.id, two.id, bens.id, one.id]);
    expect(done.body.keys.map((k: { id: string; revokedReason: string }) => [k.id, k.revokedReason])).toEqual(
      [one, two, bens].map((k) => [k.id, 'by_admin']),
    );
    for (const key of [one, two, bens]) expect(await codeOf(key.secret)).toBe('revoked');
  });
});
