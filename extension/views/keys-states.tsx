import type { Key } from '../../shared/contract/keys.ts';
import { copy, unfinished } from '../state/secret.ts';
import { members } from '../state/team.ts';
import { showToast } from '../state/toasts.ts';
import { dataAt, me, offline, refresh, refreshing, workspace } from '../state/workspace.ts';
import { Button, LinkButton } from '../ui/button.tsx';
import { clock } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
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
