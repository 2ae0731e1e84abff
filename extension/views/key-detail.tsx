import { useEffect, useState } from 'preact/hooks';
import type { Key } from '../../shared/contract/keys.ts';
import { EMPTY_NEW_KEY, newKeyDraft } from '../state/drafts.ts';
import { deselectKey, disableKey, enableKey, findKey, selectedKey, selectKey, usageOf } from '../state/keys.ts';
import { backFrom, navigate, openWorkspace } from '../state/route.ts';
import { copy } from '../state/secret.ts';
import { surface } from '../state/surface.ts';
import { showToast } from '../state/toasts.ts';
import { isAdmin, offline } from '../state/workspace.ts';
import { Button } from '../ui/button.tsx';
import { FailureNote } from '../ui/failure-note.tsx';
import { moment } from '../ui/format.ts';
import { isDead, reasonWords } from '../ui/key-words.ts';
import { Env, Prefix, Status } from '../ui/marks.tsx';
import { MenuItem, useMenu } from '../ui/menu.tsx';
import { Callout, SkeletonRows } from '../ui/notice.tsx';
import { PopupPage, TitleBar } from '../ui/page.tsx';
import { useShortcuts } from '../ui/shortcuts.ts';
import { When } from '../ui/when.tsx';
import { HandOff } from './hand-off.tsx';
import { KeyFacts, LastUse, UsageSection } from './key-facts.tsx';
import { fieldsOf } from './key-form-model.ts';
import { LatestRequests } from './key-requests.tsx';
import { copyPrefix, keyActs } from './key-shortcuts.tsx';
import { isMine, whyNoNewKey } from './keys-states.tsx';
import { RevokeSheet } from './revoke-sheet.tsx';

async function copyText(text: string, what: string): Promise<void> {
  const done = await copy(text);
  showToast(done ? `${what} copied` : 'Not copied', done ? 'ok' : 'bad');
}

/** The log of the workspace is for admins. */
const openLog = (keyId: string) =>
  surface.value === 'popup' ? void openWorkspace({ screen: 'log', id: keyId }) : navigate({ screen: 'log', id: keyId });

function MoreMenu({ of: key }: { of: Key }) {
  const menu = useMenu();
  return (
    <>
      <Button
        variant="ghost"
        icon="more"
        label="More"
        popup="menu"
        expanded={menu.open}
        buttonRef={menu.opener}
        onClick={menu.toggle}
      />
      {menu.show({
        label: key.name,
        align: 'end',
        children: (
          <>
            <MenuItem icon="copy" kbd="c" onSelect={menu.choose(() => void copyPrefix(key))}>
              Copy prefix
            </MenuItem>
            <MenuItem icon="hash" onSelect={menu.choose(() => void copyText(key.id, 'Key id'))}>
              Copy key id
            </MenuItem>
            {surface.value === 'popup' && (
              <MenuItem icon="expand" onSelect={menu.choose(() => void openWorkspace({ screen: 'key', id: key.id }))}>
                Open in the workspace
              </MenuItem>
            )}
          </>
        ),
      })}
    </>
  );
}

function Tools({ of: key }: { of: Key }) {
  return (
    <>
      {isAdmin.value && (
        <Button variant="ghost" icon="list" label="Requests in the log" onClick={() => openLog(key.id)} />
      )}
      <MoreMenu of={key} />
    </>
  );
}

/** The four acts, as far as the reader may do them; an admin can't rotate or edit someone else's key. */
function Acts({ of: key }: { of: Key }) {
  const mine = isMine(key);
  const off = offline.value && 'Needs the server';
  const notMine = !mine && `Only ${key.createdBy.name} can do this`;
  const disabled = key.status === 'disabled';
  return (
    <div class="actions4">
      <Button icon="rotate" unavailable={off || notMine} onClick={() => navigate({ screen: 'rotate', id: key.id })}>
        Rotate
      </Button>
      <Button
        icon={disabled ? 'play' : 'pause'}
        unavailable={off}
        onClick={() => void (disabled ? enableKey(key.id) : disableKey(key.id))}
      >
        {disabled ? 'Enable' : 'Disable'}
      </Button>
      <Button icon="pencil" unavailable={off || notMine} onClick={() => navigate({ screen: 'edit', id: key.id })}>
        Edit
      </Button>
      <Button
        icon="trash"
        variant="danger-quiet"
        unavailable={off}
        onClick={() => navigate({ screen: 'revoke', id: key.id })}
      >
        Revoke
      </Button>
    </div>
  );
}

/** Of a key that no longer works: why, since when, and the way to another one like it. */
function Ended({ of: key }: { of: Key }) {
  const again = () => {
    newKeyDraft.value = { ...EMPTY_NEW_KEY, ...fieldsOf(key), environment: key.environment };
    navigate({ screen: 'new' });
  };
  const revoked = key.status === 'revoked';
  const at = revoked ? key.revokedAt : key.expiresAt;
  const reason = key.revokedReason && reasonWords(key.revokedReason, isMine(key));
  return (
    <>
      <Callout tone={revoked ? 'bad' : 'plain'} icon={revoked ? 'x-circle' : 'hourglass'}>
        <p>
          <b>
            {revoked ? 'Revoked' : 'Expired'}
            {at && (
              <>
                {' '}
                <When at={at} words={moment} />
              </>
            )}
            {revoked && reason && ` · ${reason}`}.
          </b>{' '}
          {revoked ? 'It can’t be re-activated.' : 'Its secret is refused.'}
        </p>
      </Callout>
      {isMine(key) && (
        <div class="ended__again">
          <Button icon="plus" block unavailable={whyNoNewKey()} onClick={again}>
            New key with the same settings
          </Button>
        </div>
      )}
    </>
  );
}

function Head({ of: key }: { of: Key }) {
  return (
    <div class="section">
      <div class="row row--between head-line">
        <div class="row" style="gap:10px">
          <Status of={key} mine={isMine(key)} note="" />
          <span class="subtle">·</span>
          <Env of={key.environment} />
        </div>
        <Prefix of={key.prefix} />
      </div>
      {isDead(key.status) ? <Ended of={key} /> : <Acts of={key} />}
    </div>
  );
}

function Body({ of: key }: { of: Key }) {
  const detail = selectedKey.value;
  const current = detail?.keyId === key.id ? detail : undefined;
  const usage = current?.usage ?? usageOf(key.id);
  return (
    <>
      {key.rotation && !isDead(key.status) && <HandOff of={key} />}
      <Head of={key} />
      {usage && usage.length > 0 && <UsageSection days={usage} />}
      <LastUse of={key} latest={current?.requests?.[0]} />
      {current?.requests && current.requests.length > 1 && <LatestRequests rows={current.requests} />}
      <KeyFacts of={key} />
    </>
  );
}

function Missing() {
  const detail = selectedKey.value;
  if (!detail || detail.loading) return <SkeletonRows rows={2} />;
  return (
    <div class="popup__pad">
      {detail.failure && <FailureNote what="This key can’t be shown" failure={detail.failure} />}
    </div>
  );
}

/** Everything about one key but its secret. */
export function KeyDetail({ id, revoking = false }: { id: string; revoking?: boolean }) {
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    void selectKey(id);
    setAsked(true);
    return deselectKey;
  }, [id]);
  const key = findKey(id) ?? (asked && selectedKey.value?.keyId === id ? selectedKey.value.key : null);
  // Revoked while the popup was closed, or elsewhere: nothing is left to be asked.
  const done = revoking && key ? isDead(key.status) : false;
  useEffect(() => {
    if (done) backFrom({ screen: 'revoke', id });
  }, [done, id]);
  useShortcuts(keyActs(key ?? undefined));
  return (
    <PopupPage
      scrollName={`key ${id}`}
      top={<TitleBar title={key?.name ?? 'Key'} end={key && <Tools of={key} />} />}
      over={revoking && key && !isDead(key.status) && <RevokeSheet of={key} />}
    >
      {key ? <Body of={key} /> : <Missing />}
    </PopupPage>
  );
}
