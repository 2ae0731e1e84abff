import { badField, Refusal } from '../domain/refusal.ts';

export const FORM = 'application/x-www-form-urlencoded';

/** A form body as an object. A parameter that stands twice is refused (RFC 6749, 3.2). @throws Refusal bad_request */
export function parseForm(bytes: Uint8Array): Record<string, string> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal('bad_request', 'The body is not valid UTF-8.');
  }
  const form = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (form.has(name)) throw badField(name, 'is there more than once');
    form.set(name, value);
  }
  return Object.fromEntries(form);
}

/** The same for OAuth, where a parameter without a value counts as left out (RFC 6749, 3.2). @throws Refusal bad_request */
export function parseOAuthForm(bytes: Uint8Array): Record<string, string> {
  return Object.fromEntries(Object.entries(parseForm(bytes)).filter(([, value]) => value !== ''));
}
