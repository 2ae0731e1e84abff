import { useState } from 'preact/hooks';
import type { Key } from '../../../shared/contract/keys.ts';
import type { Failure } from '../../messages/failure.ts';
import { now } from '../../state/clock.ts';
import { disableKey, revokeKeys } from '../../state/keys.ts';
import { showToast } from '../../state/toasts.ts';
import { offline } from '../../state/workspace.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNote } from '../../ui/failure-note.tsx';
import { TextField } from '../../ui/field.tsx';
import { ago, count, DAY, ms } from '../../ui/format.ts';
import { unusedPhrase } from '../../ui/key-words.ts';
import { AgentsKeep, useAgentsOf } from '../agents-keep.tsx';

interface BarProps {
  keys: Key[];
  onClear: () => void;
  onRevoke: () => void;
}

/** What the server takes in one request: all of them are revoked or none. */
const MOST = 100;

/** What can be done with the selected keys. */
export function BulkBar({ keys, onClear, onRevoke }: BarProps) {
  const off = offline.value && 'Needs the server';
  const working = keys.filter((key) => key.status !== 'disabled');
  const disable = async () => {
    onClear();
    await Promise.all(working.map((key) => disableKey(key.id)));
  };
  return (
    <section class="bulk" aria-label={`${count(keys.length, 'key')} selected`}>
      <b class="semi" role="status">
        {keys.length} selected
      </b>
      <Button
        size="sm"
        icon="pause"
        unavailable={off || (working.length === 0 && 'They are disabled already')}
        onClick={() => void disable()}
      >
        Disable
      </Button>
      <Button
        size="sm"
        icon="trash"
        variant="danger-quiet"
        unavailable={off || (keys.length > MOST && `Select at most ${MOST} to revoke them together`)}
        onClick={onRevoke}
      >
        Revoke
      </Button>
      <span class="grow" />
      <Button size="sm" variant="ghost" kbd="Escape" onClick={onClear}>
        Clear selection
      </Button>
    </section>
  );
}

function Use({ of: key }: { of: Key }) {
  if (!key.lastUsed) return <span class="small subtle nowrap">{unusedPhrase(key).toLowerCase()}</span>;
  const fresh = now.value - ms(key.lastUsed.at) < 30 * DAY;
  return <span class={`small nowrap ${fresh ? 'warn semi' : 'subtle'}`}>used {ago(key.lastUsed.at, now.value)}</span>;
}

/** Of more keys than this the agents are not read, only spoken of. */
const ASKED = 20;

function useBulkRevoke(keys: Key[], onDone: () => void) {
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const many = count(keys.length, 'key');
  const words = `revoke ${many}`;
  const ready = typed.trim().toLowerCase() === words;
  const act = async () => {
    if (!ready || busy) return;
    setBusy(true);
    const result = await revokeKeys(keys.map((key) => key.id));
    setBusy(false);
    if (!result.ok) return setFailure(result.failure);
    showToast(`${many} revoked`);
    onDone();
  };
  return { typed, setTyped, busy, failure, many, words, ready, act };
}

/** All of them or none, after the words were typed. */
export function BulkRevoke({ keys, onClose, onDone }: { keys: Key[]; onClose: () => void; onDone: () => void }) {
  const { typed, setTyped, busy, failure, many, words, ready, act } = useBulkRevoke(keys, onDone);
  const agents = useAgentsOf(keys.slice(0, ASKED).map(({ id }) => id));
  return (
    <Dialog
      alert
      title={`Revoke ${many}?`}
      onClose={onClose}
      onSubmit={() => void act()}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            variant="danger"
            busy={busy && 'Revoking'}
            unavailable={!ready && `Type “${words}” first`}
            onClick={() => void act()}
          >
            Revoke {many}
          </Button>
        </>
      }
    >
      <div class="stack" style="--gap:14px">
        {failure && <FailureNote what="No key was revoked" failure={failure} />}
        <p class="muted">
          This action cannot be undone and any applications using these keys will lose access immediately.
        </p>
        <ul class="well list bulk__keys">
          {keys.map((key) => (
            <li key={key.id} class="row row--between">
              <span class="truncate">
                <b class="semi">{key.name}</b> <span class="small muted">{key.createdBy.name}</span>
              </span>
              <Use of={key} />
            </li>
          ))}
        </ul>
        <AgentsKeep of={keys.length > ASKED ? undefined : agents} by="them" />
        <TextField
          label={
            <>
              Type <b>{words}</b> to confirm
            </>
          }
          value={typed}
          autoFocus
          onInput={setTyped}
        />
      </div>
    </Dialog>
  );
}
