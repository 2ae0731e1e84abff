import { useEffect, useState } from 'preact/hooks';
import type { AuditEntry, ChainReport } from '../../../shared/contract/audit.ts';
import type { Failure } from '../../messages/failure.ts';
import { type AuditQuery, exportAudit, listAudit, verifyAudit } from '../../state/admin.ts';
import { now } from '../../state/clock.ts';
import { showFailure } from '../../state/toasts.ts';
import { Button } from '../../ui/button.tsx';
import { ago, clock, DAY, moment, ms, number } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Avatar, Tag } from '../../ui/marks.tsx';
import { MenuItem, useMenu } from '../../ui/menu.tsx';
import { Callout, Empty } from '../../ui/notice.tsx';
import { useShortcuts } from '../../ui/shortcuts.ts';
import { usePaged, useSettled } from '../../ui/use-paged.ts';
import { When } from '../../ui/when.tsx';
import { saveFile } from '../save-file.ts';
import { AUDIT_KINDS, actionWords, actorWords, changeWords } from './audit-words.ts';
import { Page } from './shell.tsx';
import { Choice, focusSearch, ListState, MoreRows, SearchBox } from './table-parts.tsx';

function ExportMenu({ urgent }: { urgent: boolean }) {
  const menu = useMenu();
  const [busy, setBusy] = useState(false);
  const save = async (format: 'jsonl' | 'csv') => {
    setBusy(true);
    const result = await exportAudit(format);
    setBusy(false);
    if (!result.ok) return showFailure('The log was not exported', result.failure);
    saveFile(`audit-log.${format}`, format === 'csv' ? 'text/csv' : 'application/jsonl', result.value);
  };
  return (
    <>
      <Button
        variant={urgent ? 'primary' : 'secondary'}
        icon="download"
        busy={busy && 'Exporting'}
        popup="menu"
        expanded={menu.open}
        buttonRef={menu.opener}
        onClick={menu.toggle}
      >
        {urgent ? 'Export now' : 'Export'}
      </Button>
      {menu.show({
        label: 'Export the whole log',
        align: 'end',
        children: (
          <>
            <MenuItem icon="code" onSelect={menu.choose(() => void save('jsonl'))}>
              JSON Lines
            </MenuItem>
            <MenuItem icon="grid" onSelect={menu.choose(() => void save('csv'))}>
              CSV for a spreadsheet
            </MenuItem>
          </>
        ),
      })}
    </>
  );
}

interface Check {
  report?: ChainReport;
  failure?: Failure;
  at?: number;
  busy: boolean;
}

/** The chain is checked when the page is opened, and again on request. */
function useCheck() {
  const [check, setCheck] = useState<Check>({ busy: true });
  const verify = async () => {
    setCheck((before) => ({ ...before, busy: true }));
    const result = await verifyAudit();
    setCheck({ busy: false, at: Date.now(), ...(result.ok ? { report: result.value } : { failure: result.failure }) });
  };
  useEffect(() => {
    void verify();
  }, []);
  return { check, verify };
}

function ChainTag({ check }: { check: Check }) {
  if (check.failure)
    return (
      <Tag tone="warn" icon="alert">
        Not checked
      </Tag>
    );
  if (!check.report) return <Tag icon="refresh">Checking</Tag>;
  return check.report.valid ? (
    <Tag tone="ok" icon="shield-check">
      Chain verified
    </Tag>
  ) : (
    <Tag tone="bad" icon="warn">
      Chain broken
    </Tag>
  );
}

function Broken({ at }: { at: number }) {
  return (
    <div class="page__note">
      <Callout tone="bad" icon="warn" live>
        <p>
          <b>The chain breaks at entry {number(at)}.</b> It does not match entry {number(at - 1)}, so something there
          was changed outside Heex Keys. Keep this server as it is. Export the log now and compare it with a copy that
          you kept elsewhere.
        </p>
      </Callout>
    </div>
  );
}

// Today by the clock alone, as the rest of the line is about one day anyway.
const entryTime = (at: string | number, present: number) =>
  present - ms(at) < DAY && moment(at, present).startsWith('today') ? clock(at, true) : moment(at, present);

function Row({ of: entry, broken }: { of: AuditEntry; broken: boolean }) {
  const [icon, verb] = actionWords(entry.action);
  const detail = changeWords(entry);
  const who = actorWords(entry.actor);
  return (
    <tr>
      <td class="num subtle small">{number(entry.seq)}</td>
      <td class="small nowrap">
        <When at={entry.at} words={entryTime} />
      </td>
      <td>
        <span class="row" title={who}>
          <Avatar name={who} />
          <span class="truncate">{who}</span>
        </span>
      </td>
      <td>
        <span class="row">
          <span class="subtle">
            <Icon name={icon} />
          </span>
          <span class="truncate" title={`${entry.action} ${entry.target.name ?? entry.target.id}`}>
            {verb} <b class="semi">{entry.target.name ?? entry.target.id}</b>
          </span>
        </span>
      </td>
      <td class="small muted" title={detail}>
        {detail}
      </td>
      <td>{entry.ip ? <code class="muted">{entry.ip}</code> : <span class="subtle">—</span>}</td>
      <td>
        <span class="row" style="gap:6px">
          {entry.hash && (
            <>
              <span class={broken ? 'bad' : 'ok'}>
                <Icon name={broken ? 'warn' : 'chain'} class="icon--sm" />
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

const HEADS = ['No.', 'Time', 'Who', 'What', 'Detail', 'IP', 'Hash'];

function Table({ entries, brokenAt }: { entries: AuditEntry[]; brokenAt: number | undefined }) {
  return (
    <table class="table table--fixed table--audit">
      <caption class="sr">Audit log, newest first</caption>
      <thead>
        <tr>
          {HEADS.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
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

function queryOf(search: string, kind: string | null, days: string | null, from: number): AuditQuery {
  return {
    ...(search.trim() ? { target: search.trim() } : {}),
    ...(kind ? { action: kind } : {}),
    ...(days ? { from: new Date(from - Number(days) * DAY).toISOString() } : {}),
  };
}

/** Every change in the workspace, and whether the record of them is whole. */
export function Audit() {
  const [search, setSearch] = useState('');
  const settled = useSettled(search);
  const [kind, setKind] = useState<string | null>(null);
  const [days, setDays] = useState<string | null>(null);
  const [opened] = useState(now.peek());
  const { check, verify } = useCheck();
  const query = queryOf(settled, kind, days, opened);
  const list = usePaged(JSON.stringify(query), (cursor) => listAudit({ ...query, ...(cursor ? { cursor } : {}) }));
  useShortcuts([{ key: '/', words: 'Search', run: focusSearch }]);
  const brokenAt = check.report?.valid === false ? check.report.brokenAt : undefined;
  return (
    <Page
      title="Audit log"
      flush
      about={
        <>
          <ChainTag check={check} />
          <span class="small muted" role="status">
            {check.report && `${number(check.report.entries)} entries`}
            {check.at && ` · checked ${ago(check.at, now.value)}`}
          </span>
        </>
      }
      acts={
        <>
          <Button variant="ghost" icon="refresh" busy={check.busy && 'Checking'} onClick={() => void verify()}>
            Verify again
          </Button>
          <ExportMenu urgent={brokenAt !== undefined} />
        </>
      }
      bar={
        <search class="filters">
          <SearchBox label="Search the audit log" hint="Exact name or id" value={search} onInput={setSearch} />
          <Choice label="What" value={kind} options={AUDIT_KINDS} onChange={setKind} />
          <Choice label="When" value={days} options={PERIODS} onChange={setDays} />
          <span class="small subtle end">Entries can’t be edited or deleted</span>
        </search>
      }
    >
      {brokenAt !== undefined && <Broken at={brokenAt} />}
      {list.items && list.items.length > 0 ? (
        <Table entries={list.items} brokenAt={brokenAt} />
      ) : (
        <ListState
          what="The log can’t be shown"
          loading={list.loading}
          failure={list.failure}
          onRetry={list.reload}
          empty={<Empty title="No entries match." />}
        />
      )}
      <MoreRows hasMore={list.hasMore} loading={list.loading} onMore={list.more} />
    </Page>
  );
}
