/**
 * A JSON value as the one text that it has whatever the order of its members was (JSON Canonicalization Scheme, RFC 8785).
 * @param value what `JSON.parse` gave; its depth is that of the calls
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  // By UTF-16 code units, as `sort` compares by itself.
  const names = Object.keys(value).sort();
  const members = value as Record<string, unknown>;
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalJson(members[name])}`).join()}}`;
}
