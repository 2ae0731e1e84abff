import { FailureError } from '../../shared/client/client.ts';
import type { Key } from '../../shared/contract/keys.ts';
import { localFailure } from '../messages/failure.ts';
import type { FreshSecret, Snapshot } from '../messages/published.ts';
import type { Handlers } from '../messages/receive.ts';
import { createIntents, type Intents, wantsSame } from './intents.ts';
import { carryOut, keepSecret, type SecretDeps } from './secret-request.ts';
import type { Intent, Store } from './store.ts';

/** A request that was cut off is repeated by itself for so long, in milliseconds; later only its outcome is looked up. */
const REPEAT_FOR_MS = 10 * 60_000;

const isLive = (key: Key): boolean => key.status !== 'revoked' && key.status !== 'expired';

/** Whether the server has done what an unanswered intent asked, as far as the list tells: names of live keys are unique. */
function outcome(intent: Intent, list: Key[]): Key | undefined {
  if (intent.kind === 'rotate') return list.find((key) => key.id === intent.keyId && key.prefix !== intent.before);
  return intent.before ? undefined : list.find((key) => isLive(key) && key.name === intent.name);
}

/** Begins intents, and joins or repeats those that have begun before. */
function createRunner(deps: SecretDeps, intents: Intents) {
  const running = new Map<string, Promise<FreshSecret>>();
  async function run(intent: Intent): Promise<FreshSecret> {
    const already = (await deps.store.read('fresh'))?.find((fresh) => fresh.id === intent.attempt);
    if (already) {
      await intents.drop(intent.attempt);
      return already;
    }
    const promise = running.get(intent.attempt) ?? carryOut(deps, intents, intent);
    running.set(intent.attempt, promise);
    return promise.finally(() => running.delete(intent.attempt));
  }
  return {
    run,
    isRunning: (attempt: string) => running.has(attempt),
    async begin(intent: Intent): Promise<FreshSecret> {
      const known = await intents.find(intent.attempt);
      if (known) await intents.setUnknown(known.attempt, false);
      else await intents.add(intent);
      return run(known ? { ...known, unknown: false } : intent);
    },
  };
}

/** What makes a secret: a new key, and a rotation. */
const makingHandlers = (store: Store, now: () => number, begin: (intent: Intent) => Promise<FreshSecret>) => {
  async function base(
    attempt: string,
  ): Promise<{ snapshot: Snapshot; common: Pick<Intent, 'attempt' | 'at' | 'workspaceId' | 'unknown'> }> {
    const snapshot = await store.read('snapshot');
    if (!snapshot) throw new FailureError(localFailure('not_connected'));
    return { snapshot, common: { attempt, at: now(), workspaceId: snapshot.workspace.id, unknown: false } };
  }
  return {
    'key.create': async ({ attempt, body }) => {
      const { snapshot, common } = await base(attempt);
      const { name, environment } = body;
      const before = snapshot.keys.some((key) => isLive(key) && key.name === name);
      return begin({ ...common, kind: 'create', name, environment, body, before });
    },
    'key.rotate': async ({ attempt, keyId, body }) => {
      const { snapshot, common } = await base(attempt);
      const key = snapshot.keys.find((own) => own.id === keyId);
      if (!key) throw new FailureError({ code: 'not_found', title: 'There is no such key among yours', status: 404 });
      const { name, environment, prefix: before } = key;
      return begin({ ...common, kind: 'rotate', name, environment, keyId, body, before });
    },
  } satisfies Partial<Handlers>;
};

/**
 * Creates and rotates, so that nothing is lost or doubled when the worker is stopped at any point: the intent is written
 * down before it is sent, it carries its own Idempotency-Key, and the secret is written down before anybody is told.
 */
export function createSecretService(deps: SecretDeps) {
  const { store, now } = deps;
  const intents = createIntents(store);
  const { run, begin, isRunning } = createRunner(deps, intents);
  return {
    handlers: {
      ...makingHandlers(store, now, begin),
      'secret.copied': ({ id }) =>
        store.update('fresh', (list) => list?.map((fresh) => (fresh.id === id ? { ...fresh, copied: true } : fresh))),
      'secret.dismiss': ({ id }) => store.update('fresh', (list) => list?.filter((fresh) => fresh.id !== id)),
    } satisfies Partial<Handlers>,

    /** Takes up what a stopped worker has left. Called at every start of the worker and on `RESUME_ALARM`. */
    async resume(): Promise<void> {
      for (const intent of await intents.all()) {
        if (intent.unknown || isRunning(intent.attempt)) continue;
        if (now() - intent.at > REPEAT_FOR_MS) await intents.setUnknown(intent.attempt, true);
        else await run(intent).catch(() => undefined);
      }
    },

    /** Says plainly of every unanswered request whether it was done: its secret is lost then, but not silently. */
    async settle(snapshot: Snapshot): Promise<void> {
      const waiting = await intents.all();
      for (const intent of waiting) {
        if (!intent.unknown || intent.workspaceId !== snapshot.workspace.id) continue;
        // What the list shows may be the work of another attempt, which has its secret.
        if (waiting.some((other) => !other.unknown && wantsSame(other, intent))) continue;
        const key = outcome(intent, snapshot.keys);
        if (key) await keepSecret(deps, intents, intent, key, null);
        else if (now() - intent.at > REPEAT_FOR_MS) await intents.drop(intent.attempt);
      }
    },
  };
}
