import { useState } from 'preact/hooks';
import { ENROL_PERMISSION } from '../../../shared/agent-protocol.ts';
import { AGENT_STATES, type Agent } from '../../../shared/contract/agents.ts';
import { type AgentQuery, agentCounts, listAgents } from '../../state/agents.ts';
import { members } from '../../state/team.ts';
import { isAdmin, workspace } from '../../state/workspace.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { count } from '../../ui/format.ts';
import { Banner, Callout, Empty } from '../../ui/notice.tsx';
import { useShortcuts } from '../../ui/shortcuts.ts';
import { usePaged, useSettled } from '../../ui/use-paged.ts';
import { EnrolAgent, RemoveAgent } from './agent-dialogs.tsx';
import { AgentTable, STATES } from './agent-table.tsx';
import { Page } from './shell.tsx';
import { Choice, focusSearch, ListState, MoreRows, SearchBox } from './table-parts.tsx';

/** How often it is asked who is connected: what the server knows is shown within a second. */
const PRESENCE_MS = 500;

interface Filters {
  search: string;
  state: Agent['state'] | null;
  owner: string | null;
}
const NO_FILTERS: Filters = { search: '', state: null, owner: null };

function FilterBar({ filters, onChange }: { filters: Filters; onChange: (filters: Filters) => void }) {
  const { search, state, owner } = filters;
  return (
    <search class="filters">
      <SearchBox
        label="Search agents"
        hint="Agent, key or member"
        value={search}
        onInput={(text) => onChange({ ...filters, search: text })}
      />
      <Choice
        label="State"
        value={state}
        options={AGENT_STATES.map((value) => ({ value, label: STATES[value].words }))}
        onChange={(value) => onChange({ ...filters, state: value })}
      />
      {isAdmin.value && members.value && (
        <Choice
          label="Enrolled by"
          value={owner}
          options={members.value.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={(value) => onChange({ ...filters, owner: value })}
        />
      )}
      {(search || state || owner) && (
        <LinkButton class="small" onClick={() => onChange(NO_FILTERS)}>
          Clear filters
        </LinkButton>
      )}
    </search>
  );
}

function KeyGone() {
  const gone = agentCounts.value?.keyGone ?? 0;
  if (gone === 0) return null;
  return (
    <div class="page__note">
      <Callout tone="info">
        <p>
          <b>
            {count(gone, 'running agent was', 'running agents were')} enrolled with a key that no longer works. That’s
            fine.
          </b>{' '}
          An agent uses its key once, at install. Revoking the key never disrupts it.
        </p>
      </Callout>
    </div>
  );
}

function About() {
  const counts = agentCounts.value;
  if (!counts) return null;
  return (
    <span class="small muted">
      {counts.connected} running · {counts.total - counts.connected} not connected
    </span>
  );
}

function NoAgents({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  return filtered ? (
    <Empty title="No agents match.">
      <LinkButton onClick={onClear}>Clear filters.</LinkButton>
    </Empty>
  ) : (
    <Empty title="No agents yet">
      An agent enrols itself once with an API key that has the permission {ENROL_PERMISSION}, and needs no key after
      that.
    </Empty>
  );
}

const optional = <K extends string, V>(name: K, value: V | null) =>
  value === null || value === '' ? {} : { [name]: value };

/** The agents that match, read anew while they are looked at. */
function useAgents({ search, state, owner }: Filters) {
  const q = useSettled(search).trim();
  const query: Partial<AgentQuery> = { ...optional('q', q), ...optional('state', state), ...optional('owner', owner) };
  const filtered = Object.keys(query).length > 0;
  const question = JSON.stringify([workspace.value?.id, query]);
  const read = (cursor: string | undefined) => listAgents({ ...query, ...optional('cursor', cursor ?? null) });
  return { ...usePaged(question, read, PRESENCE_MS), filtered };
}

/** Agents, who enrolled them with which key, and whether they are connected. */
export function Agents() {
  const [filters, setFilters] = useState(NO_FILTERS);
  const [removing, setRemoving] = useState<Agent>();
  const [enrolling, setEnrolling] = useState(false);
  const list = useAgents(filters);
  useShortcuts([{ key: '/', words: 'Search', run: focusSearch }]);
  const some = list.items !== undefined && list.items.length > 0;
  return (
    <Page
      title="Agents"
      flush
      about={<About />}
      acts={
        <Button icon="plus" onClick={() => setEnrolling(true)}>
          Enrol an agent
        </Button>
      }
      bar={
        <>
          {some && list.failure && (
            <Banner icon="wifi-off">
              <b>Who is connected is not known now.</b> What is shown may be out of date.
            </Banner>
          )}
          <FilterBar filters={filters} onChange={setFilters} />
        </>
      }
    >
      <KeyGone />
      {list.items && some ? (
        <AgentTable agents={list.items} onRemove={setRemoving} />
      ) : (
        <ListState
          what="The agents can’t be shown"
          loading={list.loading}
          failure={list.failure}
          onRetry={list.reload}
          empty={<NoAgents filtered={list.filtered} onClear={() => setFilters(NO_FILTERS)} />}
        />
      )}
      <MoreRows hasMore={list.hasMore} loading={list.loading} onMore={list.more} />
      {removing && <RemoveAgent of={removing} onClose={() => setRemoving(undefined)} onDone={list.reload} />}
      {enrolling && <EnrolAgent onClose={() => setEnrolling(false)} />}
    </Page>
  );
}
