import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { run } from '../../companion/cli/run.ts';
import { visitor } from '../support/browserless.ts';
import { call } from '../support/client.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let ada: Person;
let home: string;
beforeAll(async () => {
  s = await scenario();
  ada = await s.member('Ada');
});
afterAll(() => s.end());
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'heex-cli-'));
  return () => rmSync(home, { recursive: true, force: true });
});

interface Run {
  code: number;
  out: string;
  err: string;
}
interface Options {
  env?: Record<string, string>;
  answer?: string;
  /** Called when the command line waits: what a person does meanwhile. */
  meanwhile?: (err: string) => Promise<void>;
}

/** One command line on the real client, with a companion's real HTTP; its sleeping is the companion's clock moved on. */
async function heex(args: string, { env = {}, answer, meanwhile }: Options = {}): Promise<Run> {
  let [out, err] = ['', ''];
  const code = await run(args.match(/"[^"]*"|\S+/g)?.map((a) => a.replaceAll('"', '')) ?? [], {
    env: { XDG_CONFIG_HOME: home, HEEX_URL: s.url, ...env },
    out: (text) => {
      out += text;
    },
    say: (text) => {
      err += text;
    },
    ask: async () => answer,
    fetch,
    now: () => s.companion.deps.now(),
    sleep: async (ms) => {
      s.companion.pass(ms);
      await meanwhile?.(err);
    },
    newId: () => crypto.randomUUID(),
    machine: 'ada-laptop · Linux',
  });
  return { code, out, err };
}

/** Ada types the code that the terminal shows, and decides. */
const type =
  (decision: 'approve' | 'deny', person = () => ada) =>
  async (err: string) => {
    const [code = ''] = /[A-Z]{4}-[A-Z]{4}/.exec(err) ?? [];
    const { throttle } = s.companion.deps;
    await throttle.forgive('typed_code', `device ${person().userId}`, '127.0.0.1');
    const v = visitor(s.url);
    await v.submit('/signin', { email: person().email, password: person().password });
    await v.submit('/device/decide', { code, decision });
  };
const signIn = () => heex('login', { meanwhile: type('approve') });
const sessionFile = () => join(home, 'heex', 'session.json');

test('login shows a code, waits for the browser, and keeps a session that only its owner can read', async () => {
  const { code, out, err } = await signIn();
  expect([code, out]).toEqual([0, '']);
  expect(err).toContain(`${s.companion.deps.config.publicUrl}/device`);
  expect(err).toContain(`Signed in to ${s.url} as ${ada.email}.`);
  expect(statSync(sessionFile()).mode & 0o777).toBe(0o600);
  expect(statSync(join(home, 'heex')).mode & 0o777).toBe(0o700);
  const token = JSON.parse(readFileSync(sessionFile(), 'utf8')).token;
  expect(err).not.toContain(token);
  expect((await heex('whoami')).out).toBe(`Ada <${ada.email}> at ${s.url}\nAcme Robotics: member\n`);
  expect(JSON.parse((await heex('whoami --json')).out).user.email).toBe(ada.email);
  // Signing in again ends the session before.
  await signIn();
  expect((await call(s.url, 'GET', '/v1/me', { token })).status).toBe(401);
});

test('a denied or forgotten code ends with a refusal and leaves no session', async () => {
  expect(await heex('login', { meanwhile: type('deny') })).toMatchObject({
    code: 1,
    err: expect.stringContaining('denied'),
  });
  expect(await heex('login')).toMatchObject({ code: 1, err: expect.stringContaining('in time') });
  expect(existsSync(sessionFile())).toBe(false);
  expect(await heex('keys list')).toMatchObject({ code: 3, err: 'heex: You are not signed in. Run: heex login\n' });
});

test('where a session can’t be kept, none is asked for: one line names the file', async () => {
  const said = async (run: Promise<Run>) => {
    const { code, out, err } = await run;
    expect([code, out, err.split('\n').length]).toEqual([1, '', 2]);
    expect(err).not.toContain('/device');
    return err;
  };
  // A file where the folder should be, a file where the folder above should be, a folder where the file should be.
  writeFileSync(join(home, 'heex'), '');
  expect(await said(heex('login'))).toContain(`The session can't be kept in ${sessionFile()}. The system says E`);
  const env = { XDG_CONFIG_HOME: join(home, 'heex', 'further') };
  expect(await said(heex('login', { env }))).toContain(join(env.XDG_CONFIG_HOME, 'heex', 'session.json'));
  rmSync(join(home, 'heex'));
  mkdirSync(sessionFile(), { recursive: true });
  expect(await said(heex('login'))).toContain(`${sessionFile()} is a folder.`);
  expect(readdirSync(join(home, 'heex'))).toEqual(['session.json']);
});

test('a session that could not be kept after all is ended on the server', async () => {
  const token = await s.signIn(ada);
  const sessions = async () => (await call(s.url, 'GET', '/v1/sessions', { token })).body.items.length;
  const before = await sessions();
  const spoil = async (err: string) => {
    await type('approve')(err);
    rmSync(join(home, 'heex'), { recursive: true });
    writeFileSync(join(home, 'heex'), '');
  };
  const { code, err } = await heex('login', { meanwhile: spoil });
  expect([code, err.trimEnd().split('\n').at(-1)]).toEqual([1, expect.stringContaining(`kept in ${sessionFile()}.`)]);
  // That of the browser in which the code was typed stays.
  expect(await sessions()).toBe(before + 1);
});

test('logout ends the session on the server, and forgets it here even when the server does not answer', async () => {
  await signIn();
  const { token } = JSON.parse(readFileSync(sessionFile(), 'utf8'));
  expect((await heex('logout')).code).toBe(0);
  expect((await call(s.url, 'GET', '/v1/me', { token })).status).toBe(401);
  expect(existsSync(sessionFile())).toBe(false);
  expect((await heex('logout')).code).toBe(3);
});

test('keys are created, listed, rotated and revoked by name, prefix or id; the secret alone is on the output', async () => {
  await signIn();
  const made = await heex(
    'keys create --env staging --name cli-one --expires 90d --ip 10.0.0.0/8,192.0.2.1 --rate 100/60',
  );
  expect(made.code).toBe(0);
  expect(made.out).toMatch(/^heex_stag_\w{46}\n$/);
  expect(made.err).toContain('cli-one');
  expect(made.err).not.toContain(made.out.trim());
  const quiet = await heex('keys create --env dev --name "cli two" --quiet');
  expect([quiet.err, quiet.out]).toEqual(['', expect.stringMatching(/^heex_dev_\w{46}\n$/)]);
  const list = await heex('keys list --env staging');
  expect(list.out).toMatch(/^ID +NAME +PREFIX/);
  expect(list.out).toContain('cli-one');
  expect(list.out).not.toContain('cli two');
  const [key] = JSON.parse((await heex('keys list --env staging --json')).out);
  expect(key).toMatchObject({ name: 'cli-one', ipAllowlist: ['10.0.0.0/8', '192.0.2.1'], rateLimit: { limit: 100 } });
  const days = (Date.parse(key.expiresAt) - s.companion.deps.now()) / 86_400_000;
  expect(Math.round(days)).toBe(90);
  const rotated = await heex(`keys rotate ${key.prefix} --overlap 24h`);
  expect([rotated.code, rotated.out]).toEqual([0, expect.stringMatching(/^heex_stag_\w{46}\n$/)]);
  expect(rotated.err).toContain('The old secret works until');
  const json = JSON.parse((await heex('keys rotate "cli two" --json')).out);
  expect(json).toMatchObject({ key: { name: 'cli two' }, secret: expect.stringMatching(/^heex_dev_/) });
  expect((await heex('keys revoke cli-one', { answer: 'cli-two' })).code).toBe(1);
  expect((await heex('keys revoke cli-one', { answer: 'cli-one' })).code).toBe(0);
  expect(await heex(`keys revoke ${json.key.id}`)).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
  expect((await heex(`keys revoke ${json.key.id} --yes --reason leaked --quiet`)).err).toBe('');
  const [two] = JSON.parse((await heex('keys list --status revoked --json')).out);
  expect([two.name, two.revokedReason]).toEqual(['cli two', 'leaked']);
  expect(await heex('keys rotate cli-one')).toMatchObject({ code: 1, err: expect.stringContaining('no live key') });
});

test('a whole secret names its key, and stands in no address and no message', async () => {
  await signIn();
  const secret = (await heex('keys create --env dev --name by-secret --quiet')).out.trim();
  const lines = s.companion.lines.length;
  expect(await heex(`keys rotate ${secret} --quiet`)).toMatchObject({ code: 0, err: '' });
  const typo = `${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}`;
  const wrong = await heex(`keys revoke ${typo} --yes`);
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('looks like a secret')]);
  await heex('keys revoke by-secret --yes');
  const gone = await heex(`keys rotate ${secret}`);
  expect([gone.code, gone.err]).toEqual([1, expect.stringContaining('no live key')]);
  for (const text of [wrong.err, gone.err, ...s.companion.lines.slice(lines)])
    expect(text).not.toContain(secret.slice(20, -1));
});

test('whoami says what HEEX_API_KEY is; without a sign-in, and without sending what is no whole key', async () => {
  const { secret, name } = await s.key(ada);
  const env = { HEEX_API_KEY: secret };
  const { code, out } = await heex('whoami', { env });
  expect([code, out]).toEqual([0, expect.stringContaining(`key          ${name} (heex_prod_`)]);
  expect(out).not.toContain(secret);
  expect(JSON.parse((await heex('whoami --json', { env })).out).key.owner.email).toBe(ada.email);
  expect(await heex('whoami', { env: { HEEX_API_KEY: secret.slice(0, -1) } })).toMatchObject({ code: 2 });
  expect((await heex('whoami --session', { env })).code).toBe(3);
  await call(s.url, 'POST', '/v1/revoke', { token: secret });
  expect(await heex('whoami', { env })).toMatchObject({ code: 1, err: expect.stringMatching(/refused.*req_/) });
});

test('a session is sent to the server that issued it, and to no other', async () => {
  await signIn();
  const other = await scenario();
  other.companion.lines.length = 0;
  const { code, err } = await heex('keys list', { env: { HEEX_URL: other.url } });
  expect([code, err]).toEqual([3, expect.stringContaining(`not at ${other.url}`)]);
  expect(other.companion.lines).toEqual([]);
  await other.end();
});

test('each kind of failure has its exit code, and says what to do', async () => {
  for (const args of [
    '',
    'nothing',
    'keys',
    'keys create',
    'keys create --name x',
    'keys list --env moon',
    'keys list more',
    'keys rotate',
    'keys create --env dev --name abc --expires tomorrow',
    'keys create --env dev --name abc --expires 2027-02-30',
    'keys list --unknown',
    'whoami --url ftp://x.example',
    'login --url http://keys.acme.example',
  ])
    expect((await heex(args)).code, args).toBe(2);
  expect((await heex('--help')).out).toContain('heex keys create');
  const gone = { HEEX_URL: 'http://127.0.0.1:9' };
  expect(await heex('login', { env: gone })).toMatchObject({ code: 4, err: expect.stringContaining('network') });
  await signIn();
  const refused = await heex('keys create --env dev --name x');
  expect([refused.code, refused.err]).toEqual([
    1,
    expect.stringMatching(/name: use at least 2 characters \(bad_request, req_/),
  ]);
  expect((await heex('keys list --workspace Elsewhere')).code).toBe(1);
  chmodSync(sessionFile(), 0o644);
  expect((await heex('keys list')).code).toBe(0);
  expect(statSync(sessionFile()).mode & 0o777).toBe(0o600);
});

test('a session that was ended elsewhere is said to have ended', async () => {
  const eve = await s.member('Eve');
  await heex('login', { meanwhile: type('approve', () => eve) });
  expect((await heex('whoami')).out).toContain('Eve');
  await s.as(s.owner, 'DELETE', `W/members/${eve.membershipId}`);
  expect(await heex('keys list')).toMatchObject({ code: 3, err: expect.stringContaining('has ended') });
});

test('names that a server sends can’t steer the terminal', async () => {
  await signIn();
  const name = 'odd name';
  await heex(`keys create --env dev --name "${name}"`);
  await s.companion.deps.store.transact(async (tx) => {
    await tx.updateTable('api_key').set({ name: 'odd\u001b[2Jname\u202e' }).where('name', '=', name).execute();
  });
  const { out } = await heex('keys list');
  expect(out).toContain('odd\ufffd[2Jname\ufffd');
});

test('as a program: the secret goes into a variable, and nothing but a person’s words to standard error', async () => {
  await signIn();
  const program = join(import.meta.dirname, '../../companion/cli/heex.ts');
  const shell = (script: string) =>
    new Promise<Run>((done) =>
      execFile(
        'sh',
        ['-c', script],
        {
          env: {
            PATH: process.env.PATH ?? '',
            XDG_CONFIG_HOME: home,
            HEEX_URL: s.url,
            NODE: process.execPath,
            HEEX: program,
          },
        },
        (error, out, err) => done({ code: Number(error?.code ?? 0), out, err }),
      ),
    );
  const run = await shell(
    'export HEEX_API_KEY=$("$NODE" "$HEEX" keys create --env staging --name from-a-shell) && "$NODE" "$HEEX" whoami',
  );
  expect([run.code, run.out]).toEqual([0, expect.stringMatching(/^key {10}from-a-shell \(heex_stag_\w{8}…\)/)]);
  expect(run.err).toContain('shown this once');
  const refused = await shell('"$NODE" "$HEEX" keys revoke from-a-shell </dev/null');
  expect([refused.code, refused.out]).toEqual([2, '']);
});
