import type { Failure } from '../messages/failure.ts';
import { connection } from '../state/connection.ts';
import { failed } from '../state/toasts.ts';
import { sentence } from './field-errors.ts';
import { Icon } from './icon.tsx';
import { Callout } from './notice.tsx';

/** The page to confirm on, if it is one of the connected server: no other address is offered. */
function confirmPage(failure: Failure): string | undefined {
  const { confirmAt } = failure;
  const at = connection.value;
  if (!confirmAt || !URL.canParse(confirmAt) || !('origin' in at)) return undefined;
  return new URL(confirmAt).origin === at.origin ? confirmAt : undefined;
}

/** The server wants to know that it is still the same person who sits here. */
function ConfirmFirst({ page }: { page: string }) {
  return (
    <Callout tone="warn" icon="lock" live>
      <b>Confirm that it is you</b>
      <p>This needs a sign-in of the last 15 minutes. Confirm on your server’s page, then try again here.</p>
      <p>
        <a class="link" href={page} target="_blank" rel="noreferrer">
          Open the page <Icon name="external" class="icon--sm" />
        </a>
      </p>
    </Callout>
  );
}

/** What happened, what it means, what to do; the raw code last, for those who are asked for it. */
export function FailureNote({ what, failure }: { what: string; failure: Failure }) {
  const page = failure.code === 'step_up_required' ? confirmPage(failure) : undefined;
  if (page) return <ConfirmFirst page={page} />;
  return (
    <Callout tone="bad" icon="alert" live>
      <b>{failed(what, failure)}</b>
      <p>{sentence(failure.detail ?? failure.title)}</p>
      <p>
        <code>{failure.code}</code>
        {failure.requestId && (
          <>
            {' · '}
            <code>{failure.requestId}</code>
          </>
        )}
      </p>
    </Callout>
  );
}
