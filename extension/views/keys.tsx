import { signal } from '@preact/signals';
import type { Key } from '../../shared/contract/keys.ts';
import { connection } from '../state/connection.ts';
import {
  clearFilters,
  environmentCounts,
  filteredKeys,
  filters,
  filtersActive,
  keysInScope,
  setFilters,
} from '../state/filters.ts';
import { usageOf } from '../state/keys.ts';
import { navigate } from '../state/route.ts';
import { dataAt, offline, refresh, refreshing, syncFailure, workspace } from '../state/workspace.ts';
import { Button, LinkButton } from '../ui/button.tsx';
import { Chips } from '../ui/choice.tsx';
import { FailureNote } from '../ui/failure-note.tsx';
import { clock } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Kbd } from '../ui/kbd.tsx';
import { isDead } from '../ui/key-words.ts';
import { Env, Quota, Tag } from '../ui/marks.tsx';
import { SkeletonRows } from '../ui/notice.tsx';
import { PopupPage } from '../ui/page.tsx';
import { ActiveFilters, FilterMenu } from './key-filters.tsx';
import { KeyRow } from './key-row.tsx';
import { RowKeys } from './key-shortcuts.tsx';
import { isMine, NoMatch, StateBanners, Upgrade, whyNoNewKey } from './keys-states.tsx';
import { NoKeys } from './no-keys.tsx';
import { openShortcuts } from './shortcut-list.tsx';
import { TopBar } from './top-bar.tsx';

/** The row that was chosen last: back from its detail, the focus is there again. */
const chosen = signal<string | null>(null);

const searchBox = () => document.querySelector<HTMLInputElement>('.popup__tools input');

function Tools() {
  const { search } = filters.value;
  return (
    <div class="popup__tools">
      <div class="input-wrap grow">
        <Icon name="search" />
        <input
          class="input"
          type="search"
          aria-label="Search keys"
          placeholder="Search keys"
          autocomplete="off"
          spellcheck={false}
          value={search}
          data-autofocus={chosen.peek() ? undefined : true}
          onInput={(event) => setFilters({ search: event.currentTarget.value })}
        />
        {search === '' && <Kbd keys="/" />}
      </div>
      <Button
        variant="primary"
        icon="plus"
        kbd="n"
        unavailable={whyNoNewKey()}
        onClick={() => navigate({ screen: 'new' })}
      >
        New key
      </Button>
    </div>
  );
}

function FilterBar() {
  const counts = environmentCounts.value;
  return (
    <div class="popup__filters">
      <div class="row row--between">
        <Chips
          label="Environment"
          value={filters.value.environment ?? 'all'}
          options={[
            { value: 'all', label: 'All', note: counts.all },
            { value: 'production', label: <Env of="production" short />, note: counts.production },
            { value: 'staging', label: <Env of="staging" short />, note: counts.staging },
            { value: 'development', label: <Env of="development" short />, note: counts.development },
          ]}
          onChange={(value) => setFilters({ environment: value === 'all' ? null : value })}
        />
        <FilterMenu />
      </div>
      <ActiveFilters />
    </div>
  );
}

function Rows({ keys, label }: { keys: Key[]; label: string }) {
  const first = filteredKeys.value?.some((key) => key.id === chosen.value) ? chosen.value : ordered()[0]?.id;
  return (
    <ul aria-label={label}>
      {keys.map((key) => (
        <KeyRow
          key={key.id}
          of={key}
          usage={usageOf(key.id)}
          mine={isMine(key)}
          stop={key.id === first}
          onFocus={() => {
            chosen.value = key.id;
          }}
          onOpen={() => navigate({ screen: 'key', id: key.id })}
        />
      ))}
    </ul>
  );
}

/** Working keys, then those that no longer work; each as the server lists them. */
const ordered = () => {
  const keys = filteredKeys.value ?? [];
  return [...keys.filter((key) => !isDead(key.status)), ...keys.filter((key) => isDead(key.status))];
};

function List() {
  const keys = filteredKeys.value;
  if (!keys) return syncFailure.value ? <FirstReadFailed /> : <SkeletonRows />;
  if (keysInScope.value?.length === 0 && !filtersActive.value) return <NoKeys />;
  if (keys.length === 0) return <NoMatch onClear={clearFilters} />;
  const working = keys.filter((key) => !isDead(key.status));
  const dead = keys.filter((key) => isDead(key.status));
  return (
    <>
      <p class="sr" role="status">
        {keys.length === 1 ? '1 key' : `${keys.length} keys`}
      </p>
      {working.length > 0 && <Rows keys={working} label="Working keys" />}
      {dead.length > 0 && (
        <>
          <h2 class="group-label">
            No longer working<span class="num">{dead.length}</span>
          </h2>
          <Rows keys={dead} label="Keys that no longer work" />
        </>
      )}
    </>
  );
}

function FirstReadFailed() {
  const failure = syncFailure.value;
  return (
    failure && (
      <div class="popup__pad stack">
        <FailureNote what="Your keys can’t be shown" failure={failure} />
        <Button icon="refresh" busy={refreshing.value && 'Trying'} onClick={() => void refresh()}>
          Try again
        </Button>
      </div>
    )
  );
}

function Foot() {
  if (dataAt.value === undefined && syncFailure.value) {
    return (
      <>
        <Icon name="wifi-off" class="icon--sm" />
        <span>Nothing read yet</span>
      </>
    );
  }
  if (offline.value && dataAt.value !== undefined) {
    return (
      <>
        <Icon name="wifi-off" class="icon--sm" />
        <span>Last synced {clock(dataAt.value)} · changes need the server</span>
      </>
    );
  }
  const failed = syncFailure.value !== null;
  return (
    <>
      {refreshing.value || dataAt.value === undefined ? (
        <span class="spinner" />
      ) : (
        <Icon name={failed ? 'warn' : 'ok'} class={`icon--sm ${failed ? 'warn' : 'ok'}`} />
      )}
      <span>
        {refreshing.value || dataAt.value === undefined ? 'Refreshing' : failed ? 'Not refreshed' : 'Up to date'}
      </span>
      <span class="end row" aria-hidden="true">
        <Kbd keys="ArrowUp" />
        <Kbd keys="ArrowDown" /> choose <Kbd keys="Enter" /> open
      </span>
      <LinkButton class="link--quiet small" onClick={openShortcuts}>
        <Kbd keys="?" /> shortcuts
      </LinkButton>
    </>
  );
}

function TopEnd() {
  const current = workspace.value;
  if (!current) return null;
  if (current.plan === 'starter') return <Tag>Starter plan</Tag>;
  return <Quota used={current.keysUsed} limit={current.keyLimit} />;
}

/** One's own keys, found by name, prefix, environment and status. */
export function Keys() {
  const withoutPlan = workspace.value?.plan === 'starter' && keysInScope.value?.length === 0;
  const blank = keysInScope.value?.length === 0 && !filtersActive.value;
  return (
    <PopupPage
      scrollName="keys"
      quiet
      foot={connection.value.status === 'connected' && <Foot />}
      top={
        <>
          <TopBar title="Keys" at="keys" end={<TopEnd />} />
          <StateBanners />
          {!blank && (
            <search>
              <Tools />
              <FilterBar />
            </search>
          )}
        </>
      }
    >
      <RowKeys chosen={chosen} order={ordered} search={searchBox} />
      {withoutPlan ? <Upgrade /> : <List />}
    </PopupPage>
  );
}
