import { keys } from '../../../shared/contract/keys.ts';
import type { Deps } from '../../app/deps.ts';
import { createKey } from '../../app/keys/create-key.ts';
import { disableKey, enableKey } from '../../app/keys/disable-key.ts';
import { editKey } from '../../app/keys/edit-key.ts';
import { listKeys } from '../../app/keys/list-keys.ts';
import { readKey } from '../../app/keys/read-key.ts';
import { revokeKey, revokeKeys } from '../../app/keys/revoke-key.ts';
import { finishRotation, rotateKey } from '../../app/keys/rotate-key.ts';
import { readKeyUsage } from '../../app/usage/key-usage.ts';
import { listKeyRequests } from '../../app/usage/requests.ts';
import type { Authenticate } from '../authenticate.ts';
import { bindAll } from '../bind.ts';
import type { App } from '../context.ts';

export function bindKeys(app: App, deps: Deps, authenticate: Authenticate): void {
  bindAll(app, keys, authenticate, {
    listKeys: ({ caller, query }) => listKeys(deps, caller, query),
    createKey: ({ caller, body, idempotency }) => createKey(deps, caller, body, idempotency),
    readKey: ({ caller, params }) => readKey(deps, caller, params.keyId),
    editKey: ({ caller, params, body }) => editKey(deps, caller, params.keyId, body),
    rotateKey: ({ caller, params, body, idempotency }) => rotateKey(deps, caller, params.keyId, body, idempotency),
    finishRotation: async ({ caller, params }) => ({ key: await finishRotation(deps, caller, params.keyId) }),
    disableKey: async ({ caller, params }) => ({ key: await disableKey(deps, caller, params.keyId) }),
    enableKey: async ({ caller, params }) => ({ key: await enableKey(deps, caller, params.keyId) }),
    revokeKey: async ({ caller, params, body }) => ({
      key: await revokeKey(deps, caller, params.keyId, body.reason),
    }),
    revokeKeys: async ({ caller, body }) => ({ keys: await revokeKeys(deps, caller, body.ids, body.reason) }),
    keyUsage: ({ caller, params, query }) => readKeyUsage(deps, caller, params.keyId, query.days),
    keyRequests: ({ caller, params, query }) => listKeyRequests(deps, caller, params.keyId, query),
  });
}
