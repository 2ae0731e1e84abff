const BEARER = /^Bearer +([^\s,]+) *$/i;
// Also after a comma: lines that a gateway has joined.
const ANY_BEARER = /(^|,)\s*Bearer\b/i;

/** The token of an `Authorization: Bearer …` header, or undefined for any other value (RFC 6750, RFC 9110 11.6.2). */
export function tokenOf(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
}

/**
 * The key of a request: from `X-API-Key` or `Authorization: Bearer`. Undefined where there is none that can be told for sure: two
 * different ones, or a list. Beside `X-API-Key` another scheme (Basic) is none of our business.
 */
export function presentedKey(apiKey: string | undefined, authorization: string | undefined): string | undefined {
  const bearer = tokenOf(authorization);
  if (apiKey === undefined) return bearer;
  if (authorization !== undefined && ANY_BEARER.test(authorization) && bearer !== apiKey) return undefined;
  return apiKey.includes(',') ? undefined : apiKey;
}

/**
 * Makes a check that finds the first of these headers that stands twice.
 * @param names in lower case
 * @returns takes names and values, one after another, as `node:http` has them in `rawHeaders`
 */
export function repeatedHeader(names: readonly string[]): (rawHeaders: readonly string[]) => string | undefined {
  // Most names are told apart by their length, without another string for each.
  const lengths = new Set(names.map((name) => name.length));
  return (rawHeaders) => {
    const seen: string[] = [];
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const raw = rawHeaders[i] as string;
      if (!lengths.has(raw.length)) continue;
      const name = raw.toLowerCase();
      if (!names.includes(name)) continue;
      if (seen.includes(name)) return name;
      seen.push(name);
    }
    return undefined;
  };
}

const repeatedCredential = repeatedHeader(['authorization', 'x-api-key']);

interface RawRequest {
  rawHeaders: readonly string[];
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The key of a request of `node:http`, which shows only the first of two `Authorization` lines unless one looks closely. */
export function keyOfRequest({ rawHeaders, headers }: RawRequest): string | undefined {
  if (repeatedCredential(rawHeaders) !== undefined) return undefined;
  const text = (value: string | readonly string[] | undefined) => (typeof value === 'object' ? value.join() : value);
  return presentedKey(text(headers['x-api-key']), text(headers.authorization));
}
