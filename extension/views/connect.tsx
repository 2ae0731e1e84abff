import { useState } from 'preact/hooks';
import type { Failure } from '../messages/failure.ts';
import type { Connection } from '../messages/published.ts';
import { now } from '../state/clock.ts';
import {
  askingPermission,
  cancelConnect,
  connect,
  connection,
  reconnect,
  reopenApproval,
} from '../state/connection.ts';
import { addressDraft } from '../state/drafts.ts';
import { copy } from '../state/secret.ts';
import { surface } from '../state/surface.ts';
import { showToast } from '../state/toasts.ts';
import { Button, LinkButton } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { sentence } from '../ui/field-errors.ts';
import { countdown } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Logo } from '../ui/marks.tsx';
import { Callout } from '../ui/notice.tsx';

const hostOf = (origin: string) => new URL(origin).host;

function Heading({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return (
    <>
      <Logo />
      <div class="stack" style="--gap:4px">
        <h1 class="connect__title" tabIndex={-1}>
          {title}
        </h1>
        <p class="muted">{children}</p>
      </div>
    </>
  );
}

const Steps = () => (
  <div>
    <h2 class="small muted semi connect__next">What happens next</h2>
    <ol class="steps small">
      <li>
        <span>
          <b>Your browser asks permission</b>For this one address, nothing else.
        </span>
      </li>
      <li>
        <span>
          <b>A tab opens to sign in</b>Your password never passes through the extension.
        </span>
      </li>
      <li>
        <span>
          <b>You approve this browser</b>Check that the code matches, then your keys appear here.
        </span>
      </li>
    </ol>
  </div>
);

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

type At<S extends Connection['status']> = Extract<Connection, { status: S }>;

/** The address, and what came of it so far. */
function AddressForm({ at }: { at: At<'disconnected'> | At<'reaching'> | At<'unreachable'> | At<'not_approved'> }) {
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

/** The code in two groups, spelled out to screen readers. */
function Code({ code }: { code: string }) {
  const letters = [...code.replace(/[^\p{L}\p{N}]/gu, '')];
  const half = Math.ceil(letters.length / 2);
  const groups = [letters.slice(0, half), letters.slice(half)];
  return (
    <div class="devcode" role="img" aria-label={`Code ${groups.map((g) => g.join(' ')).join(', ')}`}>
      {groups.map((group, i) => (
        <>
          {i > 0 && <i />}
          {group.map((letter, j) => (
            <span key={`${i}.${j}`}>{letter}</span>
          ))}
        </>
      ))}
    </div>
  );
}

function Waiting({ at }: { at: At<'waiting'> }) {
  return (
    <div class="stack" style="--gap:24px">
      <Heading title="Approve this browser">
        We opened <b>{hostOf(at.origin)}</b> in a tab. Sign in there and check that it shows this code.
      </Heading>
      <Code code={at.code} />
      <div class="row muted small connect__centre">
        <span class="spinner" />
        <span>
          <span role="status">Waiting for you to approve</span> ·{' '}
          <span role="timer">{countdown(at.expiresAt - now.value)} left</span>
        </span>
      </div>
      {surface.value === 'popup' && (
        <Callout tone="plain">
          <p>You can close this popup. It picks up where you left off.</p>
        </Callout>
      )}
      <div class="row connect__centre" style="gap:16px">
        <LinkButton onClick={() => void reopenApproval()}>Open the tab again</LinkButton>
        <LinkButton class="link--quiet" onClick={() => void cancelConnect()}>
          Cancel
        </LinkButton>
      </div>
    </div>
  );
}

function PermissionNeeded({ at }: { at: At<'permission_needed'> }) {
  const [refused, setRefused] = useState(false);
  const inPopup = surface.value === 'popup';
  const host = hostOf(at.origin);
  const allow = async () => {
    const result = await connect(at.origin);
    setRefused(!result.ok && result.failure.code === 'permission_needed');
  };
  return (
    <div class="stack" style="--gap:20px">
      <Heading title={`Allow access to ${host}`}>
        {at.user
          ? 'Your browser no longer allows Heex Keys to reach your server.'
          : 'Your browser asks once, for this one address and nothing else.'}
      </Heading>
      {refused && (
        <Callout tone="warn" icon="alert" live>
          <b>Not allowed</b>
          <p>Without this permission the extension can’t reach the server. Nothing was sent.</p>
        </Callout>
      )}
      <Button variant="primary" block busy={askingPermission.value && 'Asking'} onClick={() => void allow()}>
        {inPopup ? 'Continue in a tab' : `Allow ${host}`}
      </Button>
      <LinkButton class="link--quiet connect__centre" onClick={() => void cancelConnect()}>
        Use another address
      </LinkButton>
      {!at.user && (
        <>
          <hr class="rule" />
          <Steps />
        </>
      )}
    </div>
  );
}

function SignedOut({ at }: { at: At<'signed_out'> }) {
  const [failure, setFailure] = useState<Failure>();
  const again = async () => {
    const result = await reconnect();
    setFailure(result.ok ? undefined : result.failure);
  };
  return (
    <div class="stack" style="--gap:20px">
      <Heading title="Sign in again">
        Your session on <b>{hostOf(at.origin)}</b> has ended
        {at.user ? `, ${at.user.name}` : ''}. Your keys go on working.
      </Heading>
      {failure && (
        <Callout tone="bad" icon="alert" live>
          <p>{sentence(failure.detail ?? failure.title)}</p>
        </Callout>
      )}
      <Button variant="primary" block busy={askingPermission.value && 'Connecting'} onClick={() => void again()}>
        Sign in
      </Button>
      <LinkButton class="link--quiet connect__centre" onClick={() => void cancelConnect()}>
        Use another address
      </LinkButton>
    </div>
  );
}

/** Everything before there are keys to show: address, permission, approval. */
export function Connect() {
  const at = connection.value;
  switch (at.status) {
    case 'disconnected':
    case 'reaching':
    case 'unreachable':
    case 'not_approved':
      return <AddressForm at={at} />;
    case 'waiting':
      return <Waiting at={at} />;
    case 'permission_needed':
      return <PermissionNeeded at={at} />;
    case 'signed_out':
      return <SignedOut at={at} />;
    default:
      return null;
  }
}
