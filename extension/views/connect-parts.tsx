import type { Connection } from '../messages/published.ts';
import { Logo } from '../ui/marks.tsx';

/** The connection while it is in that state. */
export type At<S extends Connection['status']> = Extract<Connection, { status: S }>;

export const hostOf = (origin: string) => new URL(origin).host;

export function Heading({ title, children }: { title: string; children: preact.ComponentChildren }) {
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

export const Steps = () => (
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
