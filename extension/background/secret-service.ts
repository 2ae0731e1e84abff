import { browser } from 'wxt/browser';
import { FailureError, isUnsure } from '../../shared/client/client.ts';
import { type Key, type KeyWithSecret, keys } from '../../shared/contract/keys.ts';
import { localFailure } from '../messages/failure.ts';
import type { FreshSecret, Snapshot } from '../messages/published.ts';
import type { Handlers } from '../messages/receive.ts';
import type { DataService } from './data-service.ts';
import type { Session } from './session.ts';
import type { Intent, Store } from './store.ts';

export const RESUME_ALARM = 'resume';
/** A request that was cut off is repeated by itself for so long, in milliseconds; later only its outcome is looked up. */
const REPEAT_FOR_MS = 10 * 60_000;
/** Pauses before a request without an answer is sent again, in milliseconds. */
const PAUSES_MS = [500, 2000];

export interface SecretDeps {
  store: Store;
  session: Session;
  data: Pick<DataService, 'adopt' | 'refreshAfterChange'>;
  now(): number;
  sleep(ms: number): Promise<void>;
}

const isLive = (key: Key): boolean => key.status !== 'revoked' && key.status !== 'expired';

/**
 * Creates and rotates, so that nothing is lost or doubled when the worker is stopped at any point: the intent is written
 * down before it is sent, it carries its own Idempotency-Key, and the secret is written down before anybody is told.
 */
export function createSecretService({ store, session, data, now, sleep }: SecretDeps) {
  const running = new Map<string, Promise<FreshSecret>>();

  /** Writes the intents and publishes those on the way. A wake-up is set while there are any: nothing else may come. */
  async function changeIntents(change: (intents: Intent[]) => Intent[]): Promise<void> {
    let next: Intent[] = [];
    await store.update('intents', (intents = []) => {
      next = change(intents);
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
  const drop = (attempt: string) => changeIntents((all) => all.filter((intent) => intent.attempt !== attempt));
  const setUnknown = (attempt: string, unknown: boolean) =>
    changeIntents((all) => all.map((intent) => (intent.attempt === attempt ? { ...intent, unknown } : intent)));

  const request = (intent: Intent): Promise<KeyWithSecret> => {
    const { workspaceId, attempt: idempotencyKey } = intent;
    return intent.kind === 'create'
      ? session.call(keys.createKey, { params: { workspaceId }, body: intent.body, idempotencyKey })
      : session.call(keys.rotateKey, {
          params: { workspaceId, keyId: intent.keyId },
          body: intent.body,
          idempotencyKey,
        });
  };

  async function requestStubbornly(intent: Intent): Promise<KeyWithSecret> {
    for (const pause of PAUSES_MS) {
      try {
        return await request(intent);
      } catch (error) {
        if (!(error instanceof FailureError) || !isUnsure(error.failure)) throw error;
        await sleep(pause);
      }
    }
    return request(intent);
  }

  async function keep(intent: Intent, key: Key, secret: string | null): Promise<FreshSecret> {
    const kind = intent.kind === 'create' ? 'created' : 'rotated';
    const fresh: FreshSecret = { id: intent.attempt, kind, key, secret, copied: false, at: now() };
    await store.update('fresh', (list = []) => [...list.filter((old) => old.id !== fresh.id), fresh]);
    await drop(intent.attempt);
    return fresh;
  }

  async function carryOut(intent: Intent): Promise<FreshSecret> {
    try {
      const answer = await requestStubbornly(intent);
      const fresh = await keep(intent, answer.key, answer.secret ?? null);
      await data.adopt(answer.key);
      void data.refreshAfterChange();
      return fresh;
    } catch (error) {
      const failure = error instanceof FailureError ? error.failure : localFailure('internal_error');
      if (isUnsure(failure)) {
        await setUnknown(intent.attempt, true);
        throw new FailureError(
          localFailure(
            'outcome_unknown',
            'Try again: it will not be done twice. Or look into your list of keys first.',
          ),
        );
      }
      // After a first answer was lost, a refusal of the repeat does not say what the first one did.
      if (failure.code === 'signed_out') await setUnknown(intent.attempt, true);
      else await drop(intent.attempt);
      throw error;
    }
  }

  /** Begins an intent, or joins or repeats it when it has begun before. */
  async function run(intent: Intent): Promise<FreshSecret> {
    const already = (await store.read('fresh'))?.find((fresh) => fresh.id === intent.attempt);
    if (already) {
      await drop(intent.attempt);
      return already;
    }
    const promise = running.get(intent.attempt) ?? carryOut(intent);
    running.set(intent.attempt, promise);
    return promise.finally(() => running.delete(intent.attempt));
  }

  async function begin(intent: Intent): Promise<FreshSecret> {
    const known = (await store.read('intents'))?.find((old) => old.attempt === intent.attempt);
    if (known) await setUnknown(known.attempt, false);
    else await changeIntents((all) => [...all, intent]);
    return run(known ? { ...known, unknown: false } : intent);
  }

  async function base(
    attempt: string,
  ): Promise<{ snapshot: Snapshot; common: Pick<Intent, 'attempt' | 'at' | 'workspaceId' | 'unknown'> }> {
    const snapshot = await store.read('snapshot');
    if (!snapshot) throw new FailureError(localFailure('not_connected'));
    return { snapshot, common: { attempt, at: now(), workspaceId: snapshot.workspace.id, unknown: false } };
  }

  /** Whether the server has done what an unanswered intent asked, as far as the list tells: names of live keys are unique. */
  function outcome(intent: Intent, list: Key[]): Key | undefined {
    if (intent.kind === 'rotate') return list.find((key) => key.id === intent.keyId && key.prefix !== intent.before);
    return intent.before ? undefined : list.find((key) => isLive(key) && key.name === intent.name);
  }

  return {
    handlers: {
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
      'secret.copied': ({ id }) =>
        store.update('fresh', (list) => list?.map((fresh) => (fresh.id === id ? { ...fresh, copied: true } : fresh))),
      'secret.dismiss': ({ id }) => store.update('fresh', (list) => list?.filter((fresh) => fresh.id !== id)),
    } satisfies Partial<Handlers>,

    /** Takes up what a stopped worker has left. Called at every start of the worker and on `RESUME_ALARM`. */
    async resume(): Promise<void> {
      for (const intent of (await store.read('intents')) ?? []) {
        if (intent.unknown || running.has(intent.attempt)) continue;
        if (now() - intent.at > REPEAT_FOR_MS) await setUnknown(intent.attempt, true);
        else await run(intent).catch(() => undefined);
      }
    },

    /** Says plainly of every unanswered request whether it was done: its secret is lost then, but not silently. */
    async settle(snapshot: Snapshot): Promise<void> {
      for (const intent of (await store.read('intents')) ?? []) {
        if (!intent.unknown || intent.workspaceId !== snapshot.workspace.id) continue;
        const key = outcome(intent, snapshot.keys);
        if (key) await keep(intent, key, null);
        else if (now() - intent.at > REPEAT_FOR_MS) await drop(intent.attempt);
      }
    },
  };
}
