import { groups } from '../../shared/contract/groups.ts';
import { type Key, keys } from '../../shared/contract/keys.ts';
import type { Handlers } from '../messages/receive.ts';
import type { DataService } from './data-service.ts';
import { allPages } from './pages.ts';
import type { Session } from './session.ts';

/** What is done with keys that exist; how secrets come into being is in `secret-service.ts`. */
export function createKeyService({
  session,
  data,
}: {
  session: Session;
  data: Pick<DataService, 'adopt' | 'refreshAfterChange'>;
}) {
  const params = async (keyId: string) => ({ workspaceId: await session.workspaceId(), keyId });
  const adopted = async (key: Key): Promise<Key> => {
    await data.adopt(key);
    return key;
  };

  return {
    handlers: {
      'key.read': async ({ keyId }) => adopted(await session.call(keys.readKey, { params: await params(keyId) })),
      'key.usage': async ({ keyId }) =>
        (await session.call(keys.keyUsage, { params: await params(keyId), query: { days: 30 } })).days,
      'key.requests': async ({ keyId }) =>
        (await session.call(keys.keyRequests, { params: await params(keyId), query: { limit: 50 } })).items,
      'key.edit': async ({ keyId, body }) =>
        adopted(await session.call(keys.editKey, { params: await params(keyId), body })),
      'key.finishRotation': async ({ keyId }) =>
        adopted((await session.call(keys.finishRotation, { params: await params(keyId) })).key),
      'key.disable': async ({ keyId }) =>
        adopted((await session.call(keys.disableKey, { params: await params(keyId) })).key),
      'key.enable': async ({ keyId }) =>
        adopted((await session.call(keys.enableKey, { params: await params(keyId) })).key),
      'key.revoke': async ({ keyId, reason }) => {
        const body = reason ? { reason } : {};
        const { key } = await session.call(keys.revokeKey, { params: await params(keyId), body });
        await adopted(key);
        // The count in the header has changed too.
        void data.refreshAfterChange();
        return key;
      },
      'key.revokeMany': async ({ keyIds }) => {
        const workspaceId = await session.workspaceId();
        const answer = await session.call(keys.revokeKeys, { params: { workspaceId }, body: { ids: keyIds } });
        await data.adopt(...answer.keys);
        void data.refreshAfterChange();
        return answer.keys;
      },
      'group.list': async () => {
        const workspaceId = await session.workspaceId();
        return allPages((cursor) =>
          session.call(groups.listGroups, {
            params: { workspaceId },
            query: { limit: 100, ...(cursor ? { cursor } : {}) },
          }),
        );
      },
    } satisfies Partial<Handlers>,
  };
}
