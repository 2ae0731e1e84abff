import { FailureError } from '../../shared/client/client.ts';
import type { Key } from '../../shared/contract/keys.ts';
import { people } from '../../shared/contract/people.ts';
import { localFailure } from '../messages/failure.ts';
import type { Snapshot } from '../messages/published.ts';
import type { Handlers } from '../messages/receive.ts';
import { allPages } from './pages.ts';
import type { Session } from './session.ts';
import { readSnapshot } from './snapshot.ts';
import type { Store } from './store.ts';

export interface DataDeps {
  store: Store;
  session: Session;
  now(): number;
  /** Runs after every refresh that worked. */
  onRefreshed(snapshot: Snapshot): Promise<void>;
}

/** The lists with these keys as they are now; those that are new come first. */
function withKeys(snapshot: Snapshot, changed: readonly Key[]): Snapshot {
  const put = (list: Key[], add: boolean) => {
    const fresh = changed.filter((key) => add && !list.some((old) => old.id === key.id));
    return [...fresh, ...list.map((old) => changed.find((key) => key.id === old.id) ?? old)];
  };
  const own = changed.every((key) => key.createdBy.membershipId === snapshot.membership.id);
  return {
    ...snapshot,
    keys: put(snapshot.keys, own),
    allKeys: snapshot.allKeys && put(snapshot.allKeys, true),
  };
}

/** The lists that pages show, read anew and kept for the next opening. */
export function createDataService({ store, session, now, onRefreshed }: DataDeps) {
  let running: Promise<void> | undefined;
  // A list that was asked for before a change must not overwrite what the change has answered.
  let changes = 0;

  async function readWhole(): Promise<void> {
    for (;;) {
      const before = changes;
      const snapshot = await readSnapshot({ store, session, now });
      if (before !== changes) continue;
      // Members and invitations of the workspace before are not those of this one.
      if ((await store.read('snapshot'))?.workspace.id !== snapshot.workspace.id) await store.remove('team');
      await store.write('snapshot', snapshot);
      await store.write('sync', { at: now(), failure: null });
      await onRefreshed(snapshot);
      return;
    }
  }

  /** Reads everything anew; several at once are one. Never throws: how it went is published as `sync`. */
  function refresh(): Promise<void> {
    running ??= readWhole()
      .catch(async (error: unknown) => {
        const failure = error instanceof FailureError ? error.failure : localFailure('internal_error');
        await store.write('sync', { at: now(), failure });
      })
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  /** Reads anew after a change: what is being read already may be from before it. */
  function refreshAfterChange(): Promise<void> {
    changes++;
    return refresh();
  }

  /** Puts keys that the server has just answered into the kept lists. */
  async function adopt(...changed: Key[]): Promise<void> {
    changes++;
    await store.update('snapshot', (snapshot) => snapshot && withKeys(snapshot, changed));
  }

  return {
    refresh,
    refreshAfterChange,
    adopt,
    handlers: {
      refresh,
      'workspace.choose': async ({ workspaceId }) => {
        await store.write('workspaceId', workspaceId);
        // What is being read already is of the workspace before.
        await refreshAfterChange();
      },
      'session.list': () =>
        allPages((cursor) => session.call(people.listSessions, { query: { limit: 100, ...(cursor && { cursor }) } })),
      'session.end': ({ sessionId }) => session.call(people.endSession, { params: { sessionId } }),
    } satisfies Partial<Handlers>,
  };
}
export type DataService = ReturnType<typeof createDataService>;
