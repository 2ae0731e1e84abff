import type { RequestRow } from '../../../shared/contract/keys.ts';
import { now } from '../../state/clock.ts';
import { navigate } from '../../state/route.ts';
import { copy } from '../../state/secret.ts';
import { showToast } from '../../state/toasts.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { Facts } from '../../ui/facts.tsx';
import { calendarDays, clock, day, exact, ms } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { OUTCOME_MARKS, reasonLong, reasonShort } from '../../ui/outcome-words.ts';
import { Heads } from './table-parts.tsx';

/** `14:32:06.118`, with the day when it is not today. */
function logTime(at: string): string {
  const t = ms(at);
  const time = `${clock(t, true)}.${String(new Date(t).getMilliseconds()).padStart(3, '0')}`;
  return calendarDays(t, now.value) === 0 ? time : `${day(t, now.value)} ${time}`;
}

export function OutcomeMark({ of }: { of: Pick<RequestRow, 'outcome'> }) {
  const { icon, tone, words } = OUTCOME_MARKS[of.outcome];
  return (
    <span class={`status status--${tone}`}>
      <Icon name={icon} />
      {words}
    </span>
  );
}

async function copyRow(row: RequestRow): Promise<void> {
  const done = await copy(JSON.stringify(row, null, 2));
  showToast(done ? 'Request copied as JSON' : 'Not copied', done ? 'ok' : 'bad');
}

function Details({ of: row }: { of: RequestRow }) {
  const refused = row.outcome !== 'valid';
  return (
    <tr class="is-selected log__details">
      <td colSpan={7}>
        <div class="row row--top row--between">
          <div class="log__why">
            <b class="semi">{refused ? 'Why it was refused' : 'Allowed'}</b>
            <p class="muted">{refused ? reasonLong(row) : 'The key was valid for what was asked.'}</p>
            <LinkButton class="small" onClick={() => navigate({ screen: 'key', id: row.keyId })}>
              Open {row.keyName}
            </LinkButton>
          </div>
          <Facts
            rows={[
              ['Request ID', <code key="id">{row.requestId}</code>],
              ['Code', <code key="code">{row.code}</code>],
              ['Purpose', row.purpose === 'enrolment' ? 'An agent enrolled with it' : 'Direct use'],
              ['Program', row.userAgent && <code>{row.userAgent}</code>],
            ]}
          />
          <Button size="sm" icon="copy" onClick={() => void copyRow(row)}>
            Copy as JSON
          </Button>
        </div>
      </td>
    </tr>
  );
}

function Row({ of: row, open, onOpen }: { of: RequestRow; open: boolean; onOpen: () => void }) {
  return (
    <>
      <tr class={open ? 'is-selected' : undefined}>
        <td>
          <span class="row" style="gap:6px">
            <button
              type="button"
              class="btn btn--ghost btn--icon btn--sm log__toggle"
              aria-expanded={open}
              aria-label={`Details of ${row.requestId}`}
              onClick={onOpen}
            >
              <Icon name={open ? 'down' : 'right'} class="icon--sm" />
            </button>
            <code title={exact(row.at)}>{logTime(row.at)}</code>
          </span>
        </td>
        <td>
          <button
            type="button"
            class="cell__open"
            title={row.keyName}
            onClick={() => navigate({ screen: 'key', id: row.keyId })}
          >
            {row.keyName}
          </button>
        </td>
        <td>
          <OutcomeMark of={row} />
        </td>
        <td>{reasonShort(row) || <span class="subtle">—</span>}</td>
        <td>{row.verifier ?? <span class="subtle">—</span>}</td>
        <td>{row.ip ? <code title={row.ip}>{row.ip}</code> : <span class="subtle">—</span>}</td>
        <td class="muted">{row.userAgent ? <code title={row.userAgent}>{row.userAgent}</code> : '—'}</td>
      </tr>
      {open && <Details of={row} />}
    </>
  );
}

const HEADS = ['Time', 'Key', 'Outcome', 'Reason', 'Service', 'IP', 'User agent'];

interface LogTableProps {
  rows: RequestRow[];
  /** The request whose details are shown. */
  open: string | undefined;
  onOpen: (requestId: string) => void;
}

export function LogTable({ rows, open, onOpen }: LogTableProps) {
  return (
    <table class="table table--log table--fixed">
      <caption class="sr">Requests, newest first</caption>
      <Heads words={HEADS} />
      <tbody>
        {rows.map((row) => (
          <Row key={row.requestId} of={row} open={open === row.requestId} onOpen={() => onOpen(row.requestId)} />
        ))}
      </tbody>
    </table>
  );
}
