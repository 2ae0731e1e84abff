import { DAY_MS, HOUR_MS } from '../../companion/domain/time.ts';
import type { Role } from '../../shared/contract/fields.ts';
import type { Environment } from '../../shared/key-format.ts';
import { type Answer, type CallOptions, call } from './client.ts';
import { SETUP_TOKEN, type TestCompanion, testCompanion } from './companion.ts';

/** Somebody with an account, a membership and a session. */
export interface Person {
  name: string;
  email: string;
  password: string;
  token: string;
  userId: string;
  membershipId: string;
  role: Role;
}

export interface MadeKey {
  id: string;
  name: string;
  prefix: string;
  secret: string;
}

/** A workspace with people in it, made through the real HTTP interface of a real companion. */
export interface Scenario {
  companion: TestCompanion;
  url: string;
  workspaceId: string;
  owner: Person;
  /** Somebody who was invited by the owner and accepted. */
  member(name: string, role?: Role): Promise<Person>;
  /** The secret of a new verifier credential. */
  verifier(environment?: Environment): Promise<string>;
  key(person: Person, overrides?: Record<string, unknown>): Promise<MadeKey>;
  /** A call with that person's session; a path that starts with `W` is below the workspace. */
  as(person: Person | undefined, method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  /** Moves the clock by so many milliseconds; everybody's sessions live on, whatever time passes. */
  pass(ms: number): Promise<void>;
  /** Moves the clock to half past noon of the next day (UTC): neither a day nor an hour begins while a test counts by them. */
  passToMidday(): Promise<void>;
  /** Another session of the same person. */
  signIn(person: Person): Promise<string>;
  end(): Promise<void>;
}

const PASSWORD = 'correct horse battery';

function must(answer: Answer, status: number): Answer['body'] {
  if (answer.status !== status)
    throw new Error(`expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function setUp(url: string): Promise<{ workspaceId: string; owner: Person }> {
  const person = { name: 'Olga Owner', email: 'olga@acme.example', password: PASSWORD };
  const made = must(
    await call(url, 'POST', '/v1/setup', { body: { ...person, token: SETUP_TOKEN, workspace: 'Acme Robotics' } }),
    201,
  );
  const token = made.session.token;
  const me = must(await call(url, 'GET', '/v1/me', { token }), 200);
  const owner: Person = {
    ...person,
    token,
    userId: made.user.id,
    membershipId: me.memberships[0].id,
    role: 'owner',
  };
  return { workspaceId: made.workspace.id, owner };
}

/** Invites and accepts; works with any companion, also one in a process of its own. */
async function join(url: string, workspaceId: string, owner: Person, name: string, role: Role): Promise<Person> {
  const email = `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '.')}@acme.example`;
  const { link } = must(
    await call(url, 'POST', `/v1/workspaces/${workspaceId}/invitations`, { token: owner.token, body: { email, role } }),
    201,
  );
  const invitation = new URL(link).hash.slice(1);
  const body = { token: invitation, name, password: PASSWORD };
  const joined = must(await call(url, 'POST', '/v1/invitations/accept', { body }), 201);
  const { user } = must(await call(url, 'GET', '/v1/me', { token: joined.session.token }), 200);
  return {
    name,
    email,
    password: PASSWORD,
    token: joined.session.token,
    userId: user.id,
    membershipId: joined.membership.id,
    role,
  };
}

let made = 0;

/** Opens a companion on an empty folder and sets it up: `const s = await scenario(); const ada = await s.member('Ada');` */
export async function scenario(env: Record<string, string> = {}): Promise<Scenario> {
  const companion = await testCompanion(env);
  const { workspaceId, owner } = await setUp(companion.url);
  const path = (p: string) => p.replace(/^W(?=\/|$)/, `/v1/workspaces/${workspaceId}`);
  const as: Scenario['as'] = (person, method, p, body, options) =>
    call(companion.url, method, path(p), { token: person?.token, body, ...options });
  const pass = async (ms: number) => {
    companion.pass(ms);
    const at = companion.deps.now();
    const lives = { expires_at: at + 30 * DAY_MS, last_used_at: at };
    await companion.deps.store.transact(async (tx) => {
      await tx.updateTable('session').set(lives).execute();
    });
  };
  return {
    companion,
    get url() {
      return companion.url;
    },
    workspaceId,
    owner,
    as,
    member: (name, role = 'member') => join(companion.url, workspaceId, owner, name, role),
    async verifier(environment = 'production') {
      const body = { name: `${environment} gateway`, environment };
      return must(await as(owner, 'POST', 'W/verifiers', body), 201).secret;
    },
    async key(person, overrides = {}) {
      made++;
      const body = { name: `key ${made}`, environment: 'production', ...overrides };
      const { key, secret } = must(await as(person, 'POST', 'W/keys', body), 201);
      return { id: key.id, name: key.name, prefix: key.prefix, secret };
    },
    pass,
    passToMidday: () => pass(1.5 * DAY_MS + HOUR_MS / 2 - (companion.deps.now() % DAY_MS)),
    async signIn(person) {
      const { email, password } = person;
      return must(await call(companion.url, 'POST', '/v1/sessions', { body: { email, password } }), 201).session.token;
    },
    end: () => companion.end(),
  };
}
