import '../support/fake-browser.ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { payloads } from '../../extension/messages/protocol.ts';
import { createReceiver, type Handlers } from '../../extension/messages/receive.ts';
import { ask } from '../../extension/messages/send.ts';
import { host, PAGE_ORIGIN } from '../support/fake-browser.ts';

const seen: unknown[] = [];
const all = () =>
  Object.fromEntries(
    Object.keys(payloads).map((type) => [
      type,
      (payload: unknown) => {
        seen.push([type, payload]);
      },
    ]),
  ) as unknown as Handlers;

function listen(handlers: Partial<Handlers> = {}) {
  const receiver = createReceiver(PAGE_ORIGIN);
  receiver.handle({ ...all(), ...handlers });
  receiver.listen(Promise.resolve());
}

beforeEach(() => {
  seen.length = 0;
});
afterEach(() => host.reset());

describe('a message to the background', () => {
  test('from a page of the extension is answered', async () => {
    listen({ 'session.list': () => [] });
    expect(await ask('session.list')).toEqual({ ok: true, value: [] });
  });

  test.each([
    ['a content script of this extension', { id: 'test-extension-id', url: 'https://evil.example/', tab: { id: 1 } }],
    ['another extension', { id: 'other', url: `${PAGE_ORIGIN}/popup.html` }],
    ['an extension whose address begins alike', { id: 'test-extension-id', url: `${PAGE_ORIGIN}.evil.example/` }],
    ['nobody', {}],
  ])('from %s is not heard', async (_who, sender) => {
    listen();
    host.sendAs(sender);
    expect(await ask('connection.disconnect')).toMatchObject({ ok: false });
    expect(seen).toEqual([]);
  });

  test('of an unknown kind is not heard', async () => {
    listen();
    expect(await host.browser.runtime.sendMessage({ type: 'toString' })).toBeUndefined();
    expect(await host.browser.runtime.sendMessage({ type: '__proto__' })).toBeUndefined();
    expect(await host.browser.runtime.sendMessage(null)).toBeUndefined();
    expect(seen).toEqual([]);
  });

  test('with a payload that does not fit never reaches its handler, and the field is named as the server names it', async () => {
    listen();
    const answer = await ask('key.create', {
      attempt: crypto.randomUUID(),
      body: { name: 'x', environment: 'production' },
    });
    expect(answer).toMatchObject({
      ok: false,
      failure: { code: 'bad_request', errors: [{ path: 'name', message: 'use at least 2 characters' }] },
    });
    const extra = { keyId: 'key_1', more: true };
    expect(await ask('key.revoke', extra)).toMatchObject({ ok: false, failure: { code: 'bad_request' } });
    expect(seen).toEqual([]);
  });

  test('whose handler breaks says nothing of why to the page, and no secret to the log', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const secret = `heex_prod_${'a'.repeat(46)}`;
    listen({
      refresh: () => {
        throw new Error(`broken ${secret}`);
      },
    });
    const answer = await ask('refresh');
    expect(answer).toMatchObject({ ok: false, failure: { code: 'internal_error' } });
    expect(JSON.stringify([answer, log.mock.calls])).not.toContain(secret);
    expect(JSON.stringify(log.mock.calls)).toContain('heex_prod_aaaaaaaa…');
    log.mockRestore();
  });

  test('to a background that is gone is a failure, not an exception', async () => {
    expect(await ask('refresh')).toMatchObject({ ok: false, failure: { code: 'internal_error' } });
  });
});

describe('the background', () => {
  test('refuses a second handler for a message', () => {
    const receiver = createReceiver(PAGE_ORIGIN);
    receiver.handle({ refresh: async () => undefined });
    expect(() => receiver.handle({ refresh: async () => undefined })).toThrow(/two handlers.*refresh/);
  });

  test('does not start with a message that nobody handles', () => {
    const { refresh: _, ...others } = all();
    const receiver = createReceiver(PAGE_ORIGIN);
    receiver.handle(others);
    expect(() => receiver.listen(Promise.resolve())).toThrow(/no handler.*refresh/);
  });
});
