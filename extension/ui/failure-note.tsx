import type { Failure } from '../messages/failure.ts';
import { Callout } from './notice.tsx';

/** What happened, what it means; the raw code last, for those who are asked for it. */
export function FailureNote({ what, failure }: { what: string; failure: Failure }) {
  return (
    <Callout tone="bad" icon="alert" live>
      <b>{what}</b>
      <p>{failure.detail ?? `${failure.title}.`}</p>
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
