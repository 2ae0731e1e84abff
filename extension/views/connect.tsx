import { useState } from 'preact/hooks';
import type { Failure } from '../messages/failure.ts';
import { now } from '../state/clock.ts';
import {
  askingPermission,
  cancelConnect,
  connect,
  connection,
  reconnect,
  reopenApproval,
} from '../state/connection.ts';
import { surface } from '../state/surface.ts';
import { Button, LinkButton } from '../ui/button.tsx';
import { sentence } from '../ui/field-errors.ts';
import { countdown } from '../ui/format.ts';
import { Callout } from '../ui/notice.tsx';
import { AddressForm } from './connect-address.tsx';
import { type At, Heading, hostOf, Steps } from './connect-parts.tsx';

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
        {at.user ? `, ${at.user.name}` : ''}. As long as you are a member, your keys go on working.
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
