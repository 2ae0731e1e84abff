import { call } from './client.ts';
import { SETUP_TOKEN } from './companion.ts';
import { type KeepAliveClient, keepAliveClient } from './keep-alive.ts';
import { type CompanionProcess, scratchFolder, startProcess } from './process.ts';

export const WAYS = ['verify', 'auth', 'introspect', 'whoami'] as const;
export type Way = (typeof WAYS)[number];

const PASSWORD = 'correct horse battery';

/** Two companions on one folder, a workspace and a verifier: where checks race changes. */
export class Arena {
  readonly companions: readonly CompanionProcess[];
  readonly client: KeepAliveClient = keepAliveClient(16);
  readonly workspaceId: string;
  readonly #session: Record<string, string>;
  verifier = '';

  private constructor(companions: readonly CompanionProcess[], workspaceId: string, token: string) {
    this.companions = companions;
    this.workspaceId = workspaceId;
    this.#session = { authorization: `Bearer ${token}` };
  }

  static async open(folder = scratchFolder()): Promise<Arena> {
    const env = { HEEX_KEY_LIMIT: '1000000' };
    const first = await startProcess(folder, env);
    const companions = [first, await startProcess(folder, env)];
    const { body } = await call(first.url, 'POST', '/v1/setup', {
      body: { token: SETUP_TOKEN, workspace: 'Acme', name: 'Ada', email: 'ada@acme.example', password: PASSWORD },
    });
    const arena = new Arena(companions, body.workspace.id, body.session.token);
    arena.verifier = (await arena.as(0, 'POST', '/verifiers', { name: 'gateway', environment: 'production' })).secret;
    return arena;
  }

  url(which: number): string {
    return (this.companions[which] as CompanionProcess).url;
  }

  /** A call below the workspace with the owner's session, or another's, to one of the two. */
  async as(which: number, method: string, path: string, body?: unknown, token?: string) {
    const headers = token === undefined ? this.#session : { authorization: `Bearer ${token}` };
    const url = `${this.url(which)}/v1/workspaces/${this.workspaceId}${path}`;
    const answer = await this.client.ask(url, method, headers, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.text ? JSON.parse(answer.text) : {};
  }

  /** A new member's session token and membership. */
  async member(name: string): Promise<{ token: string; membershipId: string }> {
    const { link } = await this.as(0, 'POST', '/invitations', { email: `${name}@acme.example`, role: 'member' });
    const token = new URL(link).hash.slice(1);
    const { body } = await call(this.url(0), 'POST', '/v1/invitations/accept', {
      body: { token, name, password: PASSWORD },
    });
    return { token: body.session.token, membershipId: body.membership.id };
  }

  /** Whether a key is let through, with the permission `a:b`, by one way of asking one of the two. */
  async isGood(way: Way, which: number, key: string): Promise<boolean> {
    const [url, bearer] = [this.url(which), { authorization: `Bearer ${this.verifier}` }];
    if (way === 'auth') {
      const headers = { 'x-api-key': key, 'x-heex-verifier': this.verifier };
      return (await this.client.ask(`${url}/v1/auth?permission=a:b`, 'GET', headers)).status === 200;
    }
    if (way === 'whoami') {
      const { status, text } = await this.client.ask(`${url}/v1/whoami`, 'GET', { 'x-api-key': key });
      return status === 200 && JSON.parse(text).key.permissions.includes('a:b');
    }
    if (way === 'introspect') {
      const headers = { ...bearer, 'content-type': 'application/x-www-form-urlencoded' };
      const { text } = await this.client.ask(`${url}/v1/introspect`, 'POST', headers, `token=${key}`);
      const { active, scope } = JSON.parse(text);
      return active && scope.split(' ').includes('a:b');
    }
    const { text } = await this.client.ask(`${url}/v1/verify`, 'POST', bearer, { key, permissions: ['a:b'] });
    return JSON.parse(text).valid;
  }

  async end(): Promise<void> {
    this.client.close();
    await Promise.all(this.companions.map((c) => c.end()));
  }
}

/** A key whose true state is known at every moment, while others ask about it. */
export class Watched {
  #expected: { good: boolean | undefined; key: string };
  /** Checks whose whole time lay after one acknowledged change and before the next. */
  judged = 0;
  readonly stale: string[] = [];

  constructor(key: string) {
    this.#expected = { good: true, key };
  }

  get key(): string {
    return this.#expected.key;
  }

  /** Asks once, and judges the answer unless a change was under way meanwhile. */
  async look(how: string, ask: (key: string) => Promise<boolean>): Promise<void> {
    const before = this.#expected;
    const good = await ask(before.key);
    if (before.good === undefined || this.#expected !== before) return;
    this.judged++;
    if (good !== before.good) this.stale.push(`${how} found it ${good ? 'good' : 'refused'} after ${this.#last}`);
  }

  #last = 'its creation';

  /** Makes a change; what it means for the key holds from its acknowledgement. */
  async change(what: string, good: boolean, work: () => Promise<unknown>, key = this.#expected.key): Promise<void> {
    this.#expected = { good: undefined, key: this.#expected.key };
    await work();
    this.#last = what;
    this.#expected = { good, key };
  }
}
