import { useEffect, useState } from 'preact/hooks';
import { isUnsure } from '../../shared/client/client.ts';
import type { Member, RemovalPreview } from '../../shared/contract/members.ts';
import type { Failure } from '../messages/failure.ts';
import { connectedOf } from '../state/agents.ts';
import { back, backFrom } from '../state/route.ts';
import { surface } from '../state/surface.ts';
import { forgetRemoved, keepRemoved, previewRemoval, refreshTeam, removeMember } from '../state/team.ts';
import { showToast } from '../state/toasts.ts';
import { me, refresh } from '../state/workspace.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { FailureNote } from '../ui/failure-note.tsx';
import { TextField } from '../ui/field.tsx';
import { count } from '../ui/format.ts';
import { Avatar } from '../ui/marks.tsx';
import { Breaks, CopyReport, Keeps, Revoked } from './removal-parts.tsx';
import { brokenKeys } from './removal-words.ts';

type Leaving = Pick<Member, 'id' | 'name' | 'email'>;

/** What the answer says when nothing has changed since the preview, and else the removal is refused. */
const expected = ({ keys, sessions, agents, knownSecrets }: RemovalPreview) => ({
  revokedKeys: keys.length,
  endedSessions: sessions,
  unaffectedAgents: agents.length,
  knownSecrets,
});

function useRemoval(member: Leaving, onDone: () => void) {
  const [preview, setPreview] = useState<RemovalPreview>();
  const [failure, setFailure] = useState<Failure>();
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [connected, setConnected] = useState<ReadonlySet<string>>(new Set());
  const look = () =>
    void Promise.all([previewRemoval(member.id), connectedOf(member.id)]).then(([result, running]) => {
      setConnected(running);
      if (result.ok) setPreview(result.value);
      else setFailure(result.failure);
    });
  // The sheet has its member for a key, so there is one to look at.
  useEffect(look, []);
  const own = member.id === me.value?.membership.id;
  const matches = typed.trim().toLowerCase() === member.email.toLowerCase();
  const remove = async () => {
    if (!preview || !matches || busy) return;
    setBusy(true);
    // Who has left reads no more of this workspace.
    const leavesWork = !own && brokenKeys(preview).length + preview.knownSecrets.length > 0;
    const kept = { preview, connected: [...connected] };
    if (leavesWork) keepRemoved({ ...kept, removal: expected(preview) });
    const result = await removeMember(member.id, preview.version);
    setBusy(false);
    if (!result.ok) {
      setFailure(result.failure);
      // It may have been done all the same: the list says.
      if (isUnsure(result.failure)) void refreshTeam();
      else if (leavesWork) forgetRemoved();
      // What was shown no longer holds: the person decides anew, on what is true now.
      if (result.failure.code === 'precondition_failed') {
        setTyped('');
        look();
      }
      return;
    }
    // With work left to do, it is told in a sheet that stays.
    if (leavesWork) keepRemoved({ ...kept, removal: result.value });
    else
      showToast(
        `${own ? 'You have left' : `${member.name} removed`}. ${count(result.value.revokedKeys, 'key')} revoked.`,
      );
    onDone();
    void Promise.all([refreshTeam(), refresh()]);
  };
  return { own, preview, connected, failure, typed, setTyped, busy, matches, remove };
}

/**
 * What removing a member would change, read from the server first; then the e-mail address typed, then the act.
 * @param props.onClose given where the sheet is no screen of its own, from which there is a way back
 */
export function RemoveSheet({ of: member, onClose }: { of: Leaving; onClose?: () => void }) {
  const close = onClose ?? back;
  const removal = useRemoval(member, onClose ?? (() => backFrom({ screen: 'remove', id: member.id })));
  const { own, preview, connected, failure, typed, setTyped, busy, matches, remove } = removal;
  const keys = preview?.keys.length ?? 0;
  const act = `${own ? 'Leave' : 'Remove'}${keys > 0 ? ` and revoke ${count(keys, 'key')}` : ''}`;
  return (
    <Dialog
      shape="sheet"
      full
      alert
      footStack
      mark={<Avatar name={member.name} large />}
      title={own ? 'Leave this workspace?' : `Remove ${member.name}?`}
      subtitle={`${member.email} · here is what that changes`}
      onClose={close}
      onSubmit={() => void remove()}
      foot={
        <>
          <TextField
            label={
              <>
                Type <b>{member.email}</b> to confirm
              </>
            }
            placeholder={member.email}
            value={typed}
            autoFocus
            onInput={setTyped}
          />
          <div class="row removal__acts">
            {preview && surface.value === 'workspace' && <CopyReport of={preview} connected={connected} />}
            <Button onClick={close}>Cancel</Button>
            <Button
              variant="danger"
              busy={busy && (own ? 'Leaving' : 'Removing')}
              unavailable={preview ? !matches && 'Type the e-mail address first' : 'The preview has not come yet'}
              onClick={() => void remove()}
            >
              {act}
            </Button>
          </div>
        </>
      }
    >
      <div class="stack removal">
        {failure && (
          <FailureNote
            what={preview ? (own ? 'You have not left' : 'Not removed') : 'The preview can’t be shown'}
            failure={failure}
          />
        )}
        {preview ? (
          <>
            <Revoked keys={preview.keys} />
            <Breaks preview={preview} />
            <Keeps preview={preview} connected={connected} />
          </>
        ) : (
          !failure && (
            <p class="row small muted" role="status">
              <span class="spinner" />
              Looking at what would change…
            </p>
          )
        )}
      </div>
    </Dialog>
  );
}
