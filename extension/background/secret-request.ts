import { FailureError, isUnsure } from '../../shared/client/client.ts';
import { type Key, type KeyWithSecret, keys } from '../../shared/contract/keys.ts';
import { localFailure } from '../messages/failure.ts';
import type { FreshSecret } from '../messages/published.ts';
import type { DataService } from './data-service.ts';
import type { Intents } from './intents.ts';
import type { Session } from './session.ts';
import type { Intent, Store } from './store.ts';

/** Pauses before a request without an answer is sent again, in milliseconds. */
const PAUSES_MS = [500, 2000];

export interface SecretDeps {
  store: Store;
  session: Session;
  data: Pick<DataService, 'adopt' | 'refreshAfterChange'>;
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** Sends what an intent asks for, under its own Idempotency-Key. */
function request(session: Session, intent: Intent): Promise<KeyWithSecret> {
  const { workspaceId, attempt: idempotencyKey } = intent;
  return intent.kind === 'create'
    ? session.call(keys.createKey, { params: { workspaceId }, body: intent.body, idempotencyKey })
    : session.call(keys.rotateKey, {
        params: { workspaceId, keyId: intent.keyId },
        body: intent.body,
        idempotencyKey,
      });
}

async function requestStubbornly({ session, sleep }: SecretDeps, intent: Intent): Promise<KeyWithSecret> {
  for (const pause of PAUSES_MS) {
    try {
      return await request(session, intent);
    } catch (error) {
      if (!(error instanceof FailureError) || !isUnsure(error.failure)) throw error;
      await sleep(pause);
    }
  }
  return request(session, intent);
}

/** Writes down what an intent has led to; it is none any more then. @param secret null where it was lost */
export async function keepSecret(
  { store, now }: Pick<SecretDeps, 'store' | 'now'>,
  intents: Intents,
  intent: Intent,
  key: Key,
  secret: string | null,
): Promise<FreshSecret> {
  const kind = intent.kind === 'create' ? 'created' : 'rotated';
  const fresh: FreshSecret = { id: intent.attempt, kind, key, secret, copied: false, at: now() };
  await store.update('fresh', (list = []) => [...list.filter((old) => old.id !== fresh.id), fresh]);
  await intents.fulfil(intent);
  return fresh;
}

/** Carries an intent out: again while there is no answer, and its secret is written down before anybody is told. */
export async function carryOut(deps: SecretDeps, intents: Intents, intent: Intent): Promise<FreshSecret> {
  try {
    const answer = await requestStubbornly(deps, intent);
    const fresh = await keepSecret(deps, intents, intent, answer.key, answer.secret ?? null);
    await deps.data.adopt(answer.key);
    void deps.data.refreshAfterChange();
    return fresh;
  } catch (error) {
    const failure = error instanceof FailureError ? error.failure : localFailure('internal_error');
    if (isUnsure(failure)) {
      await intents.setUnknown(intent.attempt, true);
      throw new FailureError(
        localFailure('outcome_unknown', 'Try again: it will not be done twice. Or look into your list of keys first.'),
      );
    }
    // After a first answer was lost, a refusal of the repeat does not say what the first one did.
    if (failure.code === 'signed_out') await intents.setUnknown(intent.attempt, true);
    else await intents.drop(intent.attempt);
    throw error;
  }
}
