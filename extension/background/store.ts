import { browser } from 'wxt/browser';
import * as z from 'zod/mini';
import { environment } from '../../shared/contract/fields.ts';
import { createKeyBody, rotateBody } from '../../shared/contract/keys.ts';
import { user } from '../../shared/contract/people.ts';
import { PUBLISHED } from '../messages/published.ts';

/** The person at the server, with the session token; null when the server has ended the session. */
const account = z.object({ origin: z.string(), user, token: z.nullable(z.string()) });

/** A connection that waits for approval. The verifier never leaves the browser before the exchange (RFC 7636). */
const approval = z.object({
  origin: z.string(),
  state: z.string(),
  verifier: z.string(),
  url: z.string(),
  tabId: z.nullable(z.number()),
  expiresAt: z.number(),
});
export type Approval = z.infer<typeof approval>;

const intentBase = {
  /** Sent as `Idempotency-Key`, so that a repeat makes no second key or secret. */
  attempt: z.string(),
  workspaceId: z.string(),
  name: z.string(),
  environment,
  at: z.number(),
  /** No answer came, and it is not repeated any more by itself. */
  unknown: z.boolean(),
};
/**
 * A create or rotation, written down before it is sent: a worker that is stopped in the middle finds it again. It has no
 * secret in it. `before` tells afterwards whether the server has done it.
 */
const intent = z.discriminatedUnion('kind', [
  z.object({ ...intentBase, kind: z.literal('create'), body: createKeyBody, before: z.boolean() }),
  z.object({ ...intentBase, kind: z.literal('rotate'), body: rotateBody, keyId: z.string(), before: z.string() }),
]);
export type Intent = z.infer<typeof intent>;

const PRIVATE = {
  account: { area: 'local', key: 'private.account', schema: account },
  workspaceId: { area: 'local', key: 'private.workspaceId', schema: z.string() },
  intents: { area: 'local', key: 'private.intents', schema: z.array(intent) },
  /** By key id and expiry, the fewest days of which a reminder was shown. */
  reminded: { area: 'local', key: 'private.reminded', schema: z.record(z.string(), z.number()) },
  approval: { area: 'session', key: 'private.approval', schema: approval },
  invitationLinks: { area: 'session', key: 'private.invitationLinks', schema: z.record(z.string(), z.string()) },
  /** When each withdrawal is due and in which workspace, by invitation id. It was promised, so it outlives the browser. */
  withdrawals: {
    area: 'local',
    key: 'private.withdrawals',
    schema: z.record(z.string(), z.object({ at: z.number(), workspaceId: z.string() })),
  },
} as const;

const ITEMS = { ...PUBLISHED, ...PRIVATE } as const;
export type ItemName = keyof typeof ITEMS;
export type ItemValue<N extends ItemName> = z.infer<(typeof ITEMS)[N]['schema']>;

/**
 * Everything that the background keeps, by name and with its schema. Session storage is memory only; the fresh secret and
 * the verifier are there and nowhere else. Nothing is held in variables, because a worker is stopped at any time.
 */
export interface Store {
  read<N extends ItemName>(name: N): Promise<ItemValue<N> | undefined>;
  write<N extends ItemName>(name: N, value: ItemValue<N>): Promise<void>;
  /** Reads, changes and writes; one change after another. `undefined` removes. */
  update<N extends ItemName>(
    name: N,
    change: (value: ItemValue<N> | undefined) => ItemValue<N> | undefined,
  ): Promise<void>;
  remove(...names: ItemName[]): Promise<void>;
  /** Forgets the person and everything of theirs; what the browser's user prefers stays. */
  forget(): Promise<void>;
}

export function createStore(): Store {
  let last: Promise<unknown> = Promise.resolve();
  const serially = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
  const area = (name: ItemName) => browser.storage[ITEMS[name].area];

  async function read<N extends ItemName>(name: N): Promise<ItemValue<N> | undefined> {
    const { key, schema } = ITEMS[name];
    const stored = await area(name).get(key);
    const parsed = schema.safeParse(stored[key]);
    return parsed.success ? (parsed.data as ItemValue<N>) : undefined;
  }
  const put = (name: ItemName, value: unknown): Promise<void> =>
    value === undefined ? area(name).remove(ITEMS[name].key) : area(name).set({ [ITEMS[name].key]: value });

  return {
    read,
    write: (name, value) => serially(() => put(name, value)),
    update: (name, change) => serially(async () => put(name, change(await read(name)))),
    remove: (...names) =>
      serially(async () => {
        for (const name of names) await put(name, undefined);
      }),
    forget: () =>
      serially(async () => {
        await browser.storage.session.clear();
        for (const name of Object.keys(ITEMS) as ItemName[]) {
          if (ITEMS[name].area === 'local' && name !== 'preferences') await put(name, undefined);
        }
      }),
  };
}

/** Closes storage to anything but the extension's own pages, where the browser can (Firefox keeps `local` open to content scripts, and there are none). */
export async function closeStorage(): Promise<void> {
  for (const area of [browser.storage.local, browser.storage.session]) {
    await area.setAccessLevel?.({ accessLevel: 'TRUSTED_CONTEXTS' });
  }
}
