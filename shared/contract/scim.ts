import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { author, name, timestamp } from './fields.ts';
import { W } from './path.ts';

export const DEACTIVATIONS = ['remove', 'suspend'] as const;

export const scimToken = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  createdAt: timestamp,
  createdBy: author,
  lastUsedAt: z.nullable(timestamp),
});
export type ScimToken = z.infer<typeof scimToken>;

export const scimSettings = z.object({
  /** The address that the identity provider is given. */
  baseUrl: z.string(),
  /** What `active: false` does: remove the member, or suspend them. DELETE always removes. */
  deactivation: z.enum(DEACTIVATIONS),
  tokens: z.array(scimToken),
  /** Members whom the identity provider has brought in or taken over, and not deactivated. */
  people: z.number(),
});
export type ScimSettings = z.infer<typeof scimSettings>;

const tokenWithSecret = z.object({ token: scimToken, secret: z.string() });

/** How an owner sets provisioning up. */
export const scimAdmin = {
  readScim: endpoint({
    id: 'readScim',
    method: 'GET',
    path: `${W}/scim`,
    summary: 'How an identity provider is connected',
    credential: 'session',
    action: 'scim.manage',
    answers: { 200: scimSettings },
  }),
  editScim: endpoint({
    id: 'editScim',
    method: 'PATCH',
    path: `${W}/scim`,
    summary: 'Choose whether a deactivated person is removed or suspended',
    credential: 'session',
    action: 'scim.manage',
    body: z.strictObject({ deactivation: z.enum(DEACTIVATIONS, 'must be remove or suspend') }),
    answers: { 200: scimSettings },
    stepUp: true,
  }),
  createScimToken: endpoint({
    id: 'createScimToken',
    method: 'POST',
    path: `${W}/scim/tokens`,
    summary: 'Make a token for an identity provider; it is shown once',
    credential: 'session',
    action: 'scim.manage',
    body: z.strictObject({ name }),
    answers: { 201: tokenWithSecret },
    secret: true,
    stepUp: true,
  }),
  rotateScimToken: endpoint({
    id: 'rotateScimToken',
    method: 'POST',
    path: `${W}/scim/tokens/:tokenId/rotate`,
    summary: 'A new secret for a token; the old one is refused at once',
    credential: 'session',
    action: 'scim.manage',
    answers: { 200: tokenWithSecret },
    secret: true,
    stepUp: true,
  }),
  removeScimToken: endpoint({
    id: 'removeScimToken',
    method: 'DELETE',
    path: `${W}/scim/tokens/:tokenId`,
    summary: 'Remove a token: it is refused at once',
    credential: 'session',
    action: 'scim.manage',
    answers: { 204: undefined },
  }),
} as const;

const USERS = '/scim/v2/Users';
const USER = `${USERS}/:userId` as const;
/** What a resource looks like is said by `/scim/v2/Schemas`. */
const resource = z.looseObject({ schemas: z.array(z.string()) });
const shared = {
  credential: 'scim',
  errors: 'scim',
  accepts: ['application/scim+json', 'application/json'],
  produces: ['application/scim+json'],
} as const;

/** SCIM 2.0 (RFC 7643, RFC 7644), called by an identity provider. Answers and errors have SCIM's own format. */
export const scim = {
  scimConfig: endpoint({
    id: 'scimConfig',
    method: 'GET',
    path: '/scim/v2/ServiceProviderConfig',
    summary: 'What of SCIM is supported',
    ...shared,
    answers: { 200: resource },
    problems: ['forbidden'],
  }),
  scimResourceTypes: endpoint({
    id: 'scimResourceTypes',
    method: 'GET',
    path: '/scim/v2/ResourceTypes',
    summary: 'The types of resources: User',
    ...shared,
    answers: { 200: resource },
    problems: ['forbidden'],
  }),
  scimResourceType: endpoint({
    id: 'scimResourceType',
    method: 'GET',
    path: '/scim/v2/ResourceTypes/:typeId',
    summary: 'One type of resource',
    ...shared,
    answers: { 200: resource },
    problems: ['forbidden', 'not_found'],
  }),
  scimSchemas: endpoint({
    id: 'scimSchemas',
    method: 'GET',
    path: '/scim/v2/Schemas',
    summary: 'The attributes that are kept',
    ...shared,
    answers: { 200: resource },
    problems: ['forbidden'],
  }),
  scimSchema: endpoint({
    id: 'scimSchema',
    method: 'GET',
    path: '/scim/v2/Schemas/:schemaId',
    summary: 'One schema',
    ...shared,
    answers: { 200: resource },
    problems: ['forbidden', 'not_found'],
  }),
  scimListUsers: endpoint({
    id: 'scimListUsers',
    method: 'GET',
    path: USERS,
    summary:
      'People: members, and those who were deactivated; `filter`, `startIndex`, `count`, `attributes`, `excludedAttributes`',
    ...shared,
    answers: { 200: resource },
    problems: ['bad_request'],
  }),
  scimCreateUser: endpoint({
    id: 'scimCreateUser',
    method: 'POST',
    path: USERS,
    summary: 'Provision a person',
    ...shared,
    body: resource,
    answers: { 201: resource },
    problems: ['conflict'],
  }),
  scimReadUser: endpoint({
    id: 'scimReadUser',
    method: 'GET',
    path: USER,
    summary: 'One person',
    ...shared,
    answers: { 200: resource },
    problems: ['not_found'],
  }),
  scimReplaceUser: endpoint({
    id: 'scimReplaceUser',
    method: 'PUT',
    path: USER,
    summary: 'Replace what is known of a person',
    ...shared,
    body: resource,
    answers: { 200: resource },
    problems: ['conflict', 'not_found'],
  }),
  scimPatchUser: endpoint({
    id: 'scimPatchUser',
    method: 'PATCH',
    path: USER,
    summary: 'Change what is known of a person; `active: false` removes or suspends the member',
    ...shared,
    body: resource,
    answers: { 200: resource },
    problems: ['conflict', 'not_found'],
  }),
  scimDeleteUser: endpoint({
    id: 'scimDeleteUser',
    method: 'DELETE',
    path: USER,
    summary: 'Deprovision a person: the member is removed, every key revoked, and no way of signing in works',
    ...shared,
    answers: { 204: undefined },
    problems: ['not_found'],
  }),
} as const;
