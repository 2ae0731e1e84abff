import { useRef, useState } from 'preact/hooks';
import type { FieldError } from '../../shared/contract/errors.ts';
import { email as emailField, type Role } from '../../shared/contract/fields.ts';
import type { Failure } from '../messages/failure.ts';
import type { TeamInvitation } from '../messages/published.ts';
import { now } from '../state/clock.ts';
import { EMPTY_INVITE, inviteDraft } from '../state/drafts.ts';
import { copy } from '../state/secret.ts';
import { invite, withdrawInvitation } from '../state/team.ts';
import { showToast } from '../state/toasts.ts';
import { offline, role, workspace } from '../state/workspace.ts';
import { Button, LinkButton } from '../ui/button.tsx';
import { FailureNote } from '../ui/failure-note.tsx';
import { Select } from '../ui/field.tsx';
import { errorsOf, focusFirstInvalid, sentence } from '../ui/field-errors.ts';
import { day, fullDay, timeLeft } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Callout } from '../ui/notice.tsx';
import { When } from '../ui/when.tsx';
import { fieldErrors } from './key-form-model.ts';
import { ROLE_WORDS } from './menus.tsx';

/** An admin can't make owners. */
const givenRoles = (): Role[] => (role.value === 'owner' ? ['member', 'admin', 'owner'] : ['member', 'admin']);

/** The link can be copied as long as this browser runs. */
export async function copyInvitationLink(invitation: TeamInvitation): Promise<boolean> {
  const done = invitation.link !== null && (await copy(invitation.link));
  showToast(done ? 'Invitation link copied' : 'Not copied. Press Copy link.', done ? 'ok' : 'bad');
  return done;
}

function useInvite() {
  const form = useRef<HTMLFormElement>(null);
  const [errors, setErrors] = useState<readonly FieldError[]>([]);
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState<'invite' | 'link'>();
  const [made, setMade] = useState<TeamInvitation>();
  const refuse = (wrong: readonly FieldError[]) => {
    setErrors(wrong);
    focusFirstInvalid(form.current);
  };
  const send = async (way: 'invite' | 'link') => {
    if (busy || offline.value) return;
    setFailure(undefined);
    const { email, role: given } = inviteDraft.value;
    const parsed = emailField.safeParse(email);
    if (!parsed.success) {
      return refuse(
        email.trim() === ''
          ? [{ path: 'email', message: 'type an e-mail address' }]
          : fieldErrors(parsed.error.issues.map((issue) => ({ ...issue, path: ['email'] }))),
      );
    }
    setBusy(way);
    const result = await invite(parsed.data, given);
    setBusy(undefined);
    if (!result.ok) {
      refuse(result.failure.errors ?? []);
      if (!result.failure.errors) setFailure(result.failure);
      return;
    }
    inviteDraft.value = EMPTY_INVITE;
    setErrors([]);
    setMade(result.value);
    if (way === 'link') await copyInvitationLink(result.value);
  };
  const change = (part: Partial<typeof inviteDraft.value>) => {
    inviteDraft.value = { ...inviteDraft.value, ...part };
    setErrors([]);
  };
  return { form, errors, failure, busy, made, send, change, done: () => setMade(undefined) };
}

/** The link of an invitation that was just made: the only time that the server shows it. */
function MadeNote({ of: invitation, onClose }: { of: TeamInvitation; onClose: () => void }) {
  return (
    <Callout tone="ok" icon="ok" live>
      <p>
        <b>{invitation.email} is invited.</b> Send them this link. It works once, and only for that address.
      </p>
      {invitation.link && (
        <div class="row made">
          <input
            class="input input--mono"
            readOnly
            value={invitation.link}
            aria-label="Invitation link"
            onFocus={(e) => e.currentTarget.select()}
          />
          <Button size="sm" icon="copy" onClick={() => void copyInvitationLink(invitation)}>
            Copy link
          </Button>
        </div>
      )}
      <LinkButton class="small" onClick={onClose}>
        Done
      </LinkButton>
    </Callout>
  );
}

export function InviteForm() {
  const { form, errors, failure, busy, made, send, change, done } = useInvite();
  const draft = inviteDraft.value;
  const wrong = errorsOf(errors, 'email');
  const off = offline.value && 'Needs the server';
  const submit = (event: Event) => {
    event.preventDefault();
    void send('invite');
  };
  return (
    <form class="section stack" style="--gap:8px" novalidate ref={form} onSubmit={submit}>
      <label class="field__label" for="invite-email">
        Invite to {workspace.value?.name}
      </label>
      <div class="row">
        <div class="input-wrap grow">
          <Icon name="mail" />
          <input
            class="input"
            id="invite-email"
            name="email"
            type="email"
            autocomplete="off"
            placeholder="name@company.com"
            value={draft.email}
            aria-invalid={wrong.length > 0 || undefined}
            aria-describedby={wrong.length > 0 ? 'invite-error' : undefined}
            onInput={(event) => change({ email: event.currentTarget.value })}
          />
        </div>
        <div class="invite__role">
          <Select
            label="Role"
            bare
            value={draft.role}
            options={givenRoles().map((value) => ({ value, label: ROLE_WORDS[value] }))}
            onChange={(value) => change({ role: value })}
          />
        </div>
        <Button type="submit" variant="primary" busy={busy === 'invite' && 'Inviting'} unavailable={off}>
          Invite
        </Button>
      </div>
      {wrong.length > 0 && (
        <p class="field__error" id="invite-error">
          <Icon name="alert" />
          <span>{wrong[0]}</span>
        </p>
      )}
      {failure && <FailureNote what={sentence(failure.title)} failure={failure} />}
      {made ? (
        <MadeNote of={made} onClose={done} />
      ) : (
        <div class="row row--between small">
          <span class="muted truncate">Or share a link that works once</span>
          <LinkButton icon="link" onClick={() => void send('link')}>
            {busy === 'link' ? 'Making the link…' : 'Copy invite link'}
          </LinkButton>
        </div>
      )}
    </form>
  );
}

export function InvitationRow({ of: invitation }: { of: TeamInvitation }) {
  return (
    <li class="item person">
      <span class="avatar avatar--lg person__invited">
        <Icon name="mail" class="icon--sm" />
      </span>
      <div class="grow">
        <b class="semi truncate" title={invitation.email}>
          {invitation.email}
        </b>
        <small class="truncate" title={`Sent ${fullDay(invitation.createdAt)} by ${invitation.invitedBy.name}`}>
          {ROLE_WORDS[invitation.role]} · sent <When at={invitation.createdAt} words={day} /> ·{' '}
          {timeLeft(invitation.expiresAt, now.value)}
        </small>
      </div>
      {invitation.link && (
        <Button variant="ghost" size="sm" icon="link" onClick={() => void copyInvitationLink(invitation)}>
          Copy link
        </Button>
      )}
      <Button
        variant="ghost"
        size="sm"
        icon="x"
        label={`Withdraw invitation for ${invitation.email}`}
        unavailable={offline.value && 'Needs the server'}
        onClick={() => void withdrawInvitation(invitation)}
      />
    </li>
  );
}
