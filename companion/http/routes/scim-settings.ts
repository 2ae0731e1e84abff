import { scimAdmin } from '../../../shared/contract/scim.ts';
import type { Deps } from '../../app/deps.ts';
import {
  createScimToken,
  editScimSettings,
  readScimSettings,
  removeScimToken,
  rotateScimToken,
} from '../../app/scim-tokens.ts';
import type { Authenticate } from '../authenticate.ts';
import { bindAll } from '../bind.ts';
import type { App } from '../context.ts';

export function bindScimSettings(app: App, deps: Deps, authenticate: Authenticate): void {
  bindAll(app, scimAdmin, authenticate, {
    readScim: ({ caller }) => readScimSettings(deps, caller.member.workspaceId),
    editScim: ({ caller, body }) => editScimSettings(deps, caller, body),
    createScimToken: ({ caller, body }) => createScimToken(deps, caller, body),
    rotateScimToken: ({ caller, params }) => rotateScimToken(deps, caller, params.tokenId),
    removeScimToken: async ({ caller, params }) => {
      await removeScimToken(deps, caller, params.tokenId);
      return undefined;
    },
  });
}
