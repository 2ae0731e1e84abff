import type { Key } from '../../../shared/contract/keys.ts';
import { disableKey, enableKey } from '../../state/keys.ts';
import { navigate } from '../../state/route.ts';
import { offline } from '../../state/workspace.ts';
import { isDead } from '../../ui/key-words.ts';
import { MenuItem } from '../../ui/menu.tsx';
import { copyPrefix } from '../key-shortcuts.tsx';
import { isMine } from '../keys-states.tsx';
import { type Choose, RowMenu } from './table-parts.tsx';

/** What changes a key that still works. */
function Changes({ of: key, choose }: { of: Key; choose: Choose }) {
  const go = (screen: 'edit' | 'rotate' | 'revoke') => choose(() => navigate({ screen, id: key.id }));
  const off = offline.value ? 'Needs the server' : undefined;
  const notMine = off ?? (isMine(key) ? undefined : `Only ${key.createdBy.name} can do this`);
  const disabled = key.status === 'disabled';
  return (
    <>
      <MenuItem icon="pencil" unavailable={notMine} onSelect={go('edit')}>
        Edit
      </MenuItem>
      <MenuItem icon="rotate" unavailable={notMine} onSelect={go('rotate')}>
        Rotate
      </MenuItem>
      <MenuItem
        icon={disabled ? 'play' : 'pause'}
        unavailable={off}
        onSelect={choose(() => void (disabled ? enableKey(key.id) : disableKey(key.id)))}
      >
        {disabled ? 'Enable' : 'Disable'}
      </MenuItem>
      <hr />
      <MenuItem icon="trash" danger unavailable={off} onSelect={go('revoke')}>
        Revoke
      </MenuItem>
    </>
  );
}

/** Everything that can be done with a key of the table. */
export function KeyMenu({ of: key }: { of: Key }) {
  return (
    <RowMenu of={key.name}>
      {(choose) => (
        <>
          <MenuItem icon="eye" onSelect={choose(() => navigate({ screen: 'key', id: key.id }))}>
            Open
          </MenuItem>
          <MenuItem icon="copy" onSelect={choose(() => void copyPrefix(key))}>
            Copy prefix
          </MenuItem>
          {!isDead(key.status) && <Changes of={key} choose={choose} />}
        </>
      )}
    </RowMenu>
  );
}
