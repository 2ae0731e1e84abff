import * as z from 'zod/mini';
import type { Endpoint } from '../../shared/contract/endpoint.ts';
import { PROBLEMS, type ProblemCode, problem } from '../../shared/contract/errors.ts';
import { contract } from '../../shared/contract/index.ts';

const jsonSchema = (schema: z.ZodMiniType, io: 'input' | 'output') => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
};

const SECURITY: Record<Endpoint['credential'], object[]> = {
  none: [],
  own: [],
  session: [{ session: [] }],
  optional_session: [{}, { session: [] }],
  key: [{ apiKey: [] }, { apiKeyBearer: [] }],
  verifier: [{ verifier: [] }],
  scim: [{ scim: [] }],
};

/** Every problem that an endpoint can answer, those that follow from its credential and input included. */
export function problemsOf(endpoint: Endpoint): ProblemCode[] {
  const implied: ProblemCode[] = ['wrong_host', 'internal', 'unavailable'];
  // Where no body is asked for, one that is sent all the same is looked at.
  if (endpoint.body || !['GET', 'DELETE'].includes(endpoint.method)) {
    implied.push('bad_request', 'payload_too_large');
    // For OAuth that is a bad request like any other.
    if (endpoint.errors !== 'oauth') implied.push('unsupported_media_type');
  }
  if (endpoint.query) implied.push('bad_request');
  if (!['none', 'optional_session'].includes(endpoint.credential)) implied.push('unauthorized');
  if (endpoint.action) implied.push('forbidden', 'not_found');
  if (endpoint.idempotent) implied.push('idempotency_mismatch');
  if (endpoint.ifMatch) implied.push('precondition_failed');
  if (endpoint.stepUp) implied.push('step_up_required');
  return [...new Set([...implied, ...(endpoint.problems ?? [])])].sort((a, b) => PROBLEMS[a][0] - PROBLEMS[b][0]);
}

/** Endpoints of OAuth also know a client by its secret, in a header or in the form. */
const securityOf = ({ credential, errors }: Endpoint): object[] =>
  credential === 'verifier' && errors === 'oauth'
    ? [...SECURITY.verifier, { verifierBasic: [] }, {}]
    : SECURITY[credential];

function parameters(endpoint: Endpoint): object[] {
  const inPath = [...endpoint.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const query = endpoint.query
    ? (jsonSchema(endpoint.query, 'input') as { properties?: Record<string, object>; required?: string[] })
    : {};
  const inQuery = Object.entries(query.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: query.required?.includes(name) ?? false,
    schema,
  }));
  const header = (name: string, maxLength: number) => ({
    name,
    in: 'header',
    required: false,
    schema: { type: 'string', maxLength },
  });
  const inHeader = [
    ...(endpoint.idempotent ? [header('Idempotency-Key', 255)] : []),
    ...(endpoint.ifMatch ? [header('If-Match', 200)] : []),
  ];
  return [...inPath, ...inQuery, ...inHeader];
}

const content = (types: readonly string[], schema: object) =>
  Object.fromEntries(types.map((type) => [type, { schema }]));

const schemaNamed = (name: string) => ({ $ref: `#/components/schemas/${name}` });

function errorContent(endpoint: Endpoint, status: number, code: ProblemCode): object {
  if (endpoint.errors === 'scim') return content(['application/scim+json'], schemaNamed('ScimError'));
  // What is refused before the endpoint is reached, or by a fault of ours, is a problem here too.
  if (endpoint.errors === 'oauth' && status < 500 && code !== 'wrong_host')
    return content(['application/json'], schemaNamed('OAuthError'));
  return content(['application/problem+json'], schemaNamed('Problem'));
}

function responses(endpoint: Endpoint): Record<string, object> {
  const answers: Record<string, object> = {};
  for (const [status, schema] of Object.entries(endpoint.answers)) {
    answers[status] = {
      description: 'Done',
      ...(schema ? { content: content(endpoint.produces ?? ['application/json'], jsonSchema(schema, 'output')) } : {}),
    };
  }
  for (const code of problemsOf(endpoint)) {
    const [status, title] = PROBLEMS[code];
    const described = (answers[status] as { description?: string } | undefined)?.description;
    answers[status] = {
      description: described ? `${described}; ${code}: ${title}` : `${code}: ${title}`,
      content: errorContent(endpoint, status, code),
    };
  }
  return answers;
}

const OAUTH_ERROR = {
  type: 'object',
  properties: { error: { type: 'string' }, error_description: { type: 'string' } },
  required: ['error'],
};

const SCIM_ERROR = {
  type: 'object',
  properties: {
    schemas: { type: 'array', items: { type: 'string' } },
    status: { type: 'string' },
    scimType: { type: 'string' },
    detail: { type: 'string' },
  },
  required: ['schemas', 'status'],
};

let made: object | undefined;

/** The OpenAPI 3.1 document, from the contract. */
export function openApiDocument(): object {
  if (made) return made;
  const paths: Record<string, Record<string, object>> = {};
  for (const [tag, group] of Object.entries(contract)) {
    for (const endpoint of Object.values<Endpoint>(group)) {
      const path = endpoint.path.replace(/:(\w+)/g, '{$1}');
      const operations = paths[path] ?? {};
      paths[path] = operations;
      operations[endpoint.method.toLowerCase()] = {
        operationId: endpoint.id,
        tags: [tag],
        summary: endpoint.summary,
        security: securityOf(endpoint),
        parameters: parameters(endpoint),
        ...(endpoint.body
          ? {
              requestBody: {
                // A request without a body is taken for one without fields.
                required: !endpoint.body.safeParse({}).success,
                content: content(endpoint.accepts ?? ['application/json'], jsonSchema(endpoint.body, 'input')),
              },
            }
          : {}),
        responses: responses(endpoint),
      };
    }
  }
  made = {
    openapi: '3.1.0',
    info: {
      title: 'Heex Keys',
      version: '1',
      description: 'Personal API keys for a team. Times are RFC 3339 in UTC.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    paths,
    components: {
      schemas: { Problem: jsonSchema(problem, 'output'), OAuthError: OAUTH_ERROR, ScimError: SCIM_ERROR },
      securitySchemes: {
        session: { type: 'http', scheme: 'bearer', description: 'A session token' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        apiKeyBearer: { type: 'http', scheme: 'bearer', description: 'An API key' },
        verifier: { type: 'http', scheme: 'bearer', description: 'A verifier secret' },
        verifierBasic: { type: 'http', scheme: 'basic', description: 'Any client id, and a verifier secret' },
        scim: { type: 'http', scheme: 'bearer', description: 'A SCIM token' },
      },
    },
  };
  return made;
}
