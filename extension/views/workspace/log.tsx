import { useEffect, useState } from 'preact/hooks';
import { OUTCOMES, type RequestRow } from '../../../shared/contract/keys.ts';
import { ENVIRONMENTS, type Environment } from '../../../shared/key-format.ts';
import { type LogQuery, listRequests } from '../../state/admin.ts';
import { now } from '../../state/clock.ts';
import { allKeys } from '../../state/keys.ts';
import { navigate, route } from '../../state/route.ts';
import { Button } from '../../ui/button.tsx';
import type { Outcome } from '../../ui/chart-data.ts';
import { DAY, moment } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { ENVIRONMENT_WORDS } from '../../ui/key-words.ts';
import { Tag } from '../../ui/marks.tsx';
import { Empty } from '../../ui/notice.tsx';
import { OUTCOME_MARKS } from '../../ui/outcome-words.ts';
import { useShortcuts } from '../../ui/shortcuts.ts';
import { usePaged, useSettled } from '../../ui/use-paged.ts';
import { LogTable } from './log-table.tsx';
import { Page } from './shell.tsx';
import { Choice, focusSearch, ListState, MoreRows, SearchBox } from './table-parts.tsx';

/** Milliseconds between two looks at the newest requests. */
const LOOK = 5000;

const SPANS = [
  { value: '1', label: 'Last hour' },
  { value: '24', label: 'Last 24 hours' },
  { value: '168', label: 'Last 7 days' },
] as const;

interface Filters {
  requestId: string;
  outcome: Outcome | null;
  environment: Environment | null;
  hours: string | null;
}
const NONE: Filters = { requestId: '', outcome: null, environment: null, hours: null };

function queryOf(f: Filters, keyId: string | undefined, opened: number): LogQuery {
  return {
    ...(f.requestId ? { requestId: f.requestId } : {}),
    ...(f.outcome ? { outcome: f.outcome } : {}),
    ...(f.environment ? { environment: f.environment } : {}),
    ...(f.hours ? { from: new Date(opened - (Number(f.hours) / 24) * DAY).toISOString() } : {}),
    ...(keyId ? { key: keyId } : {}),
  };
}

function useLog() {
  const [filters, setFilters] = useState<Filters>(NONE);
  const [live, setLive] = useState(true);
  const [opened] = useState(now.peek());
  const requestId = useSettled(filters.requestId.trim());
  const query = queryOf({ ...filters, requestId }, route.value.id, opened);
  const list = usePaged(JSON.stringify(query), (cursor) => listRequests({ ...query, ...(cursor ? { cursor } : {}) }));
  const { reload } = list;
  // A reader who has gone further back is not thrown to the front again.
  const following = live && (list.items?.length ?? 0) <= 50;
  useEffect(() => {
    if (!following) return;
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), LOOK);
    return () => clearInterval(timer);
  });
  return {
    filters,
    set: (change: Partial<Filters>) => setFilters({ ...filters, ...change }),
    list,
    following,
    setLive,
    live,
  };
}

function FilterBar({ filters, set }: { filters: Filters; set: (change: Partial<Filters>) => void }) {
  const keyId = route.value.id;
  const keys = allKeys.value ?? [];
  return (
    <search class="filters">
      <SearchBox
        label="Search by request id"
        hint="Request id"
        value={filters.requestId}
        onInput={(requestId) => set({ requestId })}
      />
      <Choice label="Time" value={filters.hours} options={SPANS} onChange={(hours) => set({ hours })} />
      <Choice
        label="Outcome"
        value={filters.outcome}
        options={OUTCOMES.map((value) => ({ value, label: OUTCOME_MARKS[value].words }))}
        onChange={(outcome) => set({ outcome })}
      />
      <Choice
        label="Key"
        value={keyId ?? null}
        options={keys.map(({ id, name }) => ({ value: id, label: name }))}
        onChange={(id) => navigate(id ? { screen: 'log', id } : { screen: 'log' })}
      />
      <Choice
        label="Environment"
        value={filters.environment}
        options={ENVIRONMENTS.map((value) => ({ value, label: ENVIRONMENT_WORDS[value].long }))}
        onChange={(environment) => set({ environment })}
      />
    </search>
  );
}

/** What keys were used for, newest first, with the reason of every refusal that the caller was not told. */
export function Log() {
  const { filters, set, list, following, setLive, live } = useLog();
  const [open, setOpen] = useState<string>();
  useShortcuts([
    { key: '/', words: 'Search', run: focusSearch },
    { key: 'p', words: 'Pause or follow', run: () => setLive(!live) },
  ]);
  const rows: RequestRow[] | undefined = list.items;
  const newest = rows?.[0];
  return (
    <Page
      title="Request log"
      flush
      about={
        <>
          {following ? (
            <Tag tone="ok" icon="pulse">
              Live
            </Tag>
          ) : (
            <Tag icon="pause">Paused</Tag>
          )}
          {newest && <span class="small muted">newest {moment(newest.at, now.value, true)}</span>}
        </>
      }
      acts={
        <Button variant="ghost" icon={live ? 'pause' : 'play'} kbd="p" onClick={() => setLive(!live)}>
          {live ? 'Pause' : 'Follow'}
        </Button>
      }
      bar={<FilterBar filters={filters} set={set} />}
    >
      {rows && rows.length > 0 ? (
        <LogTable rows={rows} open={open} onOpen={(id) => setOpen(id === open ? undefined : id)} />
      ) : (
        <ListState
          what="The log can’t be shown"
          loading={list.loading && !rows}
          failure={list.failure}
          onRetry={list.reload}
          empty={
            <Empty title="No requests here." picture={<Icon name="list" class="icon--lg" />}>
              Every use of a key appears here within a second, also every refusal, with its reason.
            </Empty>
          }
        />
      )}
      <MoreRows hasMore={list.hasMore} loading={list.loading} onMore={list.more} />
    </Page>
  );
}
