import { oidcProvider, type TestProvider } from './identity-provider.ts';
import { type Person, type Scenario, scenario } from './scenario.ts';
import { type WebBrowser, webBrowser } from './web-browser.ts';

/** A workspace, and a provider that sends people back to it. */
export async function withProvider(): Promise<{ s: Scenario; idp: TestProvider }> {
  const s = await scenario();
  return { s, idp: await oidcProvider(() => `${s.url}/sso/callback`) };
}

/**
 * What people do who sign in by single sign-on.
 * @param of the workspace, its provider, and the browser that is meant where none is named, looked up at each call
 */
export function signOn(of: () => { s: Scenario; idp: TestProvider; browser: WebBrowser }) {
  const settings = (overrides: object = {}) => {
    const { issuer, clientId, clientSecret } = of().idp;
    return { issuer, clientId, clientSecret, name: 'Acme SSO', domains: ['joins.example'], ...overrides };
  };
  const save = (overrides: object = {}) => of().s.as(of().s.owner, 'PUT', 'W/sso', settings(overrides));
  const started = (fields: Record<string, string>) => ({
    workspaceId: of().s.workspaceId,
    purpose: 'sign_in',
    next: '/',
    ...fields,
  });
  const begin = (fields: Record<string, string> = {}, who = of().browser) =>
    who.submit(`${of().s.url}/sso/start`, started(fields));
  const byPassword = ({ email, password }: Person, who = of().browser) =>
    who.submit(`${of().s.url}/signin`, { email, password, next: '/' });
  const identities = async (who = of().browser) =>
    JSON.parse((await who.script('GET', `${of().s.url}/v1/identities`)).text).items;
  return {
    settings,
    save,
    begin,
    byPassword,
    identities,
    /** The owner signed in, the provider willing, and its settings saved, whatever a test has done to them. */
    async asAtFirst(): Promise<void> {
      const { s, idp } = of();
      s.owner.token = await s.signIn(s.owner);
      idp.deny(false);
      await save();
    },
    /** A browser of their own in which somebody signed in by password. */
    async signedIn(person: Person): Promise<WebBrowser> {
      const own = webBrowser();
      await byPassword(person, own);
      return own;
    },
    async me(who = of().browser) {
      const page = await who.script('GET', `${of().s.url}/v1/me`);
      return page.status === 200 ? JSON.parse(page.text) : undefined;
    },
    /** Somebody with a password who linked the account `sub` of the provider to theirs. */
    async linked(name: string, sub: string): Promise<Person> {
      const { s, idp } = of();
      const person = await s.member(name);
      const own = webBrowser();
      await byPassword(person, own);
      idp.signsIn({ sub, email: person.email, email_verified: true });
      await begin({ purpose: 'link', next: '/security' }, own);
      if ((await identities(own)).length !== 1) throw new Error(`${name} could not link their account`);
      return person;
    },
    /** Whoever comes to the provider from now on has an address of the listed domain. */
    somebodyComes: (sub: string) => of().idp.signsIn({ sub, email: `${sub}@joins.example`, email_verified: true }),
    /** Goes as far as the provider would send the browser back, and says where to. */
    async stopBeforeCallback(who = of().browser, fields: Record<string, string> = {}): Promise<URL> {
      const { url: home } = of().s;
      const start = await fetch(`${home}/sso/start`, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
        body: new URLSearchParams(started(fields)).toString(),
      });
      for (const [name, value] of cookiesOf(start)) who.cookies(home).set(name, value);
      let url = /url=(.*)$/.exec(start.headers.get('refresh') ?? '')?.[1] ?? '';
      const jar = new Map<string, string>();
      while (!url.startsWith(home)) {
        const cookie = [...jar].map(([k, v]) => `${k}=${v}`).join('; ');
        const hop = await fetch(url, { redirect: 'manual', headers: cookie ? { cookie } : {} });
        for (const [name, value] of cookiesOf(hop)) jar.set(name, value);
        url = new URL(hop.headers.get('location') ?? '', url).href;
      }
      return new URL(url);
    },
  };
}

function cookiesOf(response: Response): [string, string][] {
  return response.headers.getSetCookie().map((line) => {
    const pair = line.split(';')[0] ?? '';
    return [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
  });
}
