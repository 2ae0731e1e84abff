import { useRef, useState } from 'preact/hooks';
import type { FieldError } from '../../shared/contract/errors.ts';
import { email as emailField, type Role } from '../../shared/contract/fields.ts';
import type { Failure } from '../messages/failure.ts';
import { type Invited, MOST_INVITED } from '../messages/protocol.ts';
import type { SentInvitation, TeamInvitation } from '../messages/published.ts';
import { now } from '../state/clock.ts';
import { EMPTY_INVITE, inviteDraft } from '../state/drafts.ts';
import { copy } from '../state/secret.ts';
import { surface } from '../state/surface.ts';
import { invite, inviteAgain, withdrawInvitation } from '../state/team.ts';
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
import { ROLE_WORDS } from './menus.tsx';

/** An admin can't make owners. */
const givenRoles = (): Role[] => (role.value === 'owner' ? ['member', 'admin', 'owner'] : ['member', 'admin']);

/** The link can be copied as long as this browser runs. */
async function copyInvitationLink(invitation: TeamInvitation): Promise<boolean> {
  const done = invitation.link !== null && (await copy(invitation.link));
  showToast(done ? 'Invitation link copied' : 'Not copied. Press Copy link.', done ? 'ok' : 'bad');
  return done;
}

const SEPARATORS = /[\s,;]+/;

/** The addresses in what was typed, each once, or what is wrong with the first that is none. */
export function readAddresses(typed: string): { emails: string[] } | { wrong: FieldError } {
  const parts = [...new Set(typed.split(SEPARATORS).filter(Boolean))];
  const wrong = (message: string) => ({ wrong: { path: 'email', message } });
  if (parts.length === 0) return wrong('type an e-mail address');
  if (parts.length > MOST_INVITED) return wrong(`at most ${MOST_INVITED} at once, and these are ${parts.length}`);
  const emails: string[] = [];
  for (const part of parts) {
    const parsed = emailField.safeParse(part);
    if (!parsed.success) return wrong(`“${part}” isn’t an e-mail address`);
    if (!emails.includes(parsed.data)) emails.push(parsed.data);
  }
  return { emails };
}

/** What came of it: those who were not invited stay in the field. */
function useOutcome() {
  const [errors, setErrors] = useState<readonly FieldError[]>([]);
  const [failure, setFailure] = useState<Failure>();
  const [made, setMade] = useState<readonly SentInvitation[]>([]);
  const take = ({ sent, refused }: Invited, emails: readonly string[]) => {
    const done = new Set(sent.map(({ email }) => email));
    const left = emails.filter((email) => !done.has(email));
    inviteDraft.value = left.length > 0 ? { ...inviteDraft.value, email: left.join(', ') } : EMPTY_INVITE;
    setMade(sent);
    const about = refused.filter(({ failure: { code } }) => code === 'conflict' || code === 'bad_request');
    setErrors(
      about.map(({ failure: { detail, title } }) => ({ path: 'email', message: `not invited: ${detail ?? title}` })),
    );
    setFailure(refused.find((one) => !about.includes(one))?.failure);
    return left.length > 0;
  };
  return { errors, setErrors, failure, setFailure, made, setMade, take };
}

function useInvite() {
  const form = useRef<HTMLFormElement>(null);
  const { errors, setErrors, failure, setFailure, made, setMade, take } = useOutcome();
  const [busy, setBusy] = useState<'invite' | 'link'>();
  const send = async (way: 'invite' | 'link') => {
    if (busy || offline.value) return;
    setFailure(undefined);
    const read = readAddresses(inviteDraft.value.email);
    if ('wrong' in read) {
      setErrors([read.wrong]);
      return focusFirstInvalid(form.current);
    }
    setBusy(way);
    const result = await invite(read.emails, inviteDraft.value.role);
    setBusy(undefined);
    if (!result.ok) return setFailure(result.failure);
    if (take(result.value, read.emails)) focusFirstInvalid(form.current);
    if (way === 'link' && result.value.sent.length > 0) await copyLinks(result.value.sent);
  };
  const change = (part: Partial<typeof inviteDraft.value>) => {
    inviteDraft.value = { ...inviteDraft.value, ...part };
    setErrors([]);
  };
  return { form, errors, failure, busy, made, send, change, done: () => setMade([]) };
}

/** One link alone; several with the address that each is for. */
async function copyLinks(made: readonly SentInvitation[]): Promise<void> {
  const [first] = made;
  if (first && made.length === 1) return void (await copyInvitationLink(first));
  const done = await copy(made.map(({ email, link }) => `${email} ${link ?? ''}`).join('\n'));
  showToast(done ? `${made.length} invitation links copied` : 'Not copied', done ? 'ok' : 'bad');
}

function MadeLink({ of: invitation, named }: { of: SentInvitation; named: boolean }) {
  if (!invitation.link) return null;
  return (
    <div class="row made">
      {named && (
        <span class="small truncate made__who" title={invitation.email}>
          {invitation.email}
        </span>
      )}
      <input
        class="input input--mono"
        readOnly
        value={invitation.link}
        aria-label={named ? `Invitation link for ${invitation.email}` : 'Invitation link'}
        onFocus={(e) => e.currentTarget.select()}
      />
      <Button size="sm" icon="copy" onClick={() => void copyInvitationLink(invitation)}>
        Copy link{named && <span class="sr"> for {invitation.email}</span>}
      </Button>
    </div>
  );
}

/** The links of invitations that were just made: the only time that the server shows them. */
function MadeNote({ of: made, onClose }: { of: readonly SentInvitation[]; onClose: () => void }) {
  const [first] = made;
  const one = made.length === 1;
  const mailed = made.every((invitation) => invitation.mailed);
  return (
    <Callout tone="ok" icon="ok" live>
      <p>
        <b>{one ? `${first?.email} is invited.` : `${made.length} people are invited.`}</b>{' '}
        {mailed
          ? `The ${one ? 'invitation was' : 'invitations were'} mailed. The ${one ? 'link works' : 'links work'} once, too.`
          : one
            ? 'Send them this link. It works once, and only for that address.'
            : 'Send each their link. It works once, and only for that address.'}
      </p>
      {made.map((invitation) => (
        <MadeLink key={invitation.id} of={invitation} named={!one} />
      ))}
      <div class="row">
        {!one && (
          <LinkButton class="small" onClick={() => void copyLinks(made)}>
            Copy all links
          </LinkButton>
        )}
        <LinkButton class="small" onClick={onClose}>
          Done
        </LinkButton>
      </div>
    </Callout>
  );
}

const FULL =
  'They create their own keys after accepting. Nothing changes on existing systems. Links work once and last 7 days.';

function Below({ busy, onLink }: { busy: boolean; onLink: () => void }) {
  const full = surface.value === 'workspace';
  return (
    <div class="row row--between small">
      <span class={full ? 'muted' : 'muted truncate'}>{full ? FULL : 'Or share a link, valid 7 days, one use'}</span>
      <LinkButton icon="link" onClick={onLink}>
        {busy ? 'Making the link…' : 'Copy invite link'}
      </LinkButton>
    </div>
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
            inputmode="email"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            placeholder={surface.value === 'workspace' ? 'name@company.com, name@company.com' : 'name@company.com'}
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
          <span>{wrong.join(' ')}</span>
        </p>
      )}
      {failure && <FailureNote what={sentence(failure.title)} failure={failure} />}
      {made.length > 0 ? (
        <MadeNote of={made} onClose={done} />
      ) : (
        <Below busy={busy === 'link'} onLink={() => void send('link')} />
      )}
    </form>
  );
}

/** Says what became of an invitation that was sent anew; without mail, its link goes to the clipboard. */
async function sendAgain(invitation: TeamInvitation): Promise<void> {
  const fresh = await inviteAgain(invitation);
  if (!fresh) return;
  if (fresh.mailed) return showToast(`Mailed to ${fresh.email} again. The earlier link no longer works.`);
  const done = fresh.link !== null && (await copy(fresh.link));
  showToast(
    done
      ? `New link for ${fresh.email} copied. The earlier one no longer works.`
      : `${fresh.email} has a new link. Press Copy link.`,
    done ? 'ok' : 'info',
  );
}

/** The link of an invitation that was not mailed, to be handed over. */
export function CopyLink({ of: invitation }: { of: TeamInvitation }) {
  return (
    <Button variant="ghost" size="sm" icon="link" onClick={() => void copyInvitationLink(invitation)}>
      Copy link
    </Button>
  );
}

export function SendAgain({ of: invitation }: { of: TeamInvitation }) {
  return (
    <Button
      variant="ghost"
      size="sm"
      unavailable={offline.value && 'Needs the server'}
      onClick={() => void sendAgain(invitation)}
    >
      Send again<span class="sr"> to {invitation.email}</span>
    </Button>
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
          {ROLE_WORDS[invitation.role]} · {timeLeft(invitation.expiresAt, now.value)} · sent{' '}
          <When at={invitation.createdAt} words={day} />
        </small>
      </div>
      {invitation.link ? <CopyLink of={invitation} /> : <SendAgain of={invitation} />}
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
