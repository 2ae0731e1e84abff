import type { Key } from '../../shared/contract/keys.ts';
import { EMPTY_NEW_KEY, type NewKeyDraft, newKeyDraft } from '../state/drafts.ts';
import { navigate } from '../state/route.ts';
import { copy, unfinished } from '../state/secret.ts';
import { members } from '../state/team.ts';
import { showToast } from '../state/toasts.ts';
import { dataAt, me, offline, refresh, refreshing, workspace } from '../state/workspace.ts';
import { Button, LinkButton } from '../ui/button.tsx';
import { clock } from '../ui/format.ts';
import { Icon, type IconName } from '../ui/icon.tsx';
import { Banner, Empty } from '../ui/notice.tsx';

/** Whether the reader owns the key: only then can it be rotated and edited. */
export const isMine = (key: Pick<Key, 'createdBy'>) => key.createdBy.membershipId === me.value?.membership.id;

/** Why no key can be made now, or undefined when one can. */
export function whyNoNewKey(): string | undefined {
  const current = workspace.value;
  if (offline.value) return 'Needs the server';
  if (current?.plan === 'starter') return 'Upgrade required';
  if (current && current.keysUsed >= current.keyLimit) return `All ${current.keyLimit} keys are in use`;
  return undefined;
}

async function copyMessage(text: string): Promise<void> {
  const done = await copy(text);
  showToast(done ? 'Message copied' : 'Not copied', done ? 'ok' : 'bad');
}

function LimitBanner() {
  const current = workspace.value;
  if (!current) return null;
  const ask = `Hello, all ${current.keyLimit} API keys of the workspace ${current.name} are in use. Can the limit be raised?`;
  return (
    <Banner icon="warn" action={<LinkButton onClick={() => void copyMessage(ask)}>Ask support</LinkButton>}>
      <b>All {current.keyLimit} keys are in use.</b> Revoke an old one.
    </Banner>
  );
}

/** What holds for the whole list: no server, a limit, a plan, an answer that is still to come. */
export function StateBanners() {
  const current = workspace.value;
  const waiting = unfinished.value[0];
  const full = current && current.plan !== 'starter' && current.keysUsed >= current.keyLimit;
  return (
    <>
      {offline.value && dataAt.value !== undefined && (
        <Banner
          icon="wifi-off"
          action={<LinkButton onClick={() => void refresh()}>{refreshing.value ? 'Trying…' : 'Retry'}</LinkButton>}
        >
          <b>Can’t reach the server.</b> Showing keys as of {clock(dataAt.value)}.
        </Banner>
      )}
      {waiting && (
        <Banner icon="hourglass" tone="info">
          <b>
            {waiting.kind === 'create' ? 'Creating' : 'Rotating'} {waiting.name}.
          </b>{' '}
          Waiting for the server’s answer.
        </Banner>
      )}
      {full && !offline.value && <LimitBanner />}
    </>
  );
}

const PRESETS: { icon: IconName; title: string; note: string; draft: Partial<NewKeyDraft> }[] = [
  {
    icon: 'terminal',
    title: 'For the Heex CLI',
    note: 'cli-laptop · development · 90 days',
    draft: { name: 'cli-laptop', environment: 'development', expiry: '90' },
  },
  {
    icon: 'agent',
    title: 'For the Heex Installer',
    note: 'Used once to enrol an agent · 7 days',
    draft: { name: 'agent-install', environment: 'production', expiry: '7' },
  },
  {
    icon: 'box',
    title: 'For a script or container',
    note: 'HEEX_API_KEY · production · 90 days',
    draft: { name: '', environment: 'production', expiry: '90' },
  },
];

const EmptyKey = () => (
  <svg class="empty__picture" width="72" height="72" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M12 2.5 20.2 7.2v9.6L12 21.5l-8.2-4.7V7.2z" stroke-dasharray="2 1.4" />
    <circle cx="12" cy="10.4" r="2.1" />
    <path d="M11.3 12.3h1.4l.7 4h-2.8z" />
  </svg>
);

/** The first key: what people make one for, filled in. */
export function NoKeys() {
  const start = (draft: Partial<NewKeyDraft>) => {
    newKeyDraft.value = { ...EMPTY_NEW_KEY, ...draft };
    navigate({ screen: 'new' });
  };
  const blocked = whyNoNewKey();
  return (
    <>
      <Empty picture={<EmptyKey />} title="No keys yet">
        Make one key per use, so replacing one never breaks another.
      </Empty>
      <div class="popup__pad stack no-keys">
        {!blocked &&
          PRESETS.map((preset) => (
            <button key={preset.title} type="button" class="option preset" onClick={() => start(preset.draft)}>
              <Icon name={preset.icon} />
              <span>
                <b>{preset.title}</b>
                <small>{preset.note}</small>
              </span>
              <Icon name="right" />
            </button>
          ))}
        <Button
          variant="primary"
          icon="plus"
          kbd="n"
          block
          unavailable={blocked}
          onClick={() => navigate({ screen: 'new' })}
        >
          New key
        </Button>
      </div>
    </>
  );
}

export function NoMatch({ onClear }: { onClear: () => void }) {
  return (
    <Empty title="No keys match.">
      <LinkButton onClick={onClear}>Clear filters.</LinkButton>
    </Empty>
  );
}

/** The plan has no API access: what it would bring, and whom to ask. */
export function Upgrade() {
  const name = workspace.value?.name ?? 'this workspace';
  const owners = members.value?.filter((member) => member.role === 'owner') ?? [];
  const ask = `Hello, API access isn’t part of the Starter plan, so keys can’t be created in ${name}. Could you upgrade it? ${me.value?.user.name ?? ''}`;
  return (
    <>
      <Empty
        picture={
          <span class="avatar avatar--lg upgrade__mark">
            <Icon name="lock" class="icon--lg" />
          </span>
        }
        title="Upgrade required"
      >
        API access isn’t part of the <b>Starter</b> plan, so keys can’t be created in {name}.
      </Empty>
      <div class="popup__pad stack">
        <ul class="well stack" style="--gap:8px">
          {[
            'Personal keys for every member',
            'Request log, usage and rate limits',
            'Rotation with overlap, IP allowlists',
          ].map((line) => (
            <li key={line} class="row">
              <Icon name="check" class="ok" />
              {line}
            </li>
          ))}
        </ul>
        <p class="small muted">
          Only an owner can ask for another plan
          {owners.length > 0 && ': '}
          {owners.map((owner, i) => (
            <>
              {i > 0 && ', '}
              <b>{owner.name}</b>
            </>
          ))}
          .
        </p>
        <Button variant="primary" icon="copy" block onClick={() => void copyMessage(ask)}>
          Copy a message for an owner
        </Button>
      </div>
    </>
  );
}
