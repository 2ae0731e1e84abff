import { useState } from 'preact/hooks';
import type { Key } from '../../shared/contract/keys.ts';
import type { Failure } from '../messages/failure.ts';
import { now } from '../state/clock.ts';
import { finishRotation } from '../state/keys.ts';
import { showToast } from '../state/toasts.ts';
import { offline } from '../state/workspace.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { FailureNote } from '../ui/failure-note.tsx';
import { ago, moment, timeLeft } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { whence } from '../ui/key-words.ts';
import { Prefix, Tag } from '../ui/marks.tsx';
import { When } from '../ui/when.tsx';
import { isMine } from './keys-states.tsx';

type Use = NonNullable<Key['lastUsed']>;

function UsedBy({ use }: { use: Use }) {
  const { program, address } = whence(use);
  return (
    <p class="small muted">
      Last used{' '}
      <b class="strong">
        <When at={use.at} words={ago} />
      </b>{' '}
      by <code>{program}</code> from <code>{address}</code>
    </p>
  );
}

function Line({ good, title, children }: { good: boolean; title: string; children: preact.ComponentChildren }) {
  return (
    <div class="row row--top hand-off__line">
      <Icon name={good ? 'ok' : 'warn'} class={good ? 'ok' : 'warn'} />
      <div class="grow">
        <b class="semi">{title}</b>
        {children}
      </div>
    </div>
  );
}

function FinishDialog({ of: key, use, onClose }: { of: Key; use: Use | null; onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const act = async () => {
    setBusy(true);
    const result = await finishRotation(key.id);
    setBusy(false);
    if (!result.ok) return setFailure(result.failure);
    showToast('Rotation finished. The old secret is refused now.');
    onClose();
  };
  return (
    <Dialog
      shape="sheet"
      alert
      title="Finish the rotation now?"
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="danger" busy={busy && 'Finishing'} onClick={() => void act()}>
            Finish now
          </Button>
        </>
      }
    >
      <div class="stack" style="--gap:12px">
        {failure && <FailureNote what="The rotation was not finished" failure={failure} />}
        <p class="muted">The old secret stops at once. This action cannot be undone.</p>
        {use && <UsedBy use={use} />}
      </div>
    </Dialog>
  );
}

/** While two secrets live: whether anything still calls with the old one. */
export function HandOff({ of: key }: { of: Key }) {
  const [asking, setAsking] = useState(false);
  const { rotation } = key;
  if (!rotation) return null;
  const old = rotation.oldLastUsed;
  return (
    <section class="section">
      <h2 class="row row--between">
        Rotation in progress
        <Tag tone="warn" icon="clock">
          {timeLeft(rotation.oldExpiresAt, now.value)}
        </Tag>
      </h2>
      <div class="well stack hand-off" style="--gap:10px">
        {old ? (
          <Line good={false} title="Old secret is still in use">
            <UsedBy use={old} />
          </Line>
        ) : (
          <Line good title="Old secret unused since rotation">
            <p class="small muted">Safe to finish.</p>
          </Line>
        )}
        <Line good={key.lastUsed !== null} title={key.lastUsed ? 'New secret works' : 'New secret not used yet'}>
          {key.lastUsed && <UsedBy use={key.lastUsed} />}
        </Line>
        {isMine(key) && (
          <div class="row hand-off__acts">
            <Button
              size="sm"
              variant={old ? 'danger-quiet' : 'secondary'}
              unavailable={offline.value && 'Needs the server'}
              onClick={() => setAsking(true)}
            >
              Finish rotation now
            </Button>
          </div>
        )}
      </div>
      <p class="small muted hand-off__note">
        {old ? (
          <>
            Finishing now cuts off <code>{whence(old).program}</code> at {whence(old).address}. Otherwise the old secret
          </>
        ) : (
          'The old secret'
        )}{' '}
        (<Prefix of={rotation.oldPrefix} />) stops <When at={rotation.oldExpiresAt} words={moment} />.
      </p>
      {asking && <FinishDialog of={key} use={old} onClose={() => setAsking(false)} />}
    </section>
  );
}
