import type { MessageType } from '../../../extension/messages/protocol.ts';

/** What a view asked of the background, and what it got: tests read it as `window.asked`. */
export interface Asked {
  type: string;
  payload: unknown;
}
type Handler = (payload: never) => unknown;
export type Answers = { [T in MessageType]?: Handler };

const listeners: ((changes: Record<string, { newValue: unknown }>, area: string) => void)[] = [];
const areas: Record<string, Map<string, unknown>> = { local: new Map(), session: new Map() };

/** A storage area that only lives as long as the page. */
const area = (name: string) => ({
  get: async (keys: string | string[]) =>
    Object.fromEntries([keys].flat().flatMap((key) => (areas[name]?.has(key) ? [[key, areas[name].get(key)]] : []))),
  set: async (values: Record<string, unknown>) => {
    for (const [key, value] of Object.entries(values)) areas[name]?.set(key, value);
    const changes = Object.fromEntries(Object.entries(values).map(([key, newValue]) => [key, { newValue }]));
    for (const listener of listeners) listener(changes, name);
  },
});

/**
 * Stands in for the browser and the background while views are looked at on their own: the screens themselves are real,
 * and what they ask for is recorded. The suites that drive the built extension use none of this.
 */
export function installBrowser(answers: Answers): void {
  const asked: Asked[] = [];
  const sendMessage = async ({ type, payload }: Asked) => {
    asked.push({ type, payload });
    const handler = answers[type as MessageType];
    const value = handler ? await handler(payload as never) : undefined;
    return isResult(value) ? value : { ok: true, value };
  };
  const stub = {
    runtime: { id: 'views', sendMessage, getContexts: async () => [] },
    storage: {
      local: area('local'),
      session: area('session'),
      onChanged: { addListener: listeners.push.bind(listeners) },
    },
    permissions: { contains: async () => true, request: async () => true },
    tabs: {
      query: async () => [{ id: 1, url: 'https://github.com/settings' }],
      create: async () => ({}),
      update: async () => ({}),
    },
    scripting: { executeScript: async () => [{ result: { field: 'Secret' } }] },
  };
  Object.assign(globalThis, { browser: stub, asked });
}

const isResult = (value: unknown): value is { ok: boolean } =>
  typeof value === 'object' && value !== null && 'ok' in value;
