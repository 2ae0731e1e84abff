import { type CallInput, type Client, FailureError } from '../../shared/client/client.ts';
import type { AnswerOf, Endpoint } from '../../shared/contract/endpoint.ts';
import { localFailure } from '../messages/failure.ts';
import type { Store } from './store.ts';

/** Calls in the name of the person. Throws `FailureError`, `not_connected` and `signed_out` among them. */
export interface Session {
  call<E extends Endpoint>(endpoint: E, input: CallInput<E>): Promise<AnswerOf<E>>;
  /** The workspace that is shown, for the paths below it. */
  workspaceId(): Promise<string>;
}

export function createSession({ store, client }: { store: Store; client: Client }): Session {
  /** The server no longer knows the session: what was read stays readable, and connecting again is offered. */
  async function end(token: string): Promise<void> {
    const account = await store.read('account');
    // A slow answer to an older session says nothing about the present one.
    if (!account || account.token !== token) return;
    await store.write('account', { ...account, token: null });
    await store.write('connection', { status: 'signed_out', origin: account.origin, user: account.user });
  }

  return {
    async call(endpoint, input) {
      const account = await store.read('account');
      if (!account) throw new FailureError(localFailure('not_connected'));
      const { origin, token } = account;
      if (token === null) throw new FailureError(localFailure('signed_out'));
      try {
        const answer = await client.call({ origin, token }, endpoint, input);
        // Disconnected meanwhile, or somebody else: nothing of the person before may be kept.
        const after = await store.read('account');
        if (after?.origin !== origin || after.user.id !== account.user.id)
          throw new FailureError(localFailure('not_connected'));
        return answer;
      } catch (error) {
        if (!(error instanceof FailureError) || error.failure.status !== 401) throw error;
        await end(token);
        throw new FailureError(localFailure('signed_out'));
      }
    },
    async workspaceId() {
      const snapshot = await store.read('snapshot');
      if (!snapshot) throw new FailureError(localFailure('not_connected'));
      return snapshot.workspace.id;
    },
  };
}
