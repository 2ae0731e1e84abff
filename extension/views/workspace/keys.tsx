import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { EXPIRATIONS, KEY_STATUSES, type Key } from '../../../shared/contract/keys.ts';
import { ENVIRONMENTS } from '../../../shared/key-format.ts';
import { type Filters, matches, NO_FILTERS } from '../../state/filters.ts';
import { allKeys, myKeys } from '../../state/keys.ts';
import { navigate } from '../../state/route.ts';
import { members, refreshTeam } from '../../state/team.ts';
import { dataAt, isAdmin, offline, refresh, refreshing, syncFailure, workspace } from '../../state/workspace.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { clock, count } from '../../ui/format.ts';
import { ENVIRONMENT_WORDS, isDead, STATUS_WORDS } from '../../ui/key-words.ts';
import { Quota } from '../../ui/marks.tsx';
import { Banner, Empty } from '../../ui/notice.tsx';
import { useShortcuts } from '../../ui/shortcuts.ts';
import { EXPIRATION_WORDS } from '../key-filters.tsx';
import { whyNoNewKey } from '../keys-states.tsx';
import { NoKeys } from '../no-keys.tsx';
import { BulkBar, BulkRevoke } from './bulk.tsx';
import { type Order, sortKeys } from './key-sort.ts';
import { KeyTable } from './key-table.tsx';
import { Page } from './shell.tsx';
import { Choice, focusSearch, ListState, SearchBox } from './table-parts.tsx';

// Of this page alone, and kept while it is open: the popup's list has filters of its own.
const filters = signal<Filters>(NO_FILTERS);
const order = signal<Order>({ by: 'created', descending: true });
const selected = signal<ReadonlySet<string>>(new Set());
const set = (change: Partial<Filters>) => {
  filters.value = { ...filters.value, ...change };
};

function FilterBar({ shown }: { shown: number }) {
  const { search, status, expiration, environment, owner } = filters.value;
  const on = status || expiration || environment || owner || search;
  return (
    <search class="filters">
      <SearchBox label="Search keys" hint="Name or prefix" value={search} onInput={(text) => set({ search: text })} />
      <Choice
        label="Status"
        value={status}
        options={KEY_STATUSES.map((value) => ({ value, label: STATUS_WORDS[value] }))}
        onChange={(value) => set({ status: value })}
      />
      <Choice
        label="Expiration"
        value={expiration}
        options={EXPIRATIONS.map((value) => ({ value, label: EXPIRATION_WORDS[value] }))}
        onChange={(value) => set({ expiration: value })}
      />
      <Choice
        label="Environment"
        value={environment}
        options={ENVIRONMENTS.map((value) => ({ value, label: ENVIRONMENT_WORDS[value].long }))}
        onChange={(value) => set({ environment: value })}
      />
      {isAdmin.value && members.value && (
        <Choice
          label="Owner"
          value={owner}
          options={members.value.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={(value) => set({ owner: value })}
        />
      )}
      {on && (
        <LinkButton class="small" onClick={() => set(NO_FILTERS)}>
          Clear filters
        </LinkButton>
      )}
      <span class="small subtle end" role="status">
        {count(shown, 'key')}
      </span>
    </search>
  );
}

function Banners() {
  if (!offline.value || dataAt.value === undefined) return null;
  return (
    <Banner
      icon="wifi-off"
      action={<LinkButton onClick={() => void refresh()}>{refreshing.value ? 'Trying…' : 'Retry'}</LinkButton>}
    >
      <b>Can’t reach the server.</b> Showing keys as of {clock(dataAt.value)}. Changes need the server.
    </Banner>
  );
}

/** The keys that the reader may see, and which of them are shown, selected and acted on. */
function useShownKeys() {
  const all = (isAdmin.value ? allKeys.value : myKeys.value) ?? myKeys.value;
  const shown =
    all &&
    sortKeys(
      all.filter((key) => matches(key, filters.value)),
      order.value,
    );
  // What a filter hides is not acted on.
  const chosen = shown?.filter((key) => selected.value.has(key.id) && !isDead(key.status)) ?? [];
  return { all, shown, chosen };
}

const clearSelection = () => {
  selected.value = new Set();
};

function List({ all, shown }: Pick<ReturnType<typeof useShownKeys>, 'all' | 'shown'>) {
  if (shown && shown.length > 0)
    return (
      <KeyTable
        keys={shown}
        order={order.value}
        selected={selected.value}
        onOrder={(next) => {
          order.value = next;
        }}
        onSelect={(next) => {
          selected.value = next;
        }}
      />
    );
  if (all?.length === 0)
    return (
      <div class="page__narrow">
        <NoKeys />
      </div>
    );
  return (
    <ListState
      what="The keys can’t be shown"
      loading={!all}
      failure={all ? undefined : (syncFailure.value ?? undefined)}
      onRetry={() => void refresh()}
      empty={
        <Empty title="No keys match.">
          <LinkButton onClick={() => set(NO_FILTERS)}>Clear filters.</LinkButton>
        </Empty>
      }
    />
  );
}

const NewKey = () => (
  <Button variant="primary" icon="plus" kbd="n" unavailable={whyNoNewKey()} onClick={() => navigate({ screen: 'new' })}>
    New key
  </Button>
);

/** Every key that the reader may see; admins see everyone's. */
export function WorkspaceKeys() {
  const [confirming, setConfirming] = useState<Key[]>();
  const current = workspace.value;
  const { all, shown, chosen } = useShownKeys();
  useEffect(() => {
    if (isAdmin.peek()) void refreshTeam();
    return clearSelection;
  }, []);
  useShortcuts([
    { key: 'n', words: 'New key', run: () => whyNoNewKey() ?? navigate({ screen: 'new' }) },
    { key: '/', words: 'Search', run: focusSearch },
    ...(chosen.length > 0 ? [{ key: 'Escape', words: 'Clear the selection', run: clearSelection }] : []),
  ]);
  return (
    <Page
      title="Keys"
      flush
      about={current && <Quota used={current.keysUsed} limit={current.keyLimit} />}
      acts={<NewKey />}
      bar={
        <>
          <Banners />
          {chosen.length > 0 ? (
            <BulkBar keys={chosen} onClear={clearSelection} onRevoke={() => setConfirming(chosen)} />
          ) : (
            <FilterBar shown={shown?.length ?? 0} />
          )}
        </>
      }
    >
      <List all={all} shown={shown} />
      {confirming && (
        <BulkRevoke
          keys={confirming}
          onClose={() => setConfirming(undefined)}
          onDone={() => {
            setConfirming(undefined);
            clearSelection();
          }}
        />
      )}
    </Page>
  );
}
