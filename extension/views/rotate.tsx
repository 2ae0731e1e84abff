import { useState } from 'preact/hooks';
import { type Key, OVERLAPS } from '../../shared/contract/keys.ts';
import { expirationOf } from '../../shared/expiry.ts';
import type { Failure } from '../messages/failure.ts';
import { now } from '../state/clock.ts';
import { findKey, rotateKey } from '../state/keys.ts';
import { back, replaceFrom } from '../state/route.ts';
import { copy } from '../state/secret.ts';
import { showToast } from '../state/toasts.ts';
import { Button, LinkButton } from '../ui/button.tsx';
import { OptionRows } from '../ui/choice.tsx';
import { FailureNote } from '../ui/failure-note.tsx';
import { Fieldset } from '../ui/field.tsx';
import { ago, fullDay, moment, ms } from '../ui/format.ts';
import { unusedSentence, whence } from '../ui/key-words.ts';
import { Callout } from '../ui/notice.tsx';
import { PopupPage, TitleBar } from '../ui/page.tsx';
import { useShortcuts } from '../ui/shortcuts.ts';
import { ExpiryField, maxLifetime } from './expiry-field.tsx';
import { KeyDetail } from './key-detail.tsx';
import { effectiveExpiry, expiresAt } from './key-form-model.ts';

type Overlap = (typeof OVERLAPS)[number];
const OVERLAP_WORDS: Record<Overlap, string> = {
  0: 'Cut it off now',
  3600: 'Keep it 1 hour',
  86400: 'Keep it 24 hours',
  604800: 'Keep it 7 days',
};

/** The old secret never outlives its own expiry. */
const oldEnds = (key: Key, overlap: number) =>
  Math.min(now.value + overlap * 1000, key.expiresAt ? ms(key.expiresAt) : Number.POSITIVE_INFINITY);

function Consequence({ of: key, overlap }: { of: Key; overlap: Overlap }) {
  if (overlap > 0) {
    return (
      <Callout tone="warn" icon="handoff">
        <p>
          <b>Both secrets work until {moment(oldEnds(key, overlap), now.value)}.</b> Then the old one stops. All
          applications using it must be updated before that. This cannot be undone.
        </p>
      </Callout>
    );
  }
  return (
    <Callout tone="bad" icon="warn">
      <p>
        <b>All applications using the current secret will lose access immediately.</b>{' '}
        {key.lastUsed ? (
          <>
            It was used {ago(key.lastUsed.at, now.value)} by <code>{whence(key.lastUsed).program}</code> from{' '}
            <code>{whence(key.lastUsed).address}</code>.
          </>
        ) : (
          unusedSentence(key)
        )}
      </p>
    </Callout>
  );
}

function HeadsUp({ of: key, overlap }: { of: Key; overlap: Overlap }) {
  if (!key.technicalOwner) return null;
  const words =
    overlap > 0
      ? `Until ${moment(oldEnds(key, overlap), now.value)} both secrets work, then the old one stops.`
      : 'The old secret stops at once.';
  const tell = async () => {
    const done = await copy(`The API key ${key.name} (${key.prefix}…) gets a new secret. ${words}`);
    showToast(done ? 'Heads-up copied' : 'Not copied', done ? 'ok' : 'bad');
  };
  return (
    <div class="row row--between small">
      <span class="muted truncate">
        Looked after by <b>{key.technicalOwner}</b>
      </span>
      <LinkButton icon="copy" onClick={() => void tell()}>
        Copy a heads-up
      </LinkButton>
    </div>
  );
}

type Expiry = { expiry: string; expiresOn: string };

function useRotate(key: Key) {
  const [overlap, setOverlap] = useState<Overlap>(86400);
  // The old expiry stays unless another one is wanted; one that is near would make the new secret die soon.
  const near = expirationOf(key.expiresAt, now.value) !== 'valid';
  const [keep, setKeep] = useState(!near && key.expiresAt !== null);
  const [expiry, setExpiry] = useState<Expiry>({ expiry: key.expiresAt === null ? 'never' : '90', expiresOn: '' });
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const until = expiresAt(effectiveExpiry(expiry.expiry, maxLifetime()), expiry.expiresOn, now.value);
  const rotate = async () => {
    if (busy || (!keep && until === undefined)) return;
    setBusy(true);
    const result = await rotateKey(key.id, {
      overlapSeconds: overlap,
      ...(keep || until === undefined ? {} : { expiresAt: until === null ? null : new Date(until).toISOString() }),
    });
    setBusy(false);
    if (result.ok) replaceFrom({ screen: 'rotate', id: key.id }, { screen: 'key', id: key.id });
    else setFailure(result.failure);
  };
  return { overlap, setOverlap, keep, setKeep, expiry, setExpiry, busy, failure, rotate };
}

function RotateForm({ of: key }: { of: Key }) {
  const { overlap, setOverlap, keep, setKeep, expiry, setExpiry, busy, failure, rotate } = useRotate(key);
  useShortcuts([{ key: 'Mod+Enter', words: 'Rotate', typing: true, run: () => void rotate() }]);
  const options = OVERLAPS.map((value) => ({
    value: String(value),
    label: OVERLAP_WORDS[value],
    note: value === 0 ? 'if it has leaked' : `until ${moment(oldEnds(key, value), now.value)}`,
  }));
  return (
    <PopupPage
      top={<TitleBar title={`Rotate ${key.name}`} />}
      foot={
        <>
          <span class="grow" />
          <Button variant="ghost" onClick={back}>
            Cancel
          </Button>
          <Button
            variant={overlap === 0 ? 'danger' : 'primary'}
            icon="rotate"
            busy={busy && 'Rotating'}
            unavailable={key.rotation !== null && 'A rotation is in progress: finish it first'}
            onClick={() => void rotate()}
          >
            {overlap === 0 ? 'Rotate and cut off' : 'Rotate and copy'}
          </Button>
        </>
      }
    >
      <div class="popup__pad stack">
        {failure && <FailureNote what="The key was not rotated" failure={failure} />}
        <p class="muted">You get a new secret. Name, environment, group, IP allowlist and rate limit stay the same.</p>
        <Fieldset label="What happens to the old secret?">
          <OptionRows
            label="What happens to the old secret?"
            value={String(overlap)}
            options={options}
            onChange={(value) => setOverlap(Number(value) as Overlap)}
          />
        </Fieldset>
        <Consequence of={key} overlap={overlap} />
        {keep && key.expiresAt ? (
          <div class="row row--between small">
            <span class="muted">
              Still expires <b>{fullDay(key.expiresAt)}</b>
            </span>
            <LinkButton icon="calendar" onClick={() => setKeep(false)}>
              Set a new expiry
            </LinkButton>
          </div>
        ) : (
          <ExpiryField
            label="New expiry"
            fields={expiry}
            errors={failure?.errors ?? []}
            onChange={(change) => setExpiry({ ...expiry, ...change })}
          />
        )}
        <HeadsUp of={key} overlap={overlap} />
      </div>
    </PopupPage>
  );
}

/** A new secret for the same key. */
export function Rotate({ id }: { id: string }) {
  const key = findKey(id);
  if (!key) return <PopupPage top={<TitleBar title="Rotate" />}>{null}</PopupPage>;
  // Revoked elsewhere: there is nothing left to rotate.
  if (key.status === 'revoked') return <KeyDetail id={id} />;
  return <RotateForm of={key} />;
}
