import { useState } from 'preact/hooks';
import { type AuditEntry, NOBODY } from '../../../shared/contract/audit.ts';
import { type AuditQuery, listAudit } from '../../state/admin.ts';
import { now } from '../../state/clock.ts';
import { members } from '../../state/team.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { ago, clock, DAY, fullDay, moment, ms, number } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Avatar } from '../../ui/marks.tsx';
import { Empty } from '../../ui/notice.tsx';
import { useShortcuts } from '../../ui/shortcuts.ts';
import { usePaged, useSettled } from '../../ui/use-paged.ts';
import { When } from '../../ui/when.tsx';
import { Broken, ChainTag, type Check, ExportMenu, HeadButton, useCheck } from './audit-chain.tsx';
import { AUDIT_KINDS, actionWords, actorWords, changeWords } from './audit-words.ts';
import { Page } from './shell.tsx';
import { Choice, focusSearch, Heads, ListState, MoreRows, SearchBox } from './table-parts.tsx';

// Today by the clock alone, as the rest of the line is about one day anyway.
const entryTime = (at: string | number, present: number) =>
  present - ms(at) < DAY && moment(at, present).startsWith('today') ? clock(at, true) : moment(at, present);

/** By the name that a member has now; the entry itself has their address, which the title tells. */
const whoOf = (actor: AuditEntry['actor']): string =>
  members.value?.find((member) => member.id === actor.id)?.name ?? actorWords(actor);

function Row({ of: entry, broken }: { of: AuditEntry; broken: boolean }) {
  const [icon, verb] = actionWords(entry.action);
  const detail = [entry.source === 'outside' && 'outside the companion', changeWords(entry)]
    .filter(Boolean)
    .join(' · ');
  const who = whoOf(entry.actor);
  return (
    <tr class={broken ? 'is-broken' : undefined}>
      <td class="num subtle small">{number(entry.seq)}</td>
      <td class="small nowrap">
        <When at={entry.at} words={entryTime} />
      </td>
      <td>
        <span class="row" title={actorWords(entry.actor)}>
          <Avatar name={who} />
          <span class="truncate">{who}</span>
        </span>
      </td>
      <td>
        <span class="row">
          <span class={icon === 'x-circle' ? 'bad' : 'subtle'}>
            <Icon name={icon} />
          </span>
          <span class="truncate" title={`${entry.action} ${entry.target.name ?? entry.target.id}`}>
            {verb} <b class="semi">{entry.target.name ?? entry.target.id}</b>
          </span>
        </span>
      </td>
      <td class="small muted" title={detail}>
        <span class="two-lines">{detail}</span>
      </td>
      <td>{entry.ip ? <code class="muted">{entry.ip}</code> : <span class="subtle">—</span>}</td>
      <td>
        <span class="row" style="gap:6px">
          {entry.hash && (
            <>
              <span class={broken ? 'bad' : 'ok'}>
                <Icon name={broken ? 'warn' : 'chain'} class="icon--sm" />
                {broken && <span class="sr">The chain breaks here.</span>}
              </span>
              <code class={broken ? 'bad' : 'subtle'} title={entry.hash}>
                {entry.hash.slice(0, 8)}
              </code>
            </>
          )}
        </span>
      </td>
    </tr>
  );
}

function Table({ entries, brokenAt }: { entries: AuditEntry[]; brokenAt: number | undefined }) {
  return (
    <table class="table table--fixed table--audit">
      <caption class="sr">Audit log, newest first</caption>
      <Heads words={['No.', 'Time', 'Who', 'What', 'Detail', 'IP', 'Hash']} />
      <tbody>
        {entries.map((entry) => (
          <Row key={entry.seq} of={entry} broken={entry.seq === brokenAt} />
        ))}
      </tbody>
    </table>
  );
}

const PERIODS = [
  { value: '1', label: 'Last 24 hours' },
  { value: '7', label: 'Last 7 days' },
  { value: '30', label: 'Last 30 days' },
] as const;

interface Filters {
  search: string;
  kind: string | null;
  who: string | null;
  days: string | null;
}
const ALL: Filters = { search: '', kind: null, who: null, days: null };

function queryOf({ search, kind, who, days }: Filters, from: number): AuditQuery {
  return {
    ...(search.trim() ? { q: search.trim() } : {}),
    ...(kind ? { action: kind } : {}),
    ...(who ? { actor: who } : {}),
    ...(days ? { from: new Date(from - Number(days) * DAY).toISOString() } : {}),
  };
}

/** Members, and who acts without being one. */
const actors = () => [
  ...(members.value ?? []).map(({ id, name }) => ({ value: id, label: name })),
  ...NOBODY.map((type) => ({ value: type as string, label: actorWords({ type }) })),
];

/** Entries that are shown before the one that was asked for. */
const LEAD = 3;

/** The filters, or one entry with its neighbours: a jump to it leaves the filters behind, and the next filter leaves it. */
function useEntries() {
  const [filters, setFilters] = useState(ALL);
  const [jump, setJump] = useState<number>();
  const [opened] = useState(now.peek());
  const settled = useSettled(filters.search);
  const query = queryOf({ ...filters, search: settled }, opened);
  const start = jump === undefined ? {} : { cursor: String(jump + LEAD + 1) };
  const list = usePaged(JSON.stringify([query, start]), (cursor) =>
    listAudit({ ...query, ...(cursor ? { cursor } : start) }),
  );
  return {
    list,
    filters,
    jump,
    change: (part: Partial<Filters>) => {
      setFilters({ ...filters, ...part });
      setJump(undefined);
    },
    showEntry: (seq: number) => {
      setFilters(ALL);
      setJump(seq);
    },
    clear: () => {
      setFilters(ALL);
      setJump(undefined);
    },
    showNewest: () => setJump(undefined),
  };
}

type Entries = ReturnType<typeof useEntries>;

function Bar({ filters, change }: Pick<Entries, 'filters' | 'change'>) {
  return (
    <search class="filters">
      <SearchBox
        label="Search the audit log"
        hint="Person, key or hash"
        value={filters.search}
        onInput={(search) => change({ search })}
      />
      <Choice label="Action" value={filters.kind} options={AUDIT_KINDS} onChange={(kind) => change({ kind })} />
      <Choice label="Who" value={filters.who} options={actors()} onChange={(who) => change({ who })} />
      <Choice label="Date" value={filters.days} options={PERIODS} onChange={(days) => change({ days })} />
      <span class="small subtle end">Entries can’t be edited or deleted</span>
    </search>
  );
}

const aboutWords = ({ report, at }: Pick<Check, 'report' | 'at'>): string =>
  [
    report && `${number(report.entries)} entries${report.since ? ` since ${fullDay(report.since)}` : ''}`,
    at && `checked ${ago(at, now.value)}`,
  ]
    .filter(Boolean)
    .join(' · ');

/** Every change in the workspace, and whether the record of them is whole. */
export function Audit() {
  const { list, filters, jump, change, showEntry, clear, showNewest } = useEntries();
  const { check, verify } = useCheck();
  useShortcuts([{ key: '/', words: 'Search', run: focusSearch }]);
  const brokenAt = check.report?.valid === false ? check.report.brokenAt : undefined;
  return (
    <Page
      title="Audit log"
      flush
      about={
        <>
          <ChainTag check={check} />
          <span class="small muted truncate" role="status">
            {aboutWords(check)}
          </span>
        </>
      }
      acts={
        <>
          {check.report?.head && <HeadButton of={check.report.head} />}
          <Button variant="ghost" icon="refresh" busy={check.busy && 'Checking'} onClick={() => void verify()}>
            Verify again
          </Button>
          <ExportMenu urgent={brokenAt !== undefined} />
        </>
      }
      bar={<Bar filters={filters} change={change} />}
    >
      {brokenAt !== undefined && <Broken at={brokenAt} onShow={() => showEntry(brokenAt)} />}
      {jump !== undefined && (
        <p class="page__note small muted" role="status">
          From entry {number(jump + LEAD)} down.{' '}
          <LinkButton class="small link--inline" onClick={showNewest}>
            Show the newest
          </LinkButton>
        </p>
      )}
      {list.items && list.items.length > 0 ? (
        <Table entries={list.items} brokenAt={brokenAt} />
      ) : (
        <ListState
          what="The log can’t be shown"
          loading={list.loading}
          failure={list.failure}
          onRetry={list.reload}
          empty={<Empty title="No entries match." action={<LinkButton onClick={clear}>Clear filters.</LinkButton>} />}
        />
      )}
      <MoreRows hasMore={list.hasMore} loading={list.loading} onMore={list.more} />
    </Page>
  );
}
