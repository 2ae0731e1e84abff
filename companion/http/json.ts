import { badField, Refusal } from '../domain/refusal.ts';

/** Lists and objects within one another; nothing that is asked for has more than a few, and whatever goes through them calls itself. */
const MOST_NESTED = 32;

/**
 * A request body as JSON that means one thing only: valid UTF-8 without a byte-order mark, no member twice, no lone surrogate
 * (I-JSON, RFC 7493), at most `MOST_NESTED` deep.
 * @throws Refusal bad_request
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal('bad_request', 'The body is not valid UTF-8.');
  }
  if (text.startsWith('\ufeff'))
    throw new Refusal('bad_request', 'The body starts with a byte-order mark; send it without.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal('bad_request', 'The body is not valid JSON.');
  }
  const twice = duplicateMember(text);
  if (twice !== undefined) throw badField(twice, 'is there more than once');
  // Unescaped text was valid UTF-8, so a lone surrogate can only come from an escape.
  if (text.includes('\\u')) refuseLoneSurrogates(value, '');
  return value;
}

interface Open {
  /** The names in an open object; an open array has none. */
  names: Set<string> | undefined;
  /** The name or index that is being read. */
  at: string | number;
}

/** The path of the first member that stands twice in one object. `text` is known to be valid JSON. */
function duplicateMember(text: string): string | undefined {
  const open: Open[] = [];
  let atName = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    const inner = open.at(-1);
    if (char === 0x22) {
      const end = endOfString(text, i);
      if (atName && inner?.names) {
        inner.at = JSON.parse(text.slice(i, end + 1)) as string;
        if (inner.names.has(inner.at)) return open.map((one) => one.at).join('.');
        inner.names.add(inner.at);
        atName = false;
      }
      i = end;
    } else if (char === 0x7b || char === 0x5b) {
      atName = char === 0x7b;
      open.push({ names: atName ? new Set() : undefined, at: 0 });
      if (open.length > MOST_NESTED)
        throw new Refusal('bad_request', 'The body has too many lists or objects within one another.');
    } else if (char === 0x7d || char === 0x5d) {
      open.pop();
      atName = false;
    } else if (char === 0x2c && inner) {
      atName = inner.names !== undefined;
      if (typeof inner.at === 'number') inner.at++;
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text.charCodeAt(i) !== 0x22) i += text.charCodeAt(i) === 0x5c ? 2 : 1;
  return i;
}

function refuseLoneSurrogates(value: unknown, path: string): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw badField(path, 'must be valid Unicode (a surrogate stands alone)');
  } else if (value !== null && typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) {
      if (!name.isWellFormed()) throw badField(path, 'a member name must be valid Unicode');
      refuseLoneSurrogates(inner, path ? `${path}.${name}` : name);
    }
  }
}
