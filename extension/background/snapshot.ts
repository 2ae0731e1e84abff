import { FailureError } from '../../shared/client/client.ts';
import { type Key, keys, type UsageDay } from '../../shared/contract/keys.ts';
import { type Membership, people } from '../../shared/contract/people.ts';
import { workspaces } from '../../shared/contract/workspace.ts';
import { localFailure } from '../messages/failure.ts';
import type { Snapshot } from '../messages/published.ts';
import { allPages } from './pages.ts';
import type { Session } from './session.ts';
import type { Store } from './store.ts';

/** How many keys get a small plot in the list. */
const PLOTTED = 20;

interface SnapshotDeps {
  store: Store;
  session: Session;
  now(): number;
}

async function choose(store: Store, memberships: Membership[]): Promise<Membership> {
  const wanted = await store.read('workspaceId');
  const chosen =
    memberships.find((m) => m.workspaceId === wanted) ??
    memberships.find((m) => m.status === 'active') ??
    memberships[0];
  if (!chosen) throw new FailureError(localFailure('no_workspace'));
  return chosen;
}

const listKeys = (session: Session, workspaceId: string, owner?: string) =>
  allPages((cursor) =>
    session.call(keys.listKeys, {
      params: { workspaceId },
      query: { limit: 100, ...(cursor ? { cursor } : {}), ...(owner ? { owner } : {}) },
    }),
  );

async function listUsage(session: Session, workspaceId: string, list: Key[]): Promise<Record<string, UsageDay[]>> {
  const used = list.filter((key) => key.usageCount > 0).slice(0, PLOTTED);
  const plots = await Promise.all(
    used.map((key) => session.call(keys.keyUsage, { params: { workspaceId, keyId: key.id }, query: { days: 30 } })),
  );
  return Object.fromEntries(used.map((key, i) => [key.id, plots[i]?.days ?? []]));
}

/** Reads everything that the pages show, from one server for one workspace. */
export async function readSnapshot({ store, session, now }: SnapshotDeps): Promise<Snapshot> {
  const { user, memberships } = await session.call(people.me, {});
  const membership = await choose(store, memberships);
  const { workspaceId } = membership;
  const admin = membership.role !== 'member';
  const [workspace, mine, all] = await Promise.all([
    session.call(workspaces.readWorkspace, { params: { workspaceId } }),
    listKeys(session, workspaceId),
    admin ? listKeys(session, workspaceId, 'all') : null,
  ]);
  const usage = await listUsage(session, workspaceId, mine);
  return { at: now(), user, membership, memberships, workspace, keys: mine, allKeys: all, usage };
}
