/** What a browser does with the companion's pages, as far as HTTP goes: keeps cookies, sends forms, follows nothing. */
export interface PageVisitor {
  cookies: Map<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<PageAnswer>;
  submit(path: string, form: Record<string, string>, headers?: Record<string, string>): Promise<PageAnswer>;
}
export interface PageAnswer {
  status: number;
  headers: Headers;
  html: string;
  location: string | null;
}

export function visitor(url: string): PageVisitor {
  const cookies = new Map<string, string>();
  async function send(path: string, init: RequestInit): Promise<PageAnswer> {
    const response = await fetch(url + path, {
      ...init,
      redirect: 'manual',
      headers: {
        ...(cookies.size ? { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') } : {}),
        ...(init.headers as Record<string, string>),
      },
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const [name = '', value = ''] = pair.split('=');
      if (value && !/max-age=0/i.test(line)) cookies.set(name, value);
      else cookies.delete(name);
    }
    const { status, headers } = response;
    return { status, headers, html: await response.text(), location: headers.get('location') };
  }
  return {
    cookies,
    get: (path, headers = {}) => send(path, { headers }),
    submit: (path, form, headers = {}) =>
      send(path, {
        method: 'POST',
        headers: { origin: url, 'sec-fetch-site': 'same-origin', ...headers },
        body: new URLSearchParams(form),
      }),
  };
}
