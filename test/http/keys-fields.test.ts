import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let ada: Person;
beforeAll(async () => {
  s = await scenario({ HEEX_KEY_LIMIT: '10000' });
  ada = await s.member('Ada');
});
afterAll(() => s.end());

const DAY = 86_400_000;
const at = (ms: number) => new Date(s.companion.deps.now() + ms).toISOString();
let made = 0;
const create = (fields: object) =>
  s.as(ada, 'POST', 'W/keys', { name: `field test ${++made}`, environment: 'production', ...fields });
const errors = (answer: { body: { errors?: { path: string; message: string }[] } }) =>
  (answer.body.errors ?? []).map((e) => `${e.path}: ${e.message}`);
const list = (length: number, item: (i: number) => string) => Array.from({ length }, (_, i) => item(i));

describe('a field that is wrong is refused with a 400 that names it', () => {
  test.each<[object, string]>([
    [{ name: undefined }, 'name: is required'],
    [{ name: 'x' }, 'name: use at least 2 characters'],
    [{ name: 5 }, 'name: '],
    [{ name: '\u200b\u200b' }, 'name: must have visible characters'],
    [{ name: 'a\u0007b' }, 'name: must not have control characters'],
    [{ description: 'x'.repeat(1001) }, 'description: use at most 1000 characters'],
    [{ environment: undefined }, 'environment: '],
    [{ environment: 'prod' }, 'environment: must be one of production, staging, development'],
    [{ groupId: 'grp_nothing' }, 'groupId: is not an authorization group of this workspace'],
    [{ groupId: '' }, 'groupId: '],
    [{ permissions: ['events:read'] }, 'permissions: need an authorization group to choose from'],
    [{ permissions: ['events'] }, 'permissions.0: must look like resource:action, e.g. customers:read'],
    [{ permissions: ['a:b', 'a:b'] }, 'permissions: list every permission once'],
    [{ permissions: list(101, (i) => `a:b${i}`) }, 'permissions: list at most 100 permissions'],
    [{ expiresAt: '2027-02-30T00:00:00Z' }, 'expiresAt: must be an RFC 3339 time that exists'],
    [{ expiresAt: '9999-12-31T23:59:59-23:59' }, 'expiresAt: must be an RFC 3339 time that exists'],
    [{ expiresAt: '2027-02-01' }, 'expiresAt: must be an RFC 3339 time that exists'],
    [{ expiresAt: 1_800_000_000 }, 'expiresAt: '],
    [{ expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt: must be in the future'],
    [{ ipAllowlist: '10.0.0.1' }, 'ipAllowlist: '],
    [{ ipAllowlist: list(101, (i) => `10.0.0.${i}`) }, 'ipAllowlist: list at most 100 addresses and ranges'],
    [{ rateLimit: { limit: 0, windowSeconds: 60 } }, 'rateLimit.limit: must be 1 or more'],
    [{ rateLimit: { limit: 1.5, windowSeconds: 60 } }, 'rateLimit.limit: must be a whole number'],
    [{ rateLimit: { limit: 5, windowSeconds: 86_401 } }, 'rateLimit.windowSeconds: must be 86400 or less'],
    [{ rateLimit: { limit: 5 } }, 'rateLimit.windowSeconds: is required'],
    [{ rateLimit: { limit: 5, windowSeconds: 60, burst: 1 } }, 'rateLimit.burst: is not a known field'],
    [{ customers: ['a b'] }, 'customers.0: must be 1 to 128 visible ASCII characters without spaces'],
    [{ customers: ['a', 'a'] }, 'customers: list every customer once'],
    [{ technicalOwner: 'nobody' }, 'technicalOwner: must be an e-mail address'],
    [{ secret: 'mine' }, 'secret: is not a known field'],
    [{ owner: 'mem_other' }, 'owner: is not a known field'],
  ])('%j', async (fields, error) => {
    const answer = await create(fields);
    expect(answer.status).toBe(400);
    expect(errors(answer)).toEqual([expect.stringContaining(error)]);
  });

  test('every bad line of an allowlist has an error of its own', async () => {
    const ipAllowlist = [
      '10.0.0.0/24',
      '203.0.113.300',
      '010.0.0.0/8',
      'fd00:12::/129',
      'fe80::1%eth0',
      '10.0.0.1/8',
      '[::1]:80',
    ];
    const answer = await create({ ipAllowlist });
    expect([answer.status, errors(answer)]).toEqual([
      400,
      [
        'ipAllowlist.1: Line 2: 203.0.113.300 isn’t an IP address. Each part goes up to 255.',
        'ipAllowlist.2: Line 3: 010.0.0.0 isn’t an IP address. Write each part without leading zeros.',
        'ipAllowlist.3: Line 4: an IPv6 range ends at /128, so /129 can’t work.',
        'ipAllowlist.4: Line 5: fe80::1%eth0 has a zone id. Leave out everything from the % on.',
        'ipAllowlist.5: Line 6: 10.0.0.1/8 has bits set after the first 8. Did you mean 10.0.0.0/8?',
        'ipAllowlist.6: Line 7: [::1]:80 has a port. List the address alone.',
      ],
    ]);
    const key = await s.key(ada);
    const edited = await s.as(ada, 'PATCH', `W/keys/${key.id}`, { ipAllowlist });
    expect(errors(edited)).toEqual(errors(answer));
  });

  test('all wrong fields are named at once', async () => {
    const answer = await create({ name: '', rateLimit: 5, environment: 'x', extra: 1 });
    expect(
      errors(answer)
        .map((e) => e.split(':')[0])
        .sort(),
    ).toEqual(['environment', 'extra', 'name', 'rateLimit']);
  });
});

test('an allowlist is kept in one form and lets nobody else in', async () => {
  const { body } = await create({
    ipAllowlist: [' 10.0.0.0/24', '2001:DB8:0::/48', '::ffff:192.0.2.7', '10.0.0.0/24'],
  });
  expect(body.key.ipAllowlist).toEqual(['10.0.0.0/24', '2001:db8::/48', '192.0.2.7']);
  const verifier = await s.verifier();
  const codeFrom = async (ip?: string) =>
    (await s.as(undefined, 'POST', '/v1/verify', { key: body.secret, ...(ip && { ip }) }, { token: verifier })).body
      .code;
  for (const ip of ['10.0.0.9', '::ffff:10.0.0.9', '2001:db8::5', '192.0.2.7'])
    expect(await codeFrom(ip)).toBe('valid');
  for (const ip of [undefined, '10.0.1.9', '2001:db9::5', '::10.0.0.9'])
    expect(await codeFrom(ip)).toBe('ip_not_allowed');
  await s.as(ada, 'PATCH', `W/keys/${body.key.id}`, { ipAllowlist: [] });
  expect(await codeFrom()).toBe('valid');
});

test('an expiry is kept in UTC, whatever offset it came with', async () => {
  const { body } = await create({ expiresAt: '2031-03-01T01:30:00+05:30' });
  expect(body.key.expiresAt).toBe('2031-02-28T20:00:00.000Z');
});

describe('a longest lifetime', () => {
  const policy = (maxKeyLifetimeDays: number | null) =>
    s.as(s.owner, 'PATCH', 'W', { policies: { maxKeyLifetimeDays } });

  test('asks for an expiry within it, in new keys and in rotations, and leaves others alone', async () => {
    const [forever, brief] = [await s.key(ada), await s.key(ada, { expiresAt: at(10 * DAY) })];
    await policy(30);
    for (const fields of [{}, { expiresAt: null }, { expiresAt: at(31 * DAY) }]) {
      const answer = await create(fields);
      expect([answer.status, answer.body.errors[0].path]).toEqual([400, 'expiresAt']);
    }
    expect((await create({ expiresAt: at(30 * DAY) })).status).toBe(201);
    expect((await s.as(ada, 'GET', `W/keys/${forever.id}`)).body.status).toBe('active');
    expect((await s.as(ada, 'PATCH', `W/keys/${forever.id}`, { description: 'still there' })).status).toBe(200);
    const rotate = (id: string, body: object) => s.as(ada, 'POST', `W/keys/${id}/rotate`, body);
    expect(errors(await rotate(forever.id, {}))).toEqual([
      'expiresAt: is required: a key of this workspace lives at most 30 days',
    ]);
    expect((await rotate(forever.id, { expiresAt: at(40 * DAY) })).status).toBe(400);
    expect((await rotate(forever.id, { expiresAt: at(20 * DAY) })).status).toBe(200);
    expect((await rotate(brief.id, {})).status).toBe(200);
    await policy(null);
    expect((await create({})).status).toBe(201);
  });

  test('is never exceeded, not by a second, whatever a client’s clock says', async () => {
    await policy(30);
    expect((await create({ expiresAt: at(30 * DAY + 120_000) })).status).toBe(400);
    const { key } = (await create({ expiresAt: at(30 * DAY + 50_000) })).body;
    expect(Date.parse(key.expiresAt) - Date.parse(key.createdAt)).toBe(30 * DAY);
    const rotated = await s.as(ada, 'POST', `W/keys/${key.id}/rotate`, { expiresAt: at(30 * DAY + 50_000) });
    expect(Date.parse(rotated.body.key.expiresAt)).toBeLessThanOrEqual(s.companion.deps.now() + 30 * DAY);
    await policy(null);
  });
});

describe('the limit', () => {
  test('counts disabled keys, not revoked or expired ones, and an expired key that comes back', async () => {
    const small = await scenario({ HEEX_KEY_LIMIT: '2' });
    const { owner } = small;
    const soon = new Date(small.companion.deps.now() + 3_600_000).toISOString();
    const [one, two] = [await small.key(owner, { expiresAt: soon }), await small.key(owner)];
    const full = async () => {
      const answer = await small.as(owner, 'POST', 'W/keys', { name: 'one more', environment: 'staging' });
      return answer.body.code === 'key_limit_reached';
    };
    await small.as(owner, 'POST', `W/keys/${two.id}/disable`);
    expect(await full()).toBe(true);
    expect((await small.as(owner, 'POST', `W/keys/${two.id}/enable`)).status).toBe(200);
    small.companion.pass(3_600_000);
    const third = await small.key(owner);
    expect((await small.as(owner, 'GET', 'W')).body).toMatchObject({ keyLimit: 2, keysUsed: 2 });
    const back = await small.as(owner, 'POST', `W/keys/${one.id}/rotate`, { expiresAt: null });
    expect([back.status, back.body.code]).toEqual([409, 'key_limit_reached']);
    await small.as(owner, 'POST', `W/keys/${third.id}/revoke`);
    expect((await small.as(owner, 'POST', `W/keys/${one.id}/rotate`, { expiresAt: null })).status).toBe(200);
    expect(await full()).toBe(true);
    // A key that lives has its place: rotating it needs no other.
    expect((await small.as(owner, 'POST', `W/keys/${one.id}/rotate`)).status).toBe(200);
    await small.end();
  });
});

describe('a list', () => {
  test('is searched in name and prefix, in any case, and no character is a wildcard', async () => {
    const keys = [];
    for (const name of ['Größe_A%1', 'other-thing', 'GRÖSSE-b', 'über uns']) keys.push(await s.key(ada, { name }));
    const find = async (q: string) => {
      const answer = await s.as(ada, 'GET', `W/keys?limit=100&q=${encodeURIComponent(q)}`);
      return answer.body.items.map((key: { name: string }) => key.name).sort();
    };
    expect(await find('grösse')).toEqual(['GRÖSSE-b', 'Größe_A%1']);
    expect(await find('THING')).toEqual(['other-thing']);
    expect(await find('%')).toEqual(['Größe_A%1']);
    expect(await find('_a%')).toEqual(['Größe_A%1']);
    expect(await find('ÜBER')).toEqual(['über uns']);
    expect(await find("' or 1=1 --")).toEqual([]);
    const [first] = keys;
    expect(await find((first?.prefix ?? '').toUpperCase())).toEqual(['Größe_A%1']);
    expect(await find((first?.prefix ?? '').slice(-6))).toEqual(['Größe_A%1']);
    await s.as(ada, 'PATCH', `W/keys/${first?.id}`, { name: 'renamed now' });
    const rotated = (await s.as(ada, 'POST', `W/keys/${first?.id}/rotate`)).body.key;
    expect(await find('größe_a')).toEqual([]);
    // The old prefix still finds the key that it belonged to.
    for (const q of ['renamed', rotated.prefix, first?.prefix ?? '']) expect(await find(q)).toEqual(['renamed now']);
  });

  test.each([
    ['status=on', 'status'],
    ['status=Active', 'status'],
    ['expiration=soon', 'expiration'],
    ['environment=prod', 'environment'],
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=1.5', 'limit'],
    ['cursor=abc', 'cursor'],
    ['sort=name', 'sort'],
    ['q=a&q=b', 'q'],
    ['status=', 'status'],
  ])('with %s is refused, naming the parameter', async (query, path) => {
    const answer = await s.as(ada, 'GET', `W/keys?${query}`);
    expect([answer.status, answer.body.errors?.[0]?.path]).toEqual([400, path]);
  });
});
