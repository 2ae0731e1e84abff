interface Route {
  method: string;
  /** With `:name` parameters. */
  path: string;
}

const fits = (pattern: readonly string[], path: readonly string[]): boolean =>
  pattern.length === path.length && pattern.every((part, i) => part.startsWith(':') || part === path[i]);

/** Makes what tells the methods that a path takes, whichever of the routes fit it: what `Allow` says (RFC 9110, 10.2.1). */
export function createMethodsAt(routes: readonly Route[]): (path: string) => string[] {
  const known = routes.map(({ method, path }) => ({ method, pattern: path.split('/') }));
  return (path) => {
    const parts = path.split('/');
    return [...new Set(known.filter(({ pattern }) => fits(pattern, parts)).map(({ method }) => method))].sort();
  };
}
