/** As much of a browser as sign-in pages need: cookies per origin, forms, and going where it is sent. */
export interface WebBrowser {
  get(url: string): Promise<WebPage>;
  /** Sends a form, as a page of that origin would. */
  submit(url: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<WebPage>;
  /** Calls the HTTP interface as a script of a page would. */
  script(method: string, url: string, body?: unknown): Promise<WebPage>;
  cookies(origin: string): Map<string, string>;
  /** Every address that it was sent to. */
  visited: string[];
}
export interface WebPage {
  url: string;
  status: number;
  text: string;
  headers: Headers;
}

const MOST_HOPS = 15;

export function webBrowser(): WebBrowser {
  const jars = new Map<string, Map<string, string>>();
  const visited: string[] = [];
  const jar = (origin: string) => {
    const known = jars.get(origin) ?? new Map<string, string>();
    jars.set(origin, known);
    return known;
  };
  function keep(origin: string, headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(/;\s*/);
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      const over = attributes.some(
        (a) => /^max-age=0$/i.test(a) || (/^expires=/i.test(a) && Date.parse(a.slice(8)) < Date.now()),
      );
      if (over) jar(origin).delete(name);
      else jar(origin).set(name, value);
    }
  }
  async function once(url: string, init: RequestInit): Promise<Response> {
    const { origin } = new URL(url);
    visited.push(url);
    const cookie = [...jar(origin)].map(([n, v]) => `${n}=${v}`).join('; ');
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { ...(cookie ? { cookie } : {}), ...(init.headers as Record<string, string>) },
    });
    keep(origin, response.headers);
    return response;
  }
  async function go(url: string, init: RequestInit): Promise<WebPage> {
    let [at, next] = [url, init];
    for (let hop = 0; hop < MOST_HOPS; hop++) {
      const response = await once(at, next);
      const text = await response.text();
      const on = response.headers.get('location') ?? /url=(.*)$/.exec(response.headers.get('refresh') ?? '')?.[1];
      if (!on) return { url: at, status: response.status, text, headers: response.headers };
      [at, next] = [new URL(on, at).href, { headers: { 'sec-fetch-site': 'cross-site' } }];
    }
    throw new Error(`went round in circles: ${visited.slice(-MOST_HOPS).join(' ')}`);
  }
  return {
    visited,
    cookies: jar,
    get: (url) => go(url, {}),
    submit: (url, fields, headers = {}) =>
      go(url, {
        method: 'POST',
        body: new URLSearchParams(fields).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin', ...headers },
      }),
    async script(method, url, body) {
      const headers = {
        'sec-fetch-site': 'same-origin',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      };
      const response = await once(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { url, status: response.status, text: await response.text(), headers: response.headers };
    },
  };
}
