import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expiryWarnings } from '../../companion/app/jobs/expiry-warnings.ts';
import { runDueJobs } from '../../companion/app/jobs/runner.ts';
import type { KeyEvent } from '../../shared/contract/overview.ts';
import { waitForCounts } from '../support/patience.ts';
import { type MadeKey, type Person, type Scenario, scenario } from '../support/scenario.ts';
import { type SmtpServer, smtpServer } from '../support/smtp.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let [smtp, s] = [] as unknown as [SmtpServer, Scenario];
let [ada, ben] = [] as unknown as [Person, Person];
beforeAll(async () => {
  smtp = await smtpServer();
  s = await scenario({ HEEX_KEY_LIMIT: '10000', HEEX_SMTP_URL: smtp.url, HEEX_MAIL_FROM: 'keys@acme.example' });
  [ada, ben] = [await s.member('Ada'), await s.member('Ben')];
  await s.companion.deps.background.idle();
});
afterAll(async () => {
  await s.end();
  await smtp.close();
});

const now = () => s.companion.deps.now();
const at = (ms: number) => new Date(now() + ms).toISOString();
/** Lets time pass in the steps of the background, and gives the mails that were sent meanwhile. */
async function live(ms: number): Promise<string[]> {
  const before = smtp.mails.length;
  await s.pass(ms);
  await s.companion.runJobs();
  await s.companion.deps.background.idle();
  return smtp.mails.slice(before).map((mail) => `${mail.to.join()}: ${/^Subject: (.*)$/m.exec(mail.raw)?.[1]}`);
}
const events = async (person: Person, key?: MadeKey): Promise<KeyEvent[]> => {
  const { items } = (await s.as(person, 'GET', 'W/events?limit=100')).body;
  return items.filter((event: KeyEvent) => !key || event.keyId === key.id);
};
const post = (person: Person, key: MadeKey, what: string, body?: unknown) =>
  s.as(person, 'POST', `W/keys/${key.id}/${what}`, body);

describe('the owner of a key is warned', () => {
  test('14, 7 and 1 days before it expires, once each, as an event and by mail, as is who looks after it', async () => {
    const key = await s.key(ada, { name: 'prod-main', expiresAt: at(20 * DAY), technicalOwner: 'marc@acme.example' });
    const both = (days: string) =>
      [ada.email, 'marc@acme.example'].map((to) => `${to}: API key prod-main expires in ${days}`);
    expect(await live(5 * DAY)).toEqual([]);
    expect((await live(DAY + HOUR)).sort()).toEqual(both('14 days'));
    expect(await live(HOUR)).toEqual([]);
    expect((await live(7 * DAY)).sort()).toEqual(both('7 days'));
    expect((await live(6 * DAY)).sort()).toEqual(both('1 day'));
    expect(await live(2 * DAY)).toEqual([]);
    expect((await events(ada, key)).map((event) => [event.daysBefore, event.keyName, event.prefix])).toEqual([
      [1, 'prod-main', key.prefix],
      [7, 'prod-main', key.prefix],
      [14, 'prod-main', key.prefix],
    ]);
    for (const person of [ben, s.owner]) expect(await events(person, key)).toEqual([]);
  });

  test('not of what they have just chosen, nor twice after a pause', async () => {
    const [ten, long] = [
      await s.key(ada, { name: 'ten days', expiresAt: at(10 * DAY) }),
      await s.key(ada, { name: 'long pause', expiresAt: at(30 * DAY) }),
    ];
    expect(await live(HOUR)).toEqual([]);
    await live(2 * DAY + 23 * HOUR);
    expect((await events(ada, ten)).map((event) => event.daysBefore)).toEqual([7]);
    // Nothing ran while two moments passed: the nearer one is told, not both.
    await live(26 * DAY + 2 * HOUR);
    expect((await events(ada, long)).map((event) => event.daysBefore)).toEqual([1]);
  });

  test('not of keys that are revoked or disabled, and anew after a rotation', async () => {
    const [gone, off, rotated] = [
      await s.key(ada, { expiresAt: at(15 * DAY) }),
      await s.key(ada, { expiresAt: at(15 * DAY) }),
      await s.key(ada, { expiresAt: at(15 * DAY) }),
    ];
    await post(ada, gone, 'revoke');
    await post(ada, off, 'disable');
    await live(DAY + HOUR);
    expect([await events(ada, gone), await events(ada, off)]).toEqual([[], []]);
    expect((await events(ada, rotated)).map((event) => event.daysBefore)).toEqual([14]);
    await post(ada, rotated, 'rotate', { expiresAt: at(15 * DAY) });
    await live(DAY + HOUR);
    expect((await events(ada, rotated)).map((event) => event.daysBefore)).toEqual([14, 14]);
  });
});

test('who looks after what uses a key is told of its rotation, never a secret', async () => {
  const key = await s.key(ada, { name: 'handed over', technicalOwner: 'marc@acme.example' });
  const before = smtp.mails.length;
  const { secret } = (await post(ada, key, 'rotate', { overlapSeconds: 86_400 })).body;
  await s.companion.deps.background.idle();
  const [mail, ...others] = smtp.mails.slice(before);
  expect(others).toEqual([]);
  expect(mail?.to).toEqual(['marc@acme.example']);
  expect(mail?.text).toMatch(/handed over .* has a new secret\. The old one works until 20\d\d-/);
  for (const text of [secret, key.secret]) expect(mail?.raw).not.toContain(text.slice(12));
});

describe('background jobs', () => {
  const jobs = async () => (await s.as(s.owner, 'GET', 'W/jobs')).body.items;

  test('are listed with their last run and how it ended', async () => {
    await live(HOUR);
    for (const job of await jobs())
      expect(job).toMatchObject({
        lastRun: {
          outcome: 'ok',
          startedAt: expect.any(String),
          endedAt: expect.any(String),
          detail: expect.any(String),
        },
      });
  });

  test('run when they are due, each once, whichever of several companions looks first', async () => {
    let runs = 0;
    const job = { name: 'counted', summary: '', everyMs: HOUR, run: async () => `${++runs}` };
    await Promise.all([1, 2, 3].map(() => runDueJobs(s.companion.deps, [job])));
    expect(runs).toBe(1);
    await s.pass(HOUR - 60_000);
    await runDueJobs(s.companion.deps, [job]);
    expect(runs).toBe(1);
    await s.pass(60_000);
    await runDueJobs(s.companion.deps, [job]);
    expect(runs).toBe(2);
  });

  test('that fail are listed as failed, keep no other from running, and are tried again', async () => {
    const failing = { ...expiryWarnings, run: () => Promise.reject(new TypeError(`about ${ada.email}`)) };
    let ran = 0;
    const next = { name: 'after a failure', summary: '', everyMs: HOUR, run: async () => `${++ran}` };
    await s.pass(HOUR);
    await runDueJobs(s.companion.deps, [failing, next]);
    expect(ran).toBe(1);
    const listed = async () => (await jobs()).find((job: { name: string }) => job.name === expiryWarnings.name);
    expect((await listed()).lastRun).toMatchObject({ outcome: 'failed', detail: 'TypeError' });
    expect(s.companion.lines.join()).not.toContain(`about ${ada.email}`);
    await live(HOUR);
    expect((await listed()).lastRun.outcome).toBe('ok');
  });
});

describe('the overview', () => {
  test('has the requests by outcome and time, the keys by status, what expires soon and what nobody uses', async () => {
    const small = await scenario();
    waitForCounts();
    await small.passToMidday();
    const { owner } = small;
    const time = () => small.companion.deps.now();
    const later = (ms: number) => new Date(time() + ms).toISOString();
    const act = (key: MadeKey, what: string) => small.as(owner, 'POST', `W/keys/${key.id}/${what}`);
    const verifier = await small.verifier();
    const use = (key: MadeKey, more: object = {}) =>
      small.as(undefined, 'POST', '/v1/verify', { key: key.secret, ...more }, { token: verifier });
    const [used, unused, off, gone] = [
      await small.key(owner),
      await small.key(owner, { ipAllowlist: ['10.0.0.0/8'] }),
      await small.key(owner),
      await small.key(owner),
    ];
    await use(unused, { ip: '10.0.0.1' });
    await act(off, 'disable');
    await act(gone, 'revoke');
    await small.pass(91 * DAY);
    const [soon, sooner, fresh] = [
      await small.key(owner, { expiresAt: later(9 * DAY) }),
      await small.key(owner, { expiresAt: later(3 * DAY), environment: 'staging' }),
      await small.key(owner, { expiresAt: later(60 * DAY) }),
    ];
    const over = await small.key(owner, { expiresAt: later(HOUR) });
    await small.pass(2 * HOUR);
    await use(used);
    await use(used);
    await use(used, { permissions: ['a:b'] });
    await use(over);
    await use(fresh);
    const read = async (query = '') => (await small.as(owner, 'GET', `W/overview${query}`)).body;
    const overview = await read();
    expect(overview.keys).toEqual({
      used: 6,
      limit: 1000,
      byStatus: { active: 3, expiring_soon: 2, expired: 1, disabled: 1, revoked: 1 },
      neverExpire: 3,
      anyAddress: 5,
    });
    const names = (list: { items: { id: string }[] }) => list.items.map((key) => key.id);
    expect([overview.expiringSoon.total, names(overview.expiringSoon)]).toEqual([2, [sooner.id, soon.id]]);
    expect([overview.unused.total, names(overview.unused)]).toEqual([1, [unused.id]]);
    expect(overview.requests.points).toHaveLength(30);
    expect(overview.requests.points.at(-1)).toMatchObject({ valid: 3, unauthorized: 1, forbidden: 1, rateLimited: 0 });
    const day = (await read('?period=24h')).requests;
    expect([day.stepSeconds, day.points.length]).toEqual([3600, 24]);
    expect(day.points.at(-1)).toMatchObject({ valid: 3, unauthorized: 1, forbidden: 1 });
    const week = (await read('?period=7d')).requests;
    expect([week.stepSeconds, week.points.length]).toEqual([10_800, 56]);
    const staging = await read('?environment=staging');
    expect(staging.keys.byStatus).toMatchObject({ active: 0, expiring_soon: 1 });
    expect(staging.requests.points.every((p: { valid: number }) => p.valid === 0)).toBe(true);
    await small.end();
  });

  test('lists a key as unused after 90 days, from its making or its last use', async () => {
    const small = await scenario();
    waitForCounts();
    const { companion, owner } = small;
    const verifier = await small.verifier();
    const key = await small.key(owner);
    const unusedAfter = async (ms: number) => {
      companion.pass(ms);
      const token = await small.signIn(owner);
      return (await small.as({ ...owner, token }, 'GET', 'W/overview')).body.unused.total;
    };
    expect([await unusedAfter(90 * DAY - HOUR), await unusedAfter(2 * HOUR)]).toEqual([0, 1]);
    await small.as(undefined, 'POST', '/v1/verify', { key: key.secret }, { token: verifier });
    expect([await unusedAfter(90 * DAY - HOUR), await unusedAfter(2 * HOUR)]).toEqual([0, 1]);
    await small.end();
  });

  test.each(['period=1y', 'environment=x', 'days=30'])('with %s is refused, naming the parameter', async (query) => {
    const answer = await s.as(s.owner, 'GET', `W/overview?${query}`);
    expect([answer.status, answer.body.errors[0].path]).toEqual([400, query.split('=')[0]]);
  });
});
