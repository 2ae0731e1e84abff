import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Member, RemovalPreview } from '../../shared/contract/members.ts';
import type { Failure } from '../messages/failure.ts';
import { connectedOf } from '../state/agents.ts';
import { now } from '../state/clock.ts';
import { back } from '../state/route.ts';
import { copy } from '../state/secret.ts';
import { previewRemoval, refreshTeam, removeMember } from '../state/team.ts';
import { showToast } from '../state/toasts.ts';
import { me, refresh } from '../state/workspace.ts';
import { Button, LinkButton } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { FailureNote } from '../ui/failure-note.tsx';
import { TextField } from '../ui/field.tsx';
import { ago, count } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Avatar, Env, Prefix } from '../ui/marks.tsx';
import { keepWords } from './agent-words.ts';
import { AgentNames } from './agents-keep.tsx';
import { brokenKeys, removalList } from './removal-words.ts';

function Part({
  icon,
  tone,
  title,
  children,
}: {
  icon: 'x-circle' | 'warn' | 'ok';
  tone: string;
  title: string;
  children?: ComponentChildren;
}) {
  return (
    <section>
      <h3 class="row removal__head">
        <Icon name={icon} class={tone} />
        {title}
      </h3>
      {children}
    </section>
  );
}

function Revoked({ keys }: { keys: RemovalPreview['keys'] }) {
  if (keys.length === 0) return <Part icon="ok" tone="ok" title="No keys to revoke" />;
  return (
    <Part icon="x-circle" tone="bad" title={`${count(keys.length, 'key is', 'keys are')} revoked now`}>
      <ul class="small stack removal__keys" style="--gap:4px">
        {keys.map((key) => (
          <li key={key.id} class="row row--between">
            <span class="row" style="gap:6px">
              <b class="semi truncate" title={key.name}>
                {key.name}
              </b>
              <Prefix of={key.prefix} />
            </span>
            <Env of={key.environment} />
          </li>
        ))}
      </ul>
    </Part>
  );
}

function Breaks({ preview }: { preview: RemovalPreview }) {
  const broken = brokenKeys(preview);
  if (preview.keys.length === 0) return null;
  if (broken.length === 0) {
    return <Part icon="ok" tone="ok" title="None were used directly in the last 30 days" />;
  }
  const copyList = async () => {
    const done = await copy(removalList(preview));
    showToast(done ? 'List copied' : 'Not copied', done ? 'ok' : 'bad');
  };
  return (
    <Part
      icon="warn"
      tone="warn"
      title={`${broken.length} ${broken.length === 1 ? 'was' : 'were'} used directly and break at next launch`}
    >
      <ul class="well list removal__uses">
        {broken.map((key) => (
          <li key={key.id}>
            <div class="row row--between">
              <b class="semi truncate">{key.name}</b>
              <span class="small muted nowrap">{count(key.directUses, 'request')} in 30 days</span>
            </div>
            {key.sources.map((source, i) => (
              <p key={i} class="small muted">
                <code>{source.ip ?? 'unknown address'}</code> · <code>{source.userAgent ?? 'unnamed program'}</code> ·
                last {ago(source.lastAt, now.value)}
              </p>
            ))}
          </li>
        ))}
      </ul>
      <p class="small muted removal__note">
        Give these scripts and containers an active member’s key in <code>HEEX_API_KEY</code> before their next launch.{' '}
        <LinkButton class="small link--inline" onClick={() => void copyList()}>
          Copy list
        </LinkButton>
      </p>
    </Part>
  );
}

function Keeps({ preview, connected }: { preview: RemovalPreview; connected: ReadonlySet<string> }) {
  const { agents, sessions } = preview;
  const kept = agents.map(({ id, name }) => ({
    name,
    state: connected.has(id) ? ('connected' as const) : ('disconnected' as const),
  }));
  return (
    <>
      {kept.length > 0 && (
        <Part icon="ok" tone="ok" title={keepWords({ agents: kept, more: false })}>
          <div class="small muted removal__text">
            <AgentNames of={{ agents: kept, more: false }} /> Their key was used once, at install.
          </div>
        </Part>
      )}
      {sessions > 0 && (
        <p class="small muted">
          {count(sessions, 'session ends', 'sessions end')} at once, on every browser and terminal.
        </p>
      )}
    </>
  );
}

function useRemoval(member: Member) {
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
  const matches = typed.trim().toLowerCase() === member.email.toLowerCase();
  const remove = async () => {
    if (!preview || !matches || busy) return;
    setBusy(true);
    const result = await removeMember(member.id, preview.version);
    setBusy(false);
    if (!result.ok) {
      setFailure(result.failure);
      // What was shown no longer holds: the person decides anew, on what is true now.
      if (result.failure.code === 'precondition_failed') {
        setTyped('');
        look();
      }
      return;
    }
    showToast(`${member.name} removed. ${count(result.value.revokedKeys, 'key')} revoked.`);
    back();
    void Promise.all([refreshTeam(), refresh()]);
  };
  return { preview, connected, failure, typed, setTyped, busy, matches, remove };
}

/** What removing a member would change, read from the server first; then the e-mail address typed, then the act. */
export function RemoveSheet({ of: member }: { of: Member }) {
  const { preview, connected, failure, typed, setTyped, busy, matches, remove } = useRemoval(member);
  const own = member.id === me.value?.membership.id;
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
      onClose={back}
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
            <Button onClick={back}>Cancel</Button>
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
        {failure && <FailureNote what={preview ? 'Not removed' : 'The preview can’t be shown'} failure={failure} />}
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
