import { FailureError } from '../../shared/client/client.ts';
import { type Key, keys, type UsageDay } from '../../shared/contract/keys.ts';
import { type Membership, people } from '../../shared/contract/people.ts';
import { workspaces } from '../../shared/contract/workspace.ts';
import { localFailure } from '../messages/failure.ts';
import type { Snapshot } from '../messages/published.ts';
import type { Handlers } from '../messages/receive.ts';
import { allPages } from './pages.ts';
import type { Session } from './session.ts';
import type { Store } from './store.ts';

/** How many keys get a small plot in the list. */
const PLOTTED = 20;

export interface DataDeps {
  store: Store;
  session: Session;
  now(): number;
  /** Runs after every refresh that worked. */
  onRefreshed(snapshot: Snapshot): Promise<void>;
}

/** The lists that pages show, read anew and kept for the next opening. */
export function createDataService({ store, session, now, onRefreshed }: DataDeps) {
  let running: Promise<void> | undefined;
  // A list that was asked for before a change must not overwrite what the change has answered.
  let changes = 0;

  async function choose(memberships: Membership[]): Promise<Membership> {
    const wanted = await store.read('workspaceId');
    const chosen =
      memberships.find((m) => m.workspaceId === wanted) ??
      memberships.find((m) => m.status === 'active') ??
      memberships[0];
    if (!chosen) throw new FailureError(localFailure('no_workspace'));
    return chosen;
  }

  const listKeys = (workspaceId: string, owner?: string) =>
    allPages((cursor) =>
      session.call(keys.listKeys, {
        params: { workspaceId },
        query: { limit: 100, ...(cursor ? { cursor } : {}), ...(owner ? { owner } : {}) },
      }),
    );

  async function listUsage(workspaceId: string, list: Key[]): Promise<Record<string, UsageDay[]>> {
    const used = list.filter((key) => key.usageCount > 0).slice(0, PLOTTED);
    const plots = await Promise.all(
      used.map((key) => session.call(keys.keyUsage, { params: { workspaceId, keyId: key.id }, query: { days: 30 } })),
    );
    return Object.fromEntries(used.map((key, i) => [key.id, plots[i]?.days ?? []]));
  }

  async function read(): Promise<Snapshot> {
    const { user, memberships } = await session.call(people.me, {});
    const membership = await choose(memberships);
    const { workspaceId } = membership;
    const admin = membership.role !== 'member';
    const [workspace, mine, all] = await Promise.all([
      session.call(workspaces.readWorkspace, { params: { workspaceId } }),
      listKeys(workspaceId),
      admin ? listKeys(workspaceId, 'all') : null,
    ]);
    const usage = await listUsage(workspaceId, mine);
    return { at: now(), user, membership, memberships, workspace, keys: mine, allKeys: all, usage };
  }

  async function readWhole(): Promise<void> {
    for (;;) {
      const before = changes;
      const snapshot = await read();
      if (before !== changes) continue;
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
    const put = (list: Key[], add: boolean) => {
      const fresh = changed.filter((key) => add && !list.some((old) => old.id === key.id));
      return [...fresh, ...list.map((old) => changed.find((key) => key.id === old.id) ?? old)];
    };
    await store.update('snapshot', (snapshot) => {
      if (!snapshot) return snapshot;
      const own = changed.every((key) => key.createdBy.membershipId === snapshot.membership.id);
      return {
        ...snapshot,
        keys: put(snapshot.keys, own),
        allKeys: snapshot.allKeys && put(snapshot.allKeys, true),
      };
    });
  }

  return {
    refresh,
    refreshAfterChange,
    adopt,
    handlers: {
      refresh,
      'workspace.choose': async ({ workspaceId }) => {
        await store.write('workspaceId', workspaceId);
        await refresh();
      },
      'session.list': async () => (await session.call(people.listSessions, { query: {} })).items,
      'session.end': ({ sessionId }) => session.call(people.endSession, { params: { sessionId } }),
    } satisfies Partial<Handlers>,
  };
}
export type DataService = ReturnType<typeof createDataService>;
