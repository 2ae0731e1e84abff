import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ScimError } from '../../companion/domain/scim/error.ts';
import { matches, parseFilter } from '../../companion/domain/scim/filter.ts';
import { patchUser } from '../../companion/domain/scim/patch.ts';
import { readUser, type ScimUser } from '../../companion/domain/scim/user.ts';

const ada: ScimUser = {
  userName: 'Ada@Acme.example',
  externalId: 'X-1',
  displayName: 'Ada L',
  name: { givenName: 'Ada', familyName: 'Lovelace' },
  emails: [
    { value: 'ada@acme.example', type: 'work', primary: true },
    { value: 'ada@home.example', type: 'home' },
  ],
  active: true,
};
const patch = (...Operations: unknown[]) =>
  patchUser(ada, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations });
const refused = (...operations: unknown[]) => {
  try {
    patch(...operations);
  } catch (error) {
    if (error instanceof ScimError) return error.scimType;
    throw error;
  }
  return 'accepted';
};

describe('active: false, in every shape that identity providers send', () => {
  for (const operation of [
    { op: 'replace', path: 'active', value: false },
    { op: 'replace', value: { active: false } },
    { op: 'Replace', path: 'active', value: 'False' },
    { op: 'Replace', path: 'active', value: 'false' },
    { op: 'REPLACE', value: { active: 'False' } },
    { op: 'Add', path: 'active', value: 'False' },
    { op: 'add', value: { active: false } },
    { op: 'replace', path: 'urn:ietf:params:scim:schemas:core:2.0:User:active', value: false },
    { op: 'replace', path: 'Active', value: false },
    { op: 'replace', value: { 'urn:ietf:params:scim:schemas:core:2.0:User:active': false } },
    { op: 'replace', value: { 'urn:ietf:params:scim:schemas:core:2.0:User': { active: false } } },
    { op: 'replace', path: 'urn:ietf:params:scim:schemas:core:2.0:User', value: { active: false } },
    { op: 'Replace', path: 'active', value: [{ value: 'False' }] },
  ])
    test(JSON.stringify(operation), () => expect(patch(operation)).toEqual({ ...ada, active: false }));
});

test('an id never changes, and a schema inside itself is no path', () => {
  const schema = 'urn:ietf:params:scim:schemas:core:2.0:User';
  for (const path of ['id', `${schema}:id`, 'meta', 'meta.created'])
    expect(refused({ op: 'replace', path, value: 'x' })).toBe('mutability');
  expect(refused({ op: 'replace', value: { [schema]: { [schema]: { active: false } } } })).toBe('invalidPath');
});

test('True, true and "True" activate; anything else is no truth value', () => {
  for (const value of [true, 'True', 'true']) expect(patch({ op: 'replace', path: 'active', value }).active).toBe(true);
  for (const value of ['no', 0, null, [], {}, [false]])
    expect(refused({ op: 'replace', path: 'active', value }), JSON.stringify(value)).toBe('invalidValue');
  expect(refused({ op: 'remove', path: 'active' })).toBe('invalidValue');
});

test('paths: parts, filters, and those of Entra that mean a new entry', () => {
  expect(patch({ op: 'Replace', path: 'name.givenName', value: 'Augusta' }).name).toEqual({
    givenName: 'Augusta',
    familyName: 'Lovelace',
  });
  expect(patch({ op: 'Add', value: { 'name.familyName': 'King', displayName: 'A K' } })).toMatchObject({
    name: { givenName: 'Ada', familyName: 'King' },
    displayName: 'A K',
  });
  expect(patch({ op: 'replace', path: 'emails[type eq "work"].value', value: 'a@b.example' }).emails[0]).toEqual({
    value: 'a@b.example',
    type: 'work',
    primary: true,
  });
  expect(patch({ op: 'Replace', path: 'emails[type eq "other"].value', value: 'o@b.example' }).emails[2]).toEqual({
    type: 'other',
    value: 'o@b.example',
  });
  expect(patch({ op: 'replace', path: 'emails[primary eq true].value', value: 'p@b.example' }).emails[0]?.value).toBe(
    'p@b.example',
  );
  expect(patch({ op: 'remove', path: 'emails[type eq "home"]' }).emails).toEqual([ada.emails[0]]);
  expect(patch({ op: 'remove', path: 'externalId' }).externalId).toBeUndefined();
  expect(patch({ op: 'remove', path: 'name.givenName' }).name).toEqual({ familyName: 'Lovelace' });
});

test('emails: replaced, added once, removed by value; a new primary one takes the place of the old', () => {
  const email = { value: 'new@acme.example', type: 'work', primary: true };
  expect(patch({ op: 'replace', path: 'emails', value: [email] }).emails).toEqual([email]);
  const added = patch({ op: 'add', path: 'emails', value: [{ ...email, type: 'other', primary: 'True' }] }).emails;
  expect(added.filter((e) => e.primary).map((e) => e.value)).toEqual(['new@acme.example']);
  expect(added).toHaveLength(3);
  expect(patch({ op: 'add', path: 'emails', value: [ada.emails[1]] }).emails).toHaveLength(2);
  expect(patch({ op: 'remove', path: 'emails', value: [{ value: 'ADA@home.example' }] }).emails).toEqual([
    ada.emails[0],
  ]);
});

test('attributes that are not kept are ignored, with and without a path', () => {
  const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
  expect(
    patch(
      { op: 'Add', path: `${enterprise}:department`, value: 'R&D' },
      { op: 'replace', path: 'title', value: 'Dr' },
      { op: 'add', path: 'phoneNumbers[type eq "work"].value', value: '+1' },
      { op: 'add', path: 'roles', value: [{ value: 'owner' }] },
      { op: 'replace', value: { password: 'hunter22222', groups: [], [`${enterprise}`]: { manager: 'x' } } },
    ),
  ).toEqual(ada);
});

test('one bad operation undoes them all, and says which kind of wrong it is', () => {
  for (const [operation, type] of [
    [{ op: 'delete', path: 'active' }, 'invalidSyntax'],
    [{ op: 'replace', path: 'name..givenName', value: 'x' }, 'invalidPath'],
    [{ op: 'replace', path: 'emails[type eq].value', value: 'x' }, 'invalidFilter'],
    [{ op: 'replace', path: 'active[x eq 1]', value: true }, 'invalidPath'],
    [{ op: 'replace', path: 7, value: true }, 'invalidPath'],
    [{ op: 'remove' }, 'noTarget'],
    [{ op: 'replace', path: 'emails[type ne "work" and type ne "home"].value', value: 'x@y.example' }, 'noTarget'],
    [{ op: 'replace', path: 'userName' }, 'invalidValue'],
    [{ op: 'remove', path: 'userName' }, 'invalidValue'],
    [{ op: 'replace', path: 'name', value: 'Ada' }, 'invalidValue'],
    [{ op: 'replace', path: 'displayName', value: 'a\u0000b' }, 'invalidValue'],
    [{ op: 'replace', path: 'emails', value: [{ value: 'no address', primary: true }] }, 'invalidValue'],
    ['replace', 'invalidSyntax'],
  ] as const)
    expect(refused({ op: 'replace', path: 'active', value: false }, operation), JSON.stringify(operation)).toBe(type);
  expect(() => patchUser(ada, { Operations: [] })).toThrow(ScimError);
  expect(() => patchUser(ada, [])).toThrow(ScimError);
});

test('no patch reaches a prototype', () => {
  for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'emails.__proto__', 'name.constructor']) {
    refused({ op: 'add', path: `${name}.polluted`, value: 'x' });
    refused({ op: 'add', path: name, value: { polluted: 'x' } });
    refused({ op: 'add', value: JSON.parse(`{"${name}.polluted":"x","${name}":{"polluted":"x"}}`) });
    refused({ op: 'add', path: 'name', value: JSON.parse(`{"${name}":{"polluted":"x"}}`) });
  }
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect((Object.prototype.toString as unknown as Record<string, unknown>).polluted).toBeUndefined();
});

test('whatever a patch says, the outcome is a whole user or a SCIM error', () => {
  const path = fc.oneof(
    fc.constantFrom('active', 'userName', 'name', 'name.givenName', 'emails', 'emails.value', 'emails[type eq "work"]'),
    fc.string(),
  );
  const operation = fc.record({
    op: fc.constantFrom('add', 'Replace', 'remove'),
    path: fc.option(path),
    value: fc.jsonValue(),
  });
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 4 }), (operations) => {
      try {
        const user = patch(...operations);
        expect(typeof user.userName).toBe('string');
        expect(typeof user.active).toBe('boolean');
        expect(user.emails.every((e) => typeof e.value === 'string')).toBe(true);
        expect(user.emails.filter((e) => e.primary).length).toBeLessThan(2);
        expect(readUser(JSON.parse(JSON.stringify(user)))).toEqual(JSON.parse(JSON.stringify(user)));
      } catch (error) {
        if (!(error instanceof ScimError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});

test('a body is read whatever the case of its attributes, and needs a user name and an address', () => {
  expect(readUser({ USERNAME: 'a@b.example', DisplayName: 'A', active: 'False', emails: null })).toEqual({
    userName: 'a@b.example',
    displayName: 'A',
    active: false,
    emails: [],
  });
  for (const body of [{}, { userName: '' }, { userName: 'ada' }, { userName: 7 }, null, []])
    expect(() => readUser(body), JSON.stringify(body)).toThrow(ScimError);
});

test('filters compare without case where the schema has none, and reach into lists', () => {
  const resource = { id: 'usr_A', meta: { created: '2026-01-01T00:00:00.000Z' }, ...ada };
  const yes = [
    'userName eq "ADA@acme.EXAMPLE"',
    'USERNAME Eq "ada@acme.example"',
    'urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ada@acme.example"',
    'externalId eq "X-1"',
    'emails.value eq "ADA@home.example"',
    'emails eq "ada@home.example"',
    'emails[type eq "work" and value co "@acme"]',
    'active eq true',
    'active eq "True"',
    'name.familyName sw "love" and not (userName ew ".com")',
    'title pr or displayName pr',
    'title eq null',
    'meta.created gt "2025-12-31T00:00:00Z"',
    'displayName ne "Bo"',
    'userName eq "x" or (userName co "ada" and active eq true)',
  ];
  const no = [
    'externalId eq "x-1"',
    'id eq "usr_a"',
    'active eq false',
    'title pr',
    'emails[type eq "work" and value co "@home"]',
  ];
  for (const filter of yes) expect(matches(parseFilter(filter), resource), filter).toBe(true);
  for (const filter of no) expect(matches(parseFilter(filter), resource), filter).toBe(false);
  for (const bad of [
    'userName',
    'eq "x"',
    'userName eq',
    'userName is "x"',
    '(userName pr',
    'userName eq x',
    '',
    '('.repeat(3000),
  ])
    expect(() => parseFilter(bad), bad).toThrow(ScimError);
});

describe('filters, by every operator of RFC 7644 (3.4.2.2)', () => {
  const schema = 'urn:ietf:params:scim:schemas:core:2.0:User';
  const meta = { created: '2026-01-01T00:00:00.000Z', lastModified: '2026-02-01T10:00:00.000Z' };
  const resource = { ...ada, schemas: [schema], id: 'usr_A', meta };
  test.each([
    ['userName eq "ada@acme.EXAMPLE"', true],
    ['userName EQ "ada@acme.example" AND active Eq true', true],
    ['externalId eq "x-1"', false],
    ['externalId eq "X-1"', true],
    ['id eq "usr_a"', false],
    ['userName ne "other"', true],
    ['emails.type ne "work"', false],
    ['userName co "ACME"', true],
    ['userName sw "ada@"', true],
    ['userName ew ".EXAMPLE"', true],
    ['title pr', false],
    ['name pr and emails pr', true],
    ['displayName gt "Ada K" and displayName ge "ada l" and displayName lt "ada m" and displayName le "ada l"', true],
    ['not (userName sw "ada")', false],
    ['userName eq "x" or userName sw "ada" and active eq false', false],
    ['(userName eq "x" or userName sw "ada") and active eq true', true],
    ['emails[type eq "work" and value ew "acme.example"]', true],
    ['emails[type eq "home" and value ew "acme.example"]', false],
    ['emails[primary eq true and not (type eq "home")]', true],
    [`${schema}:name.familyName eq "LOVELACE"`, true],
    [`schemas eq "${schema}"`, true],
    ['title eq null and active ne null', true],
    ['active eq "False"', false],
    ['meta.created eq "2026-01-01T01:00:00+01:00"', true],
    ['meta.created ge "2026-01-01T00:00:00Z" and meta.lastModified lt "2026-02-01T10:00:01Z"', true],
    ['meta.lastModified gt "2026-02-01T11:30:00+02:00"', true],
    ['meta.created sw "2026-01"', true],
  ])('%s: %s', (filter, holds) => expect(matches(parseFilter(filter), resource)).toBe(holds));

  test.each([
    '',
    'userName',
    'userName eq',
    'userName like "a"',
    'userName eq a',
    "userName eq 'a'",
    'userName eq "a" and',
    'userName eq "a" xor active eq true',
    '(userName eq "a"',
    'userName eq "a")',
    'emails[type eq "work"',
    'emails[]',
    'active gt true',
    'active lt "x"',
    'userName ge false',
    'userName gt null',
    'active co "tr"',
    'userName sw 1',
    'emails[primary ge true]',
    'not (active le false)',
    'meta.created gt "yesterday"',
    'meta.lastModified eq "2026-02-30T99:00:00Z"',
  ])('%s: invalidFilter', (filter) =>
    expect(() => parseFilter(filter)).toThrow(expect.objectContaining({ status: 400, scimType: 'invalidFilter' })),
  );
});
