import { randomBytes } from 'node:crypto';
import './fake-browser.ts';
import { createBackground } from '../../extension/background/wire.ts';
import { hostPattern } from '../../extension/messages/origin.ts';
import { PUBLISHED, type PublishedName, type PublishedValue } from '../../extension/messages/published.ts';
import { ask } from '../../extension/messages/send.ts';
import { host, PAGE_ORIGIN } from './fake-browser.ts';
import type { Person } from './scenario.ts';

const never = new Promise<never>(() => undefined);

/** Something done to one request on its way: `answer` sends it on. */
type Meddle = (
  request: { method: string; path: string; key: string | null },
  answer: () => Promise<Response>,
) => Promise<Response>;

/** The extension's worker on the faked browser, with the real network: it can be stopped at any point and started again. */
export class Worker {
  /** Milliseconds that its clock is ahead. */
  ahead = 0;
  /** What happens to requests; by default they are sent. */
  meddle: Meddle = (_request, answer) => answer();
  /** What happens at a pause; by default it is over at once. */
  pause: (ms: number) => Promise<void> = async () => undefined;
  /** Every request that was sent. */
  readonly sent: { method: string; path: string; key: string | null; authorization: string | null }[] = [];
  #generation = 0;

  /** Starts it, as the browser does for an event. Resolves when it has done what it does at its start. */
  async start(): Promise<void> {
    const mine = ++this.#generation;
    const alive = () => mine === this.#generation;
    await createBackground({
      fetch: async (input, init) => {
        if (!alive()) return never;
        const url = new URL(String(input));
        const headers = new Headers(init?.headers);
        const request = { method: init?.method ?? 'GET', path: url.pathname, key: headers.get('idempotency-key') };
        this.sent.push({ ...request, authorization: headers.get('authorization') });
        const response = await this.meddle(request, () => fetch(input, init));
        return alive() ? response : never;
      },
      now: () => Date.now() + this.ahead,
      sleep: async (ms) => {
        await this.pause(ms);
        return alive() ? undefined : never;
      },
      randomBytes: (n) => new Uint8Array(randomBytes(n)),
      randomId: () => crypto.randomUUID(),
      userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0.0.0 Safari/537.36',
      origin: PAGE_ORIGIN,
    }).start();
  }

  /** As connected, with a session that the person has already: how a session comes about is shown elsewhere. */
  async connectAs(origin: string, { token, userId, name, email }: Person): Promise<void> {
    const user = { id: userId, name, email };
    await host.grant(hostPattern(origin));
    await host.browser.storage.local.set({
      'private.account': { origin, user, token },
      [PUBLISHED.connection.key]: { status: 'connected', origin, user },
    });
    await ask('refresh');
  }

  /** Stops it at once: whatever it was waiting for never comes. */
  kill(): void {
    this.#generation++;
    host.dropWorker();
  }

  async restart(): Promise<void> {
    this.kill();
    await this.start();
  }
}

/** What the background publishes, as a page finds it. */
export async function published<N extends PublishedName>(name: N): Promise<PublishedValue<N> | undefined> {
  const { area, key } = PUBLISHED[name];
  return (await host.browser.storage[area].get(key))[key] as PublishedValue<N> | undefined;
}
