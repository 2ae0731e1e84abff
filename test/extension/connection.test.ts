import '../support/fake-browser.ts';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ask } from '../../extension/messages/send.ts';
import { matchCode } from '../../shared/connect.ts';
import { type TestCompanion, testCompanion } from '../support/companion.ts';
import { host } from '../support/fake-browser.ts';
import { published, Worker } from '../support/worker.ts';

let companion: TestCompanion;
let worker: Worker;
beforeAll(async () => {
  companion = await testCompanion();
});
afterAll(() => companion.end());
beforeEach(async () => {
  host.reset();
  worker = new Worker();
  await worker.start();
});
afterEach(() => worker.kill());

const connection = () => published('connection');
const start = (origin = companion.url) => ask('connection.start', { origin });
const tabs = async () =>
  (await host.browser.tabs.query({})).flatMap((tab) => (tab.url?.startsWith('http') ? new URL(tab.url) : []));

/** Connects as far as the open approval page; answers its parameters. */
async function waiting(): Promise<URLSearchParams> {
  await host.grant('http://127.0.0.1/*');
  expect(await start()).toMatchObject({ ok: true });
  return (await tabs()).at(-1)?.searchParams ?? new URLSearchParams();
}
/** The page in the tab goes to an address, as far as the browser tells. */
async function tabGoes(url: string): Promise<void> {
  const tab = { id: 1, url } as Parameters<typeof host.browser.tabs.onUpdated.trigger>[2];
  await host.browser.tabs.onUpdated.trigger(1, { url }, tab);
  // The listener answers nobody: what it begins has to have its turns.
  await new Promise((done) => setTimeout(done, 20));
}

describe('connecting', () => {
  test('sends nothing to an address that the browser has not allowed', async () => {
    expect(await start()).toMatchObject({ ok: false, failure: { code: 'permission_needed' } });
    expect(await connection()).toEqual({ status: 'permission_needed', origin: companion.url });
    expect(worker.sent).toEqual([]);
  });

  test('opens the approval page of that server, with a challenge whose code is shown here too', async () => {
    const query = await waiting();
    expect((await tabs()).at(-1)?.origin).toBe(companion.url);
    expect(Object.fromEntries(query)).toMatchObject({
      client: 'extension',
      label: 'Chrome 142 on Linux',
      code_challenge_method: 'S256',
    });
    expect(await connection()).toMatchObject({
      status: 'waiting',
      code: matchCode(query.get('code_challenge') ?? ''),
    });
  });

  test('keeps its verifier out of the address, of local storage and of what is published', async () => {
    const query = await waiting();
    const { verifier } = (await host.browser.storage.session.get('private.approval'))['private.approval'] as {
      verifier: string;
    };
    expect(verifier).toMatch(/^[\w-]{43}$/);
    expect(query.toString()).not.toContain(verifier);
    expect(await host.stored('local')).not.toContain(verifier);
  });

  test('says when nobody answers, and that a server is not one of ours', async () => {
    await host.grant('http://127.0.0.1/*');
    await start('http://127.0.0.1:1');
    expect(await connection()).toMatchObject({ status: 'unreachable', failure: { code: 'network' } });
    const other = createServer((_q, r) => r.end('<h1>It works!</h1>'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    await start(`http://127.0.0.1:${(other.address() as AddressInfo).port}`);
    other.close();
    expect(await connection()).toMatchObject({ status: 'unreachable', failure: { code: 'bad_answer' } });
    expect(await tabs()).toEqual([]);
  });

  test('ends at a refusal, and only at the one of its own request', async () => {
    const state = (await waiting()).get('state');
    await tabGoes(`${companion.url}/connect/done#error=access_denied&state=${'x'.repeat(43)}`);
    await tabGoes(`http://127.0.0.1:1/connect/done#error=access_denied&state=${state}`);
    await tabGoes(`${companion.url}/connect#error=access_denied&state=${state}`);
    expect(await connection()).toMatchObject({ status: 'waiting' });
    await tabGoes(`${companion.url}/connect/done#error=access_denied&state=${state}`);
    await expect.poll(connection).toEqual({ status: 'not_approved', origin: companion.url, reason: 'denied' });
    expect(await host.stored('session')).not.toContain('verifier');
  });

  test('ends after ten minutes', async () => {
    await waiting();
    const alarm = (await host.browser.alarms.getAll()).find((a) => a.name === 'approval-expiry');
    expect(alarm?.scheduledTime).toBeGreaterThan(Date.now() + 9 * 60_000);
    await host.browser.alarms.onAlarm.trigger(alarm as NonNullable<typeof alarm>);
    await expect.poll(connection).toMatchObject({ status: 'not_approved', reason: 'expired' });
  });

  test('outlives a stopped worker, but not the end of the browser, with which its verifier went', async () => {
    await waiting();
    await worker.restart();
    expect(await connection()).toMatchObject({ status: 'waiting' });
    worker.kill();
    await host.quit();
    await worker.start();
    expect(await connection()).toEqual({ status: 'disconnected' });
  });

  test('can be given up', async () => {
    await waiting();
    await ask('connection.cancel');
    expect(await connection()).toEqual({ status: 'disconnected' });
    expect([...host.granted]).toEqual([]);
    expect(await host.stored('session')).not.toContain('verifier');
  });

  test('closes storage to content scripts', () => {
    expect(host.accessLevels).toEqual({ local: 'TRUSTED_CONTEXTS', session: 'TRUSTED_CONTEXTS' });
  });
});
