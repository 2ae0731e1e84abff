import { useState } from 'preact/hooks';
import type { Role } from '../../../shared/contract/fields.ts';
import type { Member } from '../../../shared/contract/members.ts';
import type { Failure } from '../../messages/failure.ts';
import type { AnswerOf } from '../../messages/protocol.ts';
import { createResetLink } from '../../state/admin.ts';
import { copy } from '../../state/secret.ts';
import { reinstateMember, setRole, suspendMember } from '../../state/team.ts';
import { showToast } from '../../state/toasts.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNote } from '../../ui/failure-note.tsx';
import { Avatar } from '../../ui/marks.tsx';
import { ROLE_WORDS } from '../menus.tsx';

export type Change = { member: Member; role: Role } | { member: Member; suspend: boolean };

/** A role change or a suspension is asked for once more: both change what somebody can do from that moment. */
export function ChangeDialog({ of: change, onClose }: { of: Change; onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const { member } = change;
  const words = wordsOf(change);
  const act = async () => {
    setBusy(true);
    const result =
      'role' in change
        ? await setRole(member.id, change.role)
        : await (change.suspend ? suspendMember(member.id) : reinstateMember(member.id));
    setBusy(false);
    if (!result.ok) return setFailure(result.failure);
    showToast(words.done);
    onClose();
  };
  return (
    <Dialog
      title={words.title}
      mark={<Avatar name={member.name} large />}
      subtitle={member.email}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant={words.danger ? 'danger' : 'primary'} busy={busy && 'Changing'} onClick={() => void act()}>
            {words.act}
          </Button>
        </>
      }
    >
      <div class="stack" style="--gap:12px">
        {failure && <FailureNote what="Nothing was changed" failure={failure} />}
        <p class="muted">{words.effect}</p>
      </div>
    </Dialog>
  );
}

function wordsOf(change: Change) {
  const { name } = change.member;
  if ('role' in change) {
    const to = ROLE_WORDS[change.role];
    const effects: Record<Role, string> = {
      owner: 'Owners can do everything, also change roles of owners, the name and the policies of the workspace.',
      admin: 'Admins invite and remove people, see every key (never a secret) and can disable or revoke it.',
      member: 'Members see and manage their own keys only.',
    };
    return {
      title: `Make ${name} ${to}?`,
      act: `Make ${to}`,
      done: `${name} is ${to} now`,
      effect: effects[change.role],
      danger: false,
    };
  }
  return change.suspend
    ? {
        title: `Suspend ${name}?`,
        act: 'Suspend',
        done: `${name} suspended`,
        effect:
          'Until you reinstate them, their keys and sessions here are refused. Nothing is deleted. Agents keep running.',
        danger: true,
      }
    : {
        title: `Reinstate ${name}?`,
        act: 'Reinstate',
        done: `${name} reinstated`,
        effect: 'Their keys work again at once.',
        danger: false,
      };
}

type Made = AnswerOf<'team.resetLink'>;

/** A link with which a member sets a new password, for those who can’t sign in any more. It is mailed to them alone where mail is sent. */
export function ResetDialog({ of: member, onClose }: { of: Member; onClose: () => void }) {
  const [made, setMade] = useState<Made>();
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState(false);
  const make = async () => {
    setBusy(true);
    const result = await createResetLink(member.id);
    setBusy(false);
    if (result.ok) setMade(result.value);
    else setFailure(result.failure);
  };
  return (
    <Dialog
      title={`Reset the password of ${member.name}?`}
      mark={<Avatar name={member.name} large />}
      subtitle={member.email}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{made ? 'Done' : 'Cancel'}</Button>
          {!made && (
            <Button variant="primary" busy={busy && 'Making'} onClick={() => void make()}>
              Make a link
            </Button>
          )}
        </>
      }
    >
      <div class="stack" style="--gap:12px">
        {failure && <FailureNote what="No link was made" failure={failure} />}
        <p class="muted" role="status">
          {made ? whereItIs(made, member) : BEFORE}
        </p>
        {made && 'link' in made && <MadeLink link={made.link} />}
      </div>
    </Dialog>
  );
}

const BEFORE =
  'They set a new password with a link. It is mailed to them; where the server sends no mail, you get it to hand over. Until they use it, nothing changes.';

function whereItIs(made: Made, { email }: Member): string {
  return 'link' in made
    ? 'Give it to them on a way that only they read. It works once, for one hour.'
    : `A link is on its way to ${email}. It works once, for one hour.`;
}

function MadeLink({ link }: { link: string }) {
  const copyLink = async () => {
    const done = await copy(link);
    showToast(done ? 'Reset link copied' : 'Not copied', done ? 'ok' : 'bad');
  };
  return (
    <div class="row made">
      <input class="input input--mono" readOnly value={link} aria-label="Reset link" />
      <Button size="sm" icon="copy" onClick={() => void copyLink()}>
        Copy link
      </Button>
    </div>
  );
}
