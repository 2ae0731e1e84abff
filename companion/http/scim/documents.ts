import { MOST_RESULTS } from '../../app/scim-resources.ts';
import { ScimError } from '../../domain/scim/error.ts';
import { USER_SCHEMA } from '../../domain/scim/user.ts';

const CORE = 'urn:ietf:params:scim:schemas:core:2.0';
export const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

/** What of SCIM is supported (RFC 7643, 5). Bulk is not: identity providers do without. */
export const serviceProviderConfig = (base: string) => ({
  schemas: [`${CORE}:ServiceProviderConfig`],
  documentationUri: `${base.replace(/\/scim\/v2$/, '')}/docs`,
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: MOST_RESULTS },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: 'A SCIM token, made by an owner of the workspace',
      primary: true,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
});

export const resourceTypes = (base: string) => [
  {
    schemas: [`${CORE}:ResourceType`],
    id: 'User',
    name: 'User',
    endpoint: '/Users',
    description: 'A person',
    schema: USER_SCHEMA,
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/User` },
  },
];

type More = Partial<{
  required: boolean;
  caseExact: boolean;
  uniqueness: 'none' | 'server';
  type: string;
  subAttributes: object[];
  multiValued: boolean;
}>;

const attribute = (name: string, description: string, more: More = {}) => ({
  name,
  type: 'string',
  multiValued: false,
  description,
  required: false,
  ...(more.type === undefined || more.type === 'string' ? { caseExact: false, uniqueness: 'none' } : {}),
  mutability: 'readWrite',
  returned: 'default',
  ...more,
});

const userAttributes = [
  attribute('userName', 'The name that the identity provider knows the person by', {
    required: true,
    uniqueness: 'server',
  }),
  attribute('externalId', 'The id that the identity provider gave', { caseExact: true, uniqueness: 'server' }),
  attribute('displayName', 'The name that people see'),
  attribute('name', 'The name in its parts', {
    type: 'complex',
    subAttributes: [
      attribute('formatted', 'The whole name'),
      attribute('familyName', 'The family name'),
      attribute('givenName', 'The given name'),
      attribute('middleName', 'Middle names'),
      attribute('honorificPrefix', 'A title before the name'),
      attribute('honorificSuffix', 'A title after the name'),
    ],
  }),
  attribute('emails', 'Addresses; the primary one is the address of the account', {
    type: 'complex',
    multiValued: true,
    subAttributes: [
      attribute('value', 'The address'),
      attribute('type', 'What it is for, e.g. work'),
      attribute('display', 'How to show it'),
      attribute('primary', 'Whether it is the main one', { type: 'boolean' }),
    ],
  }),
  attribute('active', 'Whether the person has access', { type: 'boolean' }),
];

export const schemas = (base: string) => [
  {
    schemas: [`${CORE}:Schema`],
    id: USER_SCHEMA,
    name: 'User',
    description: 'A person',
    attributes: userAttributes,
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${USER_SCHEMA}` },
  },
];

/** Everything there is of a kind, as a list. */
export const listOf = (resources: readonly object[]) => ({
  schemas: [LIST],
  totalResults: resources.length,
  startIndex: 1,
  itemsPerPage: resources.length,
  Resources: resources,
});

/** The one with that id. @throws ScimError 404 */
export function oneOf<T extends { id: string }>(resources: readonly T[], id: string): T {
  const found = resources.find((resource) => resource.id.toLowerCase() === id.toLowerCase());
  if (!found) throw new ScimError(404, 'There is no such resource');
  return found;
}
