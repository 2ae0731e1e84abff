import { useState } from 'preact/hooks';
import type { Failure } from '../messages/failure.ts';
import { askingPermission, connect } from '../state/connection.ts';
import { addressDraft } from '../state/drafts.ts';
import { copy } from '../state/secret.ts';
import { showToast } from '../state/toasts.ts';
import { Button, LinkButton } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { sentence } from '../ui/field-errors.ts';
import { Icon } from '../ui/icon.tsx';
import { Callout } from '../ui/notice.tsx';
import { type At, Heading, hostOf, Steps } from './connect-parts.tsx';

/** What a person can tell an admin: never more than the address and the error. */
const details = (origin: string, failure: Failure) =>
  [`Heex Keys can’t reach ${origin}`, failure.detail ?? failure.title, `Code: ${failure.code}`].join('\n');

function Unreachable({ origin, failure }: { origin: string; failure: Failure }) {
  const host = hostOf(origin);
  const why: Record<string, string> = {
    timeout: `No answer after 8 seconds. Nothing was sent except the address. Check the spelling, or whether your VPN is on.`,
    network: `No connection. Nothing was sent except the address. Check the spelling, or whether your VPN is on.`,
    bad_answer: `Something answers there, but it is not a Heex Keys server. Nothing was sent except the address.`,
  };
  return (
    <Callout tone="bad" icon="alert" live>
      <b>Can’t reach {host}</b>
      <p>{why[failure.code] ?? sentence(failure.detail ?? failure.title)}</p>
      <p>
        <code>{failure.detail && why[failure.code] ? failure.detail : failure.code}</code>
      </p>
    </Callout>
  );
}

function StillStuck({ origin, failure }: { origin: string; failure: Failure }) {
  const tell = async () => {
    const done = await copy(details(origin, failure));
    showToast(done ? 'Details copied' : 'Not copied', done ? 'ok' : 'bad');
  };
  return (
    <div>
      <h2 class="small muted semi connect__next">Still stuck?</h2>
      <ul class="stack" style="--gap:4px">
        <li>
          <a class="link" href={origin} target="_blank" rel="noreferrer">
            Open {hostOf(origin)} in a tab <Icon name="external" class="icon--sm" />
          </a>
        </li>
        <li>
          <LinkButton iconEnd="copy" onClick={() => void tell()}>
            Copy details for your admin
          </LinkButton>
        </li>
      </ul>
    </div>
  );
}

/** The address, and what came of it so far. */
export function AddressForm({
  at,
}: {
  at: At<'disconnected'> | At<'reaching'> | At<'unreachable'> | At<'not_approved'>;
}) {
  const [failure, setFailure] = useState<Failure>();
  const typed = addressDraft.value || ('origin' in at ? at.origin : '');
  const unreachable = at.status === 'unreachable' && !failure ? at : undefined;
  const submit = async (event: Event) => {
    event.preventDefault();
    const result = await connect(typed);
    setFailure(result.ok ? undefined : result.failure);
  };
  const busy = at.status === 'reaching' || askingPermission.value;
  return (
    <form class="stack" style="--gap:20px" novalidate onSubmit={(event) => void submit(event)}>
      <Heading title="Connect to your team’s server">Heex Keys talks only to the server your team runs.</Heading>
      <TextField
        label="Server address"
        type="url"
        inputMode="url"
        autocomplete="url"
        icon="server"
        placeholder="https://keys.example.com"
        value={typed}
        autoFocus
        error={failure && sentence(failure.detail ?? failure.title)}
        hint={unreachable || failure ? undefined : 'Ask an admin if you don’t know it. It’s also in your invitation.'}
        onInput={(value) => {
          addressDraft.value = value;
          setFailure(undefined);
        }}
      />
      {unreachable && <Unreachable {...unreachable} />}
      {at.status === 'not_approved' && <NotApproved at={at} />}
      <Button type="submit" variant="primary" block busy={busy && 'Connecting'}>
        {unreachable ? 'Try again' : 'Connect'}
      </Button>
      <hr class="rule" />
      {unreachable ? <StillStuck {...unreachable} /> : <Steps />}
    </form>
  );
}

function NotApproved({ at }: { at: At<'not_approved'> }) {
  const words = {
    denied: ['Not approved', 'The approval was refused on the server’s page. Connect again if that was a mistake.'],
    expired: ['Not approved in time', 'The code ran out before it was approved. Connect again for a new one.'],
    failed: ['Approved, but not finished', at.failure ? sentence(at.failure.detail ?? at.failure.title) : ''],
  }[at.reason];
  return (
    <Callout tone="warn" icon="alert" live>
      <b>{words[0]}</b>
      <p>{words[1]}</p>
      {at.failure && (
        <p>
          <code>{at.failure.code}</code>
        </p>
      )}
    </Callout>
  );
}
