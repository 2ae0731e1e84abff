import { html } from 'hono/html';
import type * as z from 'zod/mini';
import type { FieldError } from '../../../shared/contract/errors.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Ctx } from '../context.ts';
import { FORM, parseForm } from '../form.ts';
import { readBody } from '../read-body.ts';
import { fieldErrors } from '../validate.ts';
import { callout, type Html, icon, NOTHING } from './layout.ts';

export type Values = Readonly<Record<string, string>>;
/** What is wrong with which field, in words for the person in front of it; empty where another place says it. */
export type Errors = Readonly<Record<string, string>>;

/** The fields of a posted form; empty ones are left out. @throws Refusal */
export async function readForm(c: Ctx): Promise<Record<string, string>> {
  const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== FORM) throw new Refusal('unsupported_media_type', 'Send the form itself.');
  const form = parseForm(await readBody(c));
  return Object.fromEntries(Object.entries(form).filter(([, value]) => value !== ''));
}

const EMPTY = 'Fill this in.';

function sentence({ message }: FieldError): string {
  if (message === 'is required') return EMPTY;
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

/** One sentence for each field that has an error. */
export function errorsOf(errors: readonly FieldError[]): Errors {
  return Object.fromEntries([...errors].reverse().map((error) => [error.path, sentence(error)]));
}

/** The form as the schema wants it, or what is wrong with which field. */
export function check<S extends z.ZodMiniType>(
  schema: S,
  form: Values,
): { ok: true; data: z.infer<S> } | { ok: false; errors: Errors } {
  const result = schema.safeParse(form);
  if (result.success) return { ok: true, data: result.data };
  return { ok: false, errors: errorsOf(fieldErrors(result.error.issues, form)) };
}

export interface Field {
  name: string;
  label: string;
  type?: 'text' | 'email' | 'password';
  autocomplete: string;
  value?: string | undefined;
  error?: string | undefined;
  hint?: string | Html;
  /** What a value has to be. Said until an error says what is wrong with the one that came. */
  rule?: string | Html;
  /** Said at the right of the label. */
  note?: string;
  readonly?: boolean;
  mono?: boolean;
  autofocus?: boolean;
  /** The id of the form that it belongs to, where it does not stand in it. */
  form?: string;
  /** Filled from the fragment of the address, by `fragment.js`. */
  fragment?: boolean;
}

/** One labelled input, with its hint and its error where a screen reader finds them. A password is never given back. */
export function field(f: Field): Html {
  const hint = f.hint ?? (f.error && f.error !== EMPTY ? undefined : f.rule);
  const about = [f.error && `${f.name}-error`, hint && `${f.name}-hint`].filter(Boolean).join(' ');
  const secret = f.type === 'password';
  const input = html`<input class="input input--lg${f.mono ? ' input--mono' : ''}${secret ? ' input--secret' : ''}" id="${f.name}" name="${f.name}"
    type="${f.type ?? 'text'}" autocomplete="${f.autocomplete}" value="${secret ? '' : (f.value ?? '')}" required
    ${attribute('form', f.form ?? false)}
    ${attribute('aria-invalid', f.error !== undefined && 'true')}
    ${attribute('aria-describedby', about)}
    ${f.readonly ? html`readonly` : NOTHING}
    ${f.fragment ? html`data-fragment` : NOTHING}
    ${f.autofocus ? html`autofocus` : NOTHING}
    ${f.type === 'email' || f.mono ? html`autocapitalize="none" spellcheck="false"` : NOTHING}>`;
  return html`<div class="field">
    <label class="field__label" for="${f.name}"><span>${f.label}</span>${f.note ? html`<small>${f.note}</small>` : NOTHING}</label>
    ${secret ? html`<div class="input-wrap">${input}${reveal(f.name)}</div>` : input}
    ${f.error ? html`<p class="field__error" id="${f.name}-error">${icon('alert', 'sm')}<span>${f.error}</span></p>` : NOTHING}
    ${hint ? html`<p class="field__hint" id="${f.name}-hint">${hint}</p>` : NOTHING}
  </div>`;
}

// Hidden until the script is there that makes it work.
const reveal = (name: string) =>
  html`<button type="button" class="btn btn--ghost btn--icon btn--sm input-end" data-reveal="${name}" aria-label="Show password" aria-pressed="false" hidden>${icon('eye')}</button>`;

const attribute = (name: string, value: string | false) => (value ? html`${name}="${value}"` : NOTHING);

/** What is said to who has tried too often: when it goes on, to the second. */
export function tooOften({ headers }: Refusal): Html {
  const seconds = Number(headers['Retry-After'] ?? 1);
  const wait =
    seconds >= 120 ? `${Math.ceil(seconds / 60)} minutes` : `${seconds} ${seconds === 1 ? 'second' : 'seconds'}`;
  return callout('warn', 'Too many attempts.', `Try again in ${wait}.`);
}

/** Fields that travel along unseen. */
export function hidden(values: Values): Html {
  return html`${Object.entries(values).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}`;
}

/** The name of the first field that has an error: it gets the focus. */
export function focused(errors: Errors, order: readonly string[], otherwise: string): string {
  return order.find((name) => errors[name] !== undefined) ?? otherwise;
}

/**
 * Where to go on after signing in: a path of ours, anything else is the home page.
 * @param next as it came with the request
 */
export function localPath(next: string | undefined): string {
  if (!next || !/^\/(?![/\\])[\x21-\x7e]*$/.test(next) || next.includes('\\')) return '/';
  const base = 'http://companion.invalid';
  if (!URL.canParse(next, base)) return '/';
  const url = new URL(next, base);
  // Dot segments are gone by now: what is left may begin like another host.
  return url.origin === base && !url.pathname.startsWith('//') ? url.pathname + url.search : '/';
}
