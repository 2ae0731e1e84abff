import { useState } from 'preact/hooks';
import type { Key } from '../../shared/contract/keys.ts';
import type { Failure } from '../messages/failure.ts';
import { now } from '../state/clock.ts';
import { disableKey, revokeKey, usageOf } from '../state/keys.ts';
import { back, backFrom } from '../state/route.ts';
import { showToast } from '../state/toasts.ts';
import { Button, LinkButton } from '../ui/button.tsx';
import { dayTotal } from '../ui/chart-data.ts';
import { Chips } from '../ui/choice.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { FailureNote } from '../ui/failure-note.tsx';
import { TextField } from '../ui/field.tsx';
import { ago, calendarDays, count, ms } from '../ui/format.ts';
import { revokeNeedsName, unusedSentence, whence } from '../ui/key-words.ts';
import { Callout } from '../ui/notice.tsx';
import { When } from '../ui/when.tsx';
import { AgentsKeep, useAgentsOf } from './agents-keep.tsx';

type Reason = 'none' | 'superseded' | 'leaked';

/** Requests of this calendar day, where the use of the key is known. */
function today(keyId: string): number {
  const last = usageOf(keyId)?.at(-1);
  return last && calendarDays(Date.parse(`${last.date}T12:00:00`), now.value) === 0 ? dayTotal(last) : 0;
}

/** The fact that decides: whether something still calls with it. */
function StillInUse({ of: key }: { of: Key }) {
  const use = key.lastUsed;
  if (!use) {
    return (
      <Callout tone="plain" icon="info">
        <p>{unusedSentence(key)}</p>
      </Callout>
    );
  }
  const { program, address } = whence(use);
  const fresh = now.value - ms(use.at) < 30 * 86_400_000;
  const requests = today(key.id);
  return (
    <Callout tone={fresh ? 'bad' : 'plain'} icon={fresh ? 'pulse' : 'info'}>
      {fresh && <b>Still in use</b>}
      <p>
        Last used <When at={use.at} words={ago} /> by <code>{program}</code> from <code>{address}</code>.
        {requests > 0 && ` ${count(requests, 'request')} today.`}
      </p>
    </Callout>
  );
}

function useRevoke(key: Key) {
  const [reason, setReason] = useState<Reason>('none');
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const needsName = revokeNeedsName(key, now.value);
  const ready = !needsName || typed.trim() === key.name;
  const revoke = async () => {
    if (!ready || busy) return;
    setBusy(true);
    const result = await revokeKey(key.id, reason === 'none' ? undefined : reason);
    setBusy(false);
    if (!result.ok) return setFailure(result.failure);
    showToast(`${key.name} revoked`);
    backFrom({ screen: 'revoke', id: key.id });
  };
  const disable = () => {
    void disableKey(key.id);
    back();
  };
  return { reason, setReason, typed, setTyped, busy, failure, needsName, ready, revoke, disable };
}

function ReasonField({ value, onChange }: { value: Reason; onChange: (reason: Reason) => void }) {
  return (
    <div class="field">
      <span class="field__label">Reason</span>
      <Chips
        label="Reason"
        value={value}
        options={[
          { value: 'none', label: 'No longer needed' },
          { value: 'superseded', label: 'Replaced' },
          { value: 'leaked', label: 'Leaked' },
        ]}
        onChange={onChange}
      />
    </div>
  );
}

const NotSure = ({ onDisable }: { onDisable: () => void }) => (
  <p class="small muted">
    Not sure?{' '}
    <LinkButton class="small link--inline" onClick={onDisable}>
      Disable it instead
    </LinkButton>
    . You can switch it back on.
  </p>
);

/** Final, so it is slow: the facts first, the name typed where something may depend on the key. */
export function RevokeSheet({ of: key }: { of: Key }) {
  const { reason, setReason, typed, setTyped, busy, failure, needsName, ready, revoke, disable } = useRevoke(key);
  const agents = useAgentsOf([key.id]);
  return (
    <Dialog
      shape="sheet"
      alert
      title={`Revoke ${key.name}?`}
      onClose={back}
      onSubmit={() => void revoke()}
      foot={
        <>
          <Button onClick={back}>Cancel</Button>
          <Button
            variant="danger"
            busy={busy && 'Revoking'}
            unavailable={!ready && 'Type the name of the key first'}
            onClick={() => void revoke()}
          >
            Revoke key
          </Button>
        </>
      }
    >
      <div class="stack" style="--gap:12px">
        {failure && <FailureNote what="The key was not revoked" failure={failure} />}
        <p class="muted">
          Are you sure you want to revoke the API key <b class="strong">{key.name}</b>? This action cannot be undone and
          any applications using this key will lose access immediately.
        </p>
        <StillInUse of={key} />
        <AgentsKeep of={agents} by="it" />
        <ReasonField value={reason} onChange={setReason} />
        {needsName && (
          <TextField
            label={
              <>
                Type <b>{key.name}</b> to confirm
              </>
            }
            value={typed}
            autoFocus
            onInput={setTyped}
          />
        )}
        {key.status !== 'disabled' && <NotSure onDisable={disable} />}
      </div>
    </Dialog>
  );
}
