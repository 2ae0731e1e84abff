import type { Endpoint } from '../../../shared/contract/endpoint.ts';
import { scim } from '../../../shared/contract/scim.ts';
import { isToken } from '../../../shared/key-format.ts';
import type { Deps } from '../../app/deps.ts';
import { createScimUser, deleteScimUser, patchScimUser, readScimUser, replaceScimUser } from '../../app/scim.ts';
import { listPeople, type ScimResource } from '../../app/scim-resources.ts';
import { authenticateScim, type ScimCaller } from '../../app/scim-tokens.ts';
import { Refusal } from '../../domain/refusal.ts';
import { ScimError } from '../../domain/scim/error.ts';
import { bearerToken } from '../authenticate.ts';
import type { App, Ctx } from '../context.ts';
import { parseStrictJson } from '../json.ts';
import { mediaType } from '../media-type.ts';
import { createMethodsAt } from '../methods.ts';
import { readBody } from '../read-body.ts';
import { scimAnswer, scimFailed } from './answer.ts';
import { LIST, listOf, oneOf, resourceTypes, schemas, serviceProviderConfig } from './documents.ts';
import { ifMatch, isKnown, listQuery, projected, refuseFilter } from './query.ts';

interface ScimCall {
  c: Ctx;
  caller: ScimCaller;
  body: unknown;
  /** The id in the path. */
  id: string;
}
type ScimHandler = (call: ScimCall) => Promise<Response>;

async function authenticated(c: Ctx, deps: Deps): Promise<ScimCaller> {
  const token = bearerToken(c);
  if (token === undefined || !isToken('scim', token)) throw new Refusal('unauthorized');
  return authenticateScim(deps, token, c.get('origin'));
}

async function bodyOf(c: Ctx, endpoint: Endpoint): Promise<unknown> {
  if (!endpoint.body) return undefined;
  const type = mediaType(c.req.header('content-type'));
  if (!endpoint.accepts?.includes(type))
    throw new Refusal('unsupported_media_type', `The body has to be ${endpoint.accepts?.join(' or ')}.`);
  return parseStrictJson(await readBody(c));
}

/** Refusals of SCIM's own are answered here; all others by the guard, which knows these paths. */
async function answering(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ScimError) return scimFailed(error);
    throw error;
  }
}

/** SCIM 2.0: credential first, then the body, then the use case; errors in SCIM's own format. */
export function bindScim(app: App, deps: Deps): void {
  for (const [name, handler] of Object.entries(handlersFor(deps))) {
    const endpoint = scim[name as keyof typeof scim];
    app.on(endpoint.method, endpoint.path, (c) =>
      answering(async () => {
        const caller = await authenticated(c, deps);
        const id = c.req.param('userId') ?? c.req.param('typeId') ?? c.req.param('schemaId') ?? '';
        return handler({ c, caller, body: await bodyOf(c, endpoint), id });
      }),
    );
  }
  app.all('/scim/v2/*', (c) =>
    answering(async () => {
      await authenticated(c, deps);
      throw unsupported(c.req.path);
    }),
  );
}

const methodsAt = createMethodsAt(Object.values(scim));

function unsupported(path: string): ScimError | Refusal {
  const rest = path.slice('/scim/v2/'.length);
  if (/(^|\/)\.search$/.test(rest))
    return new ScimError(501, 'Searching by POST is not supported; send the filter with GET /Users');
  if (/^(Bulk|Me|Groups)(\/|$)/.test(rest))
    return new ScimError(501, `${rest.split('/')[0]} is not supported; see ServiceProviderConfig and ResourceTypes`);
  const methods = methodsAt(path);
  if (methods.length > 0) return new Refusal('method_not_allowed', '', [], { Allow: methods.join(', ') });
  return new ScimError(404, 'There is no such resource');
}

function one(c: Ctx, status: number, resource: ScimResource): Response {
  const headers = { ETag: resource.meta.version, 'Content-Location': resource.meta.location };
  return scimAnswer(status, projected(c, resource), {
    ...headers,
    ...(status === 201 ? { Location: resource.meta.location } : {}),
  });
}

function handlersFor(deps: Deps): Record<keyof typeof scim, ScimHandler> {
  const base = () => `${deps.config.publicUrl}/scim/v2`;
  const document = (make: (base: string, id: string) => object) => async (call: ScimCall) => {
    refuseFilter(call.c);
    return scimAnswer(200, make(base(), call.id));
  };
  return {
    scimConfig: document(serviceProviderConfig),
    scimResourceTypes: document((url) => listOf(resourceTypes(url))),
    scimResourceType: document((url, id) => oneOf(resourceTypes(url), id)),
    scimSchemas: document((url) => listOf(schemas(url))),
    scimSchema: document((url, id) => oneOf(schemas(url), id)),
    scimListUsers: async ({ c, caller }) => {
      const { totalResults, startIndex, resources } = await listPeople(deps, caller, listQuery(c));
      const shown = resources.map((resource) => projected(c, resource));
      return scimAnswer(200, {
        schemas: [LIST],
        totalResults,
        startIndex,
        itemsPerPage: shown.length,
        Resources: shown,
      });
    },
    scimCreateUser: async ({ c, caller, body }) => one(c, 201, await createScimUser(deps, caller, body)),
    scimReadUser: async ({ c, caller, id }) => {
      const resource = await readScimUser(deps, caller, id);
      if (isKnown(c, resource)) return scimAnswer(304, undefined, { ETag: resource.meta.version });
      return one(c, 200, resource);
    },
    scimReplaceUser: async ({ c, caller, body, id }) =>
      one(c, 200, await replaceScimUser(deps, caller, id, body, ifMatch(c))),
    scimPatchUser: async ({ c, caller, body, id }) =>
      one(c, 200, await patchScimUser(deps, caller, id, body, ifMatch(c))),
    scimDeleteUser: async ({ c, caller, id }) => {
      await deleteScimUser(deps, caller, id, ifMatch(c));
      return scimAnswer(204, undefined);
    },
  };
}
