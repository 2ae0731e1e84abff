import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { AuditEntry } from '../../../shared/contract/audit.ts';
import { KEY_STATUSES, type Key } from '../../../shared/contract/keys.ts';
import type { Overview as Figures, Period } from '../../../shared/contract/overview.ts';
import { ENVIRONMENTS, type Environment } from '../../../shared/key-format.ts';
import type { Failure } from '../../messages/failure.ts';
import { listAudit, readOverview } from '../../state/admin.ts';
import { now } from '../../state/clock.ts';
import { disableKey } from '../../state/keys.ts';
import { navigate } from '../../state/route.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { FILLS, STACK } from '../../ui/chart.tsx';
import { OUTCOME_WORDS, outcomeTotal } from '../../ui/chart-data.ts';
import { Segmented } from '../../ui/choice.tsx';
import { ago, calendarDays, count, ms, number } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { ENVIRONMENT_WORDS, usedPhrase } from '../../ui/key-words.ts';
import { Quota, Status } from '../../ui/marks.tsx';
import { SeriesChart, SeriesTable } from '../../ui/series-chart.tsx';
import { isMine } from '../keys-states.tsx';
import { actionWords, actorWords } from './audit-words.ts';
import { Page } from './shell.tsx';
import { Choice, ListState } from './table-parts.tsx';

function Card({
  title,
  about,
  end,
  children,
}: {
  title: string;
  about?: string;
  end?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="card">
      <div class="card__head">
        <h2>{title}</h2>
        {about && <span class="small subtle">{about}</span>}
        {end && <span class="end">{end}</span>}
      </div>
      <div class="card__body">{children}</div>
    </section>
  );
}

const STEPS: Record<Period, string> = { '24h': 'every hour', '7d': 'every 3 hours', '30d': 'every day' };

function Requests({ of: { points, stepSeconds }, period }: { of: Figures['requests']; period: Period }) {
  const [asTable, setAsTable] = useState(false);
  return (
    <Card
      title="Requests"
      about={`${STEPS[period]}, all services`}
      end={
        <LinkButton class="small" onClick={() => setAsTable(!asTable)}>
          {asTable ? 'Show as chart' : 'Show as table'}
        </LinkButton>
      }
    >
      <div class="legend overview__legend">
        {STACK.map((outcome) => (
          <div key={outcome}>
            <svg aria-hidden="true" width="10" height="10">
              <rect width="10" height="10" rx="2" {...FILLS[outcome]} />
            </svg>
            <span>{OUTCOME_WORDS[outcome]}</span>
            <b>{number(outcomeTotal(points, outcome))}</b>
          </div>
        ))}
      </div>
      {asTable ? (
        <SeriesTable points={points} stepSeconds={stepSeconds} />
      ) : (
        <SeriesChart points={points} stepSeconds={stepSeconds} />
      )}
    </Card>
  );
}

const STATUS_NOTES = {
  active: 'can authenticate',
  expiring_soon: 'within 14 days',
  disabled: 'can be switched on',
  expired: 'don’t count',
  revoked: 'don’t count',
} as const;

function ByStatus({ of: keys }: { of: Figures['keys'] }) {
  return (
    <Card title="Keys by status" end={<Quota used={keys.used} limit={keys.limit} />}>
      <ul class="list">
        {KEY_STATUSES.map((status) => (
          <li key={status} class="item overview__line">
            <Status of={{ status, revokedReason: null }} />
            <small class="end">{STATUS_NOTES[status]}</small>
            <b class="num semi overview__figure">{number(keys.byStatus[status])}</b>
          </li>
        ))}
      </ul>
      <h3 class="small muted overview__look">Worth a look</h3>
      <ul class="list">
        <li class="item overview__line">
          <span class="small">Never expire</span>
          <b class="num semi end">{number(keys.neverExpire)}</b>
        </li>
        <li class="item overview__line">
          <span class="small">Any IP address allowed</span>
          <b class="num semi end">{number(keys.anyAddress)}</b>
        </li>
      </ul>
    </Card>
  );
}

function KeyLine({ of: key, figure, act }: { of: Key; figure: ComponentChildren; act: ComponentChildren }) {
  return (
    <li class="item overview__key">
      <div class="grow">
        <button
          type="button"
          class="cell__open truncate"
          title={key.name}
          onClick={() => navigate({ screen: 'key', id: key.id })}
        >
          {key.name}
        </button>
        <small class="truncate">
          {key.createdBy.name} · {usedPhrase(key, now.value).toLowerCase()}
        </small>
      </div>
      {figure}
      {act}
    </li>
  );
}

function Expiring({ of: { total, items } }: { of: Figures['expiringSoon'] }) {
  return (
    <Card title="Expiring soon" about={total > items.length ? `${items.length} of ${total}` : ''}>
      {items.length === 0 && <p class="small muted">No key expires within 14 days.</p>}
      <ul class="list">
        {items.map((key) => (
          <KeyLine
            key={key.id}
            of={key}
            figure={
              <span class="small warn semi nowrap">
                {key.expiresAt ? count(Math.max(0, calendarDays(now.value, ms(key.expiresAt))), 'day') : ''}
              </span>
            }
            act={
              isMine(key) && (
                <Button size="sm" onClick={() => navigate({ screen: 'rotate', id: key.id })}>
                  Rotate<span class="sr"> {key.name}</span>
                </Button>
              )
            }
          />
        ))}
      </ul>
      {items.length > 0 && <p class="small subtle overview__note">Each owner gets a reminder.</p>}
    </Card>
  );
}

function Unused({ of: { total, items }, onChanged }: { of: Figures['unused']; onChanged: () => void }) {
  return (
    <Card title="Unused for 90 days" about={total > items.length ? `${items.length} of ${total}` : ''}>
      {items.length === 0 && <p class="small muted">Every working key was used in the last 90 days.</p>}
      <ul class="list">
        {items.map((key) => (
          <KeyLine
            key={key.id}
            of={key}
            figure={
              <span class="small muted nowrap">
                {count(calendarDays(ms(key.lastUsed?.at ?? key.createdAt), now.value), 'day')}
              </span>
            }
            act={
              <Button size="sm" onClick={() => void disableKey(key.id).then(onChanged)}>
                Disable<span class="sr"> {key.name}</span>
              </Button>
            }
          />
        ))}
      </ul>
    </Card>
  );
}

function Recent({ entries }: { entries: AuditEntry[] }) {
  return (
    <Card
      title="Recent events"
      end={
        <LinkButton class="small" onClick={() => navigate({ screen: 'audit' })}>
          Audit log
        </LinkButton>
      }
    >
      <ul class="list">
        {entries.map((entry) => {
          const [icon, verb] = actionWords(entry.action);
          return (
            <li key={entry.seq} class="item overview__event">
              <span class="subtle">
                <Icon name={icon} />
              </span>
              <div class="grow">
                <span class="truncate overview__words">
                  {verb} <b class="semi">{entry.target.name ?? entry.target.id}</b>
                </span>
                <small class="truncate">
                  {actorWords(entry.actor)} · {ago(entry.at, now.value)}
                </small>
              </div>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

function useFigures(period: Period, environment: Environment | null) {
  const [figures, setFigures] = useState<Figures>();
  const [events, setEvents] = useState<AuditEntry[]>([]);
  const [failure, setFailure] = useState<Failure>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let gone = false;
    void readOverview({ period, ...(environment ? { environment } : {}) }).then((result) => {
      if (gone) return;
      if (result.ok) setFigures(result.value);
      setFailure(result.ok ? undefined : result.failure);
    });
    void listAudit({}).then((result) => !gone && result.ok && setEvents(result.value.items.slice(0, 4)));
    return () => {
      gone = true;
    };
  }, [period, environment, turn]);
  return { figures, events, failure, again: () => setTurn(turn + 1) };
}

const PERIOD_WORDS = [
  { value: '24h', label: '24 hours' },
  { value: '7d', label: '7 days' },
  { value: '30d', label: '30 days' },
] as const;

/** How the keys of the workspace are doing. */
export function Overview() {
  const [period, setPeriod] = useState<Period>('7d');
  const [environment, setEnvironment] = useState<Environment | null>(null);
  const { figures, events, failure, again } = useFigures(period, environment);
  return (
    <Page
      title="Overview"
      acts={
        <>
          <Choice
            label="Environment"
            value={environment}
            options={ENVIRONMENTS.map((value) => ({ value, label: ENVIRONMENT_WORDS[value].long }))}
            onChange={setEnvironment}
          />
          <div class="overview__period">
            <Segmented small label="Period" value={period} options={PERIOD_WORDS} onChange={setPeriod} />
          </div>
        </>
      }
    >
      {figures ? (
        <div class="stack">
          <div class="cols cols--2-1">
            <Requests of={figures.requests} period={period} />
            <ByStatus of={figures.keys} />
          </div>
          <div class="cols cols--3">
            <Expiring of={figures.expiringSoon} />
            <Unused of={figures.unused} onChanged={again} />
            <Recent entries={events} />
          </div>
        </div>
      ) : (
        <ListState
          what="The overview can’t be shown"
          loading={!failure}
          failure={failure}
          empty={null}
          onRetry={again}
        />
      )}
    </Page>
  );
}
