import { useState } from 'preact/hooks';
import type { RequestRow } from '../../shared/contract/keys.ts';
import { Button } from '../ui/button.tsx';
import { ago } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { OUTCOME_MARKS, reasonShort } from '../ui/outcome-words.ts';
import { When } from '../ui/when.tsx';

const FIRST = 5;

function Row({ of: row }: { of: RequestRow }) {
  const { icon, tone, short } = OUTCOME_MARKS[row.outcome];
  const reason = reasonShort(row);
  return (
    <li title={row.requestId}>
      <span class={`status status--${tone}`}>
        <Icon name={icon} />
        {short}
        {reason && <small>· {reason}</small>}
      </span>
      <span class="subtle nowrap">
        <When at={row.at} words={ago} />
      </span>
      <span class="muted truncate">
        <code>{row.ip ?? '—'}</code> · <code>{row.userAgent ?? 'unnamed program'}</code>
      </span>
    </li>
  );
}

/** The latest uses of a key, with the reason of every refusal that its caller was not told. */
export function LatestRequests({ rows }: { rows: readonly RequestRow[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? rows : rows.slice(0, FIRST);
  return (
    <section class="section">
      <h2>Latest requests</h2>
      <ul class="list requests">
        {shown.map((row) => (
          <Row key={row.requestId} of={row} />
        ))}
      </ul>
      {shown.length < rows.length && (
        <div class="requests__foot">
          <Button size="sm" onClick={() => setAll(true)}>
            Show {rows.length - shown.length} more
          </Button>
        </div>
      )}
    </section>
  );
}
