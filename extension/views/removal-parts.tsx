import type { ComponentChildren } from 'preact';
import type { RemovalPreview } from '../../shared/contract/members.ts';
import { now } from '../state/clock.ts';
import { copy } from '../state/secret.ts';
import { showToast } from '../state/toasts.ts';
import { Button, LinkButton } from '../ui/button.tsx';
import { ago, count } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Env, Prefix } from '../ui/marks.tsx';
import { keepWords } from './agent-words.ts';
import { AgentNames } from './agents-keep.tsx';
import { brokenKeys, keptAgents, removalList, removalReport, secretWords } from './removal-words.ts';

// What a removal changes, as it is told before and after.

async function copyText(what: string, text: string): Promise<void> {
  const done = await copy(text);
  showToast(done ? `${what} copied` : 'Not copied', done ? 'ok' : 'bad');
}

/** Everything that the sheet says, as plain text. */
export function CopyReport({ of: preview, connected }: { of: RemovalPreview; connected: ReadonlySet<string> }) {
  return (
    <Button
      variant="ghost"
      icon="copy"
      class="removal__copy"
      onClick={() => void copyText('Report', removalReport(preview, connected))}
    >
      Copy report
    </Button>
  );
}

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
      <h3 class="row row--top removal__head">
        <Icon name={icon} class={tone} />
        {title}
      </h3>
      {children}
    </section>
  );
}

/** Which keys end. */
export function Revoked({ keys }: { keys: RemovalPreview['keys'] }) {
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

/** What calls with those keys directly, and so fails from then on. */
export function Breaks({ preview }: { preview: RemovalPreview }) {
  const broken = brokenKeys(preview);
  if (preview.keys.length === 0) return null;
  if (broken.length === 0) {
    return <Part icon="ok" tone="ok" title="None were used directly in the last 30 days" />;
  }
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
        <LinkButton class="small link--inline" onClick={() => void copyText('List', removalList(preview))}>
          Copy list
        </LinkButton>
      </p>
    </Part>
  );
}

/** What goes on. */
export function Keeps({ preview, connected }: { preview: RemovalPreview; connected: ReadonlySet<string> }) {
  const { agents, sessions } = preview;
  const kept = keptAgents(agents, connected);
  const secrets = secretWords(preview);
  return (
    <>
      {kept.length > 0 && (
        <Part icon="ok" tone="ok" title={keepWords({ agents: kept, more: false })}>
          <div class="small muted removal__text">
            <AgentNames of={{ agents: kept, more: false }} /> Their key was used once, at install.
          </div>
        </Part>
      )}
      {secrets && (
        <Part icon="warn" tone="warn" title={`${count(preview.knownSecrets.length, 'secret')} to replace`}>
          <p class="small muted removal__text">{secrets}</p>
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
