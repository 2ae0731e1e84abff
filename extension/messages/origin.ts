/** The match pattern of the one host that is asked for. Firefox takes no port in a pattern, so none is given. */
export function hostPattern(origin: string): string {
  const url = new URL(origin);
  return `${url.protocol}//${url.hostname}/*`;
}
