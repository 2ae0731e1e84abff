import type { Key } from '../../../shared/contract/keys.ts';
import { audit, by } from '../audit.ts';
import { changeAs, type MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';
import { moveKey, target } from './find.ts';
import { viewKey } from './view.ts';

async function setDisabled(deps: Deps, caller: MemberCaller, keyId: string, kind: 'disable' | 'enable'): Promise<Key> {
  const row = await changeAs(deps, caller, 'key.disable', async (change) => {
    const { row, next } = await moveKey(change, keyId, 'key.disable', { kind });
    await change.tx.updateTable('api_key').set({ disabled_at: next.disabledAt }).where('id', '=', row.id).execute();
    await audit(change.tx, {
      workspaceId: change.member.workspaceId,
      at: change.now,
      ...by(caller),
      action: `key.${kind}d`,
      target: target(row),
      before: { disabled: kind === 'enable' },
      after: { disabled: kind === 'disable' },
    });
    return { ...row, disabled_at: next.disabledAt };
  });
  return viewKey(deps, row);
}

/** Refuses a key, both secrets of it, until it is enabled again. @throws Refusal not_found, conflict */
export const disableKey = (deps: Deps, caller: MemberCaller, keyId: string) =>
  setDisabled(deps, caller, keyId, 'disable');

/** Takes a disabled key again. It kept its place under the limit meanwhile. @throws Refusal not_found, conflict */
export const enableKey = (deps: Deps, caller: MemberCaller, keyId: string) =>
  setDisabled(deps, caller, keyId, 'enable');
