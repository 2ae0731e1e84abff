import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Role } from '../../shared/contract/fields.ts';
import { disconnect, serverHost } from '../state/connection.ts';
import { preferences, setPreferences } from '../state/preferences.ts';
import { navigate, openWorkspace, route } from '../state/route.ts';
import { surface } from '../state/surface.ts';
import { showFailure } from '../state/toasts.ts';
import { chooseWorkspace, me, memberships, workspace } from '../state/workspace.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icon.tsx';
import { Avatar } from '../ui/marks.tsx';
import { MenuItem, useMenu } from '../ui/menu.tsx';
import { openShortcuts } from './shortcut-list.tsx';

export const ROLE_WORDS: Record<Role, string> = { owner: 'Owner', admin: 'Admin', member: 'Member' };

/** In the popup the full page is elsewhere, in the full page it is here. */
const goTo = (screen: 'account') => (surface.value === 'popup' ? void openWorkspace({ screen }) : navigate({ screen }));

/** Which workspace is shown. */
export function WorkspaceMenu() {
  const menu = useMenu();
  const current = workspace.value;
  const choose = async (id: string) => {
    const result = await chooseWorkspace(id);
    if (!result.ok) showFailure('The workspace was not switched', result.failure);
    // The key or member that is open is one of the workspace before.
    else if (surface.value === 'workspace' && route.peek().id !== undefined) navigate({ screen: 'keys' });
  };
  return (
    <>
      <button
        type="button"
        class="ws"
        ref={menu.opener}
        aria-haspopup="menu"
        aria-expanded={menu.open}
        aria-label={`Workspace: ${current?.name ?? ''}. Switch workspace`}
        onClick={menu.toggle}
      >
        <Avatar name={current?.name ?? ''} square ink />
        <span class="truncate" title={current?.name}>
          {current?.name}
        </span>
        <Icon name="updown" />
      </button>
      {menu.show({
        label: 'Workspaces',
        width: 304,
        children: (
          <>
            <div class="menu__label" role="presentation">
              {serverHost.value}
            </div>
            {memberships.value.map((membership) => {
              const chosen = membership.workspaceId === current?.id;
              return (
                <MenuItem
                  key={membership.id}
                  mark={<Avatar name={membership.workspaceName} square ink={chosen} />}
                  checked={chosen}
                  onSelect={menu.choose(() => void (chosen || choose(membership.workspaceId)))}
                >
                  {membership.workspaceName}
                  <small>
                    {ROLE_WORDS[membership.role]}
                    {chosen && current && ` · ${current.keysUsed} of ${current.keyLimit} keys`}
                    {membership.status === 'suspended' && ' · suspended'}
                  </small>
                </MenuItem>
              );
            })}
            {surface.value === 'popup' && (
              <>
                <hr />
                <MenuItem icon="expand" kbd="o" onSelect={menu.choose(() => void openWorkspace(route.peek()))}>
                  Open workspace page
                </MenuItem>
              </>
            )}
          </>
        ),
      })}
    </>
  );
}

const THEMES = [
  ['auto', 'Auto'],
  ['light', 'Light'],
  ['dark', 'Dark'],
] as const;

function ThemeChoice() {
  return (
    <fieldset class="menu__item menu__item--still" aria-label="Theme">
      <Icon name="eye" />
      <span class="grow" aria-hidden="true">
        Theme
      </span>
      <div class="seg seg--sm" role="presentation">
        {THEMES.map(([value, words]) => (
          <button
            key={value}
            type="button"
            role="menuitemradio"
            aria-checked={preferences.value.theme === value}
            tabIndex={-1}
            onClick={() => void setPreferences({ theme: value })}
          >
            {words}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

/** The person: reminders, theme, sessions, and the way out. */
export function AccountMenu({ opener }: { opener?: ComponentChildren }) {
  const menu = useMenu();
  const [leaving, setLeaving] = useState(false);
  const user = me.value?.user;
  const { reminders } = preferences.value;
  return (
    <>
      <button
        type="button"
        class={opener ? 'ws side__person' : 'btn btn--ghost btn--icon'}
        ref={menu.opener}
        aria-haspopup="menu"
        aria-expanded={menu.open}
        aria-label={`Account: ${user?.name ?? ''}`}
        title="Account"
        onClick={menu.toggle}
      >
        {opener ?? <Avatar name={user?.name ?? ''} />}
      </button>
      {leaving && <DisconnectDialog onClose={() => setLeaving(false)} />}
      {menu.show({
        label: 'Account',
        align: 'end',
        width: 264,
        children: (
          <>
            <div class="row menu__person" role="presentation">
              <Avatar name={user?.name ?? ''} large />
              <div class="grow">
                <b class="semi truncate" title={user?.name}>
                  {user?.name}
                </b>
                <p class="small subtle truncate" title={user?.email}>
                  {user?.email}
                </p>
              </div>
            </div>
            <hr />
            <MenuItem
              icon="bell"
              end={<span class="small subtle">{reminders ? 'On' : 'Off'}</span>}
              onSelect={() => void setPreferences({ reminders: !reminders })}
            >
              Reminders before expiry
            </MenuItem>
            <ThemeChoice />
            <MenuItem icon="keyboard" kbd="?" onSelect={menu.choose(openShortcuts)}>
              Keyboard shortcuts
            </MenuItem>
            <MenuItem
              icon="globe"
              end={surface.value === 'popup' && <Icon name="external" />}
              onSelect={menu.choose(() => goTo('account'))}
            >
              Browsers and terminals
            </MenuItem>
            <hr />
            <MenuItem icon="logout" onSelect={menu.choose(() => setLeaving(true))}>
              Disconnect this browser
            </MenuItem>
          </>
        ),
      })}
    </>
  );
}

function DisconnectDialog({ onClose }: { onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const act = async () => {
    setBusy(true);
    const result = await disconnect();
    setBusy(false);
    if (!result.ok) showFailure('Not disconnected', result.failure);
    onClose();
  };
  return (
    <Dialog
      title="Disconnect this browser?"
      shape="sheet"
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="danger" busy={busy && 'Disconnecting'} onClick={() => void act()}>
            Disconnect
          </Button>
        </>
      }
    >
      <p>
        This ends your session on {serverHost.value} and forgets the list of keys here. Your keys keep working. A secret
        that you have not stored yet is lost.
      </p>
    </Dialog>
  );
}
