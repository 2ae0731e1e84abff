import { html } from 'hono/html';
import type { Endpoint } from '../../../shared/contract/endpoint.ts';
import { PROBLEMS, type ProblemCode } from '../../../shared/contract/errors.ts';
import { ROLES } from '../../../shared/contract/fields.ts';
import { contract } from '../../../shared/contract/index.ts';
import type { Deps } from '../../app/deps.ts';
import { allows, allowsOthers } from '../../domain/access.ts';
import { openApiDocument, problemsOf } from '../openapi.ts';
import { type Html, NOTHING, render } from './layout.ts';
import type { Pages } from './route.ts';

interface Schema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  default?: unknown;
}
interface Operation {
  parameters: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

const CREDENTIALS: Record<Endpoint['credential'], string> = {
  none: 'nothing',
  session: 'a session',
  optional_session: 'a session, or nothing',
  key: 'an API key',
  verifier: 'a verifier secret',
  scim: 'a SCIM token',
  own: 'a proof of its own',
};

/** The reference for people, made from the same contract as `/openapi.json`. Anchors: `#error-<code>`, `#<operationId>`. */
export function docsPage(pages: Pages, deps: Deps): void {
  pages.get('/docs', async ({ c }) => {
    const { paths } = openApiDocument() as { paths: Record<string, Record<string, Operation>> };
    const groups = Object.entries(contract).map(([name, group]) => ({
      name,
      endpoints: Object.values<Endpoint>(group),
    }));
    return render(c, deps.config.publicUrl, {
      title: 'API reference',
      size: 'document',
      body: html`<h1>Heex Keys: API reference</h1>
        <p>JSON in, JSON out. Times are RFC 3339 in UTC. Lists answer <code>items</code> and <code>nextCursor</code>. The same for tools: <a href="/openapi.json">openapi.json</a>.</p>
        <nav aria-label="Contents"><ul class="toc">${groups.map(({ name }) => html`<li><a href="#${slug(name)}">${name}</a></li>`)}<li><a href="#errors">Errors</a></li></ul></nav>
        ${groups.map(
          ({ name, endpoints }) =>
            html`<h2 id="${slug(name)}">${name}</h2>${endpoints.map((e) =>
              operation(e, paths[e.path.replace(/:(\w+)/g, '{$1}')]?.[e.method.toLowerCase()]),
            )}`,
        )}
        ${errors()}`,
    });
  });
}

const slug = (name: string) => name.toLowerCase().replace(/\W+/g, '-');

function who({ action }: Endpoint): string {
  if (!action) return '';
  const list = (roles: readonly string[]) => (roles.length === ROLES.length ? 'every member' : `${roles.join(', ')}`);
  const own = list(ROLES.filter((role) => allows(role, action)));
  const others = ROLES.filter((role) => allowsOthers(role, action));
  if (list(others) === own) return ` of: ${own}`;
  return ` of: ${own}; for what belongs to others: ${others.length ? list(others) : 'nobody'}`;
}

function operation(endpoint: Endpoint, described: Operation | undefined): Html {
  const body = Object.values(described?.requestBody?.content ?? {})[0]?.schema;
  return html`<section class="operation" id="${endpoint.id}">
    <h3><span class="method">${endpoint.method}</span> <code>${endpoint.path.replace(/:(\w+)/g, '{$1}')}</code></h3>
    <p>${endpoint.summary}.</p>
    <p class="small">Needs ${CREDENTIALS[endpoint.credential]}${who(endpoint)}.</p>
    ${
      described?.parameters.length
        ? table(
            'Parameters',
            described.parameters.map((p) => [p.name, p.required, p.schema, p.in]),
          )
        : NOTHING
    }
    ${body?.properties ? table('Body', rowsOf(body)) : NOTHING}
    ${Object.entries(described?.responses ?? {})
      .filter(([status]) => status < '300')
      .map(([status, answer]) => answerOf(status, answer.content?.['application/json']?.schema))}
    <p class="small">Errors: ${problemsOf(endpoint).map((code, i) => html`${i ? ', ' : ''}<a href="#error-${code}">${code}</a>`)}</p>
  </section>`;
}

type Row = [name: string, required: boolean, schema: Schema, place?: string];
const rowsOf = (schema: Schema): Row[] =>
  Object.entries(schema.properties ?? {}).map(([name, inner]) => [
    name,
    schema.required?.includes(name) ?? false,
    inner,
  ]);

function table(title: string, rows: readonly Row[]): Html {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${title}"><table>
    <thead><tr><th scope="col">${title}</th><th scope="col">What</th><th scope="col">Required</th></tr></thead>
    <tbody>${rows.map(
      ([name, required, schema, place]) =>
        html`<tr><td><code>${name}</code>${place && place !== 'query' ? html` <span class="small muted">${place}</span>` : NOTHING}</td><td>${describe(schema)}</td><td>${required ? 'yes' : ''}</td></tr>`,
    )}</tbody></table></div>`;
}

function answerOf(status: string, schema: Schema | undefined): Html {
  return html`<p class="small">Answers <b>${status}</b>${schema ? html` with <code>${shape(schema, 2)}</code>` : ' without a body'}.</p>`;
}

/** The shape of an answer, as far as it helps: names, and what is inside them. */
function shape(schema: Schema, depth: number): string {
  if (schema.items) return `[${shape(schema.items, depth)}]`;
  const inner = schema.anyOf?.find((one) => one.properties) ?? schema;
  if (!inner.properties) return describe(schema);
  if (depth === 0) return '{ … }';
  const names = Object.entries(inner.properties).map(([name, value]) => {
    const optional = inner.required?.includes(name) ? '' : '?';
    return value.properties || value.items?.properties
      ? `${name}${optional}: ${shape(value, depth - 1)}`
      : name + optional;
  });
  return `{ ${names.join(', ')} }`;
}

const FORMATS: Record<string, string> = { 'date-time': 'a time (RFC 3339)', email: 'an e-mail address' };

function describe(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => String(value)).join(' | ');
  if (schema.anyOf) return [...new Set(schema.anyOf.map(describe))].join(' | ');
  if (schema.type === 'array') return `list of ${schema.items ? describe(schema.items) : 'anything'}`;
  if (schema.properties) return shape(schema, 1);
  const limits = [
    (schema.minLength ?? 0) > 1 && `at least ${schema.minLength} characters`,
    schema.maxLength && `at most ${schema.maxLength} characters`,
    schema.minimum !== undefined && schema.minimum > -1e15 && `from ${schema.minimum}`,
    schema.maximum !== undefined && schema.maximum < 1e15 && `to ${schema.maximum}`,
    schema.default !== undefined && `default ${JSON.stringify(schema.default)}`,
  ].filter(Boolean);
  const type = [schema.type ?? 'any', schema.format && FORMATS[schema.format]].filter(Boolean).join(', ');
  return [type, ...limits].join(', ');
}

function errors(): Html {
  return html`<h2 id="errors">Errors</h2>
    <p>Errors are <code>application/problem+json</code> (RFC 9457) with <code>code</code>, <code>requestId</code> and, for bad fields, <code>errors: [{ path, message }]</code>.</p>
    <div class="scroll" tabindex="0" role="group" aria-label="Errors"><table><thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">What it means</th></tr></thead>
    <tbody>${(Object.keys(PROBLEMS) as ProblemCode[]).map(
      (code) =>
        html`<tr id="error-${code}"><td><code>${code}</code></td><td>${PROBLEMS[code][0]}</td><td>${PROBLEMS[code][1]}</td></tr>`,
    )}</tbody></table></div>`;
}
