import { browser } from 'wxt/browser';
import type { Intent, Store } from './store.ts';

export const RESUME_ALARM = 'resume';

/** The requests for a secret that have no answer yet, as they are written down before they are sent. */
export interface Intents {
  all(): Promise<readonly Intent[]>;
  find(attempt: string): Promise<Intent | undefined>;
  add(intent: Intent): Promise<void>;
  drop(attempt: string): Promise<void>;
  /** It is over, and with it every earlier one of unknown outcome for the same key: what they have left is no longer the latest. */
  fulfil(intent: Intent): Promise<void>;
  /** Whether it is over without its outcome being known. */
  setUnknown(attempt: string, unknown: boolean): Promise<void>;
}

/** Whether two requests are for a secret of the same key: the same one made, or the same one rotated. */
export const wantsSame = (a: Intent, b: Intent): boolean =>
  a.workspaceId === b.workspaceId &&
  (a.kind === 'rotate' ? b.kind === 'rotate' && a.keyId === b.keyId : b.kind === 'create' && a.name === b.name);

export function createIntents(store: Store): Intents {
  /** Writes the intents and publishes those on the way. A wake-up is set while there are any: nothing else may come. */
  async function change(work: (intents: Intent[]) => Intent[]): Promise<void> {
    let next: Intent[] = [];
    await store.update('intents', (intents = []) => {
      next = work(intents);
      return next;
    });
    const onTheWay = next.filter((intent) => !intent.unknown);
    await store.write(
      'unfinished',
      onTheWay.map(({ kind, name, environment, at }) => ({ kind, name, environment, at })),
    );
    if (onTheWay.length > 0) await browser.alarms.create(RESUME_ALARM, { delayInMinutes: 0.5, periodInMinutes: 0.5 });
    else await browser.alarms.clear(RESUME_ALARM);
  }
  const all = async () => (await store.read('intents')) ?? [];
  return {
    all,
    find: async (attempt) => (await all()).find((intent) => intent.attempt === attempt),
    add: (intent) => change((before) => [...before, intent]),
    drop: (attempt) => change((before) => before.filter((intent) => intent.attempt !== attempt)),
    fulfil: (done) =>
      change((before) =>
        before.filter((intent) => intent.attempt !== done.attempt && !(intent.unknown && wantsSame(intent, done))),
      ),
    setUnknown: (attempt, unknown) =>
      change((before) => before.map((intent) => (intent.attempt === attempt ? { ...intent, unknown } : intent))),
  };
}
