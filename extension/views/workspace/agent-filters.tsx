import { useState } from 'preact/hooks';
import { AGENT_STATES, type Agent } from '../../../shared/contract/agents.ts';
import { KEY_STATUSES, type KeyStatus } from '../../../shared/contract/keys.ts';
import { type AgentQuery, agentVersions } from '../../state/agents.ts';
import { members } from '../../state/team.ts';
import { isAdmin } from '../../state/workspace.ts';
import { LinkButton } from '../../ui/button.tsx';
import { STATUS_WORDS } from '../../ui/key-words.ts';
import { useSettled } from '../../ui/use-paged.ts';
import { AGENT_STATE_WORDS } from '../agent-words.ts';
import { Choice, SearchBox } from './table-parts.tsx';

interface Filters {
  search: string;
  state: Agent['state'] | null;
  keyStatus: KeyStatus | null;
  owner: string | null;
  version: string | null;
}
const NO_FILTERS: Filters = { search: '', state: null, keyStatus: null, owner: null, version: null };

/** What the list of agents is narrowed to, and the question that this is once the typing has stopped. */
export function useAgentFilters() {
  const [filters, setFilters] = useState(NO_FILTERS);
  const { search, ...exact } = filters;
  const asked = { q: useSettled(search).trim(), ...exact };
  const query: Partial<AgentQuery> = Object.fromEntries(Object.entries(asked).filter(([, value]) => value));
  const set = (change: Partial<Filters>) => setFilters({ ...filters, ...change });
  return { filters, set, clear: () => setFilters(NO_FILTERS), query };
}

type BarProps = Pick<ReturnType<typeof useAgentFilters>, 'filters' | 'set' | 'clear'>;

export function AgentFilterBar({ filters, set, clear }: BarProps) {
  const { search, state, keyStatus, owner, version } = filters;
  // The one that is chosen stays to be seen, also when the last agent of it was updated.
  const versions = new Set([...(version ? [version] : []), ...agentVersions.value]);
  return (
    <search class="filters">
      <SearchBox
        label="Search agents"
        hint="Agent, key or member"
        value={search}
        onInput={(text) => set({ search: text })}
      />
      <Choice
        label="State"
        value={state}
        options={AGENT_STATES.map((value) => ({ value, label: AGENT_STATE_WORDS[value] }))}
        onChange={(value) => set({ state: value })}
      />
      <Choice
        label="Key status"
        value={keyStatus}
        options={KEY_STATUSES.map((value) => ({ value, label: STATUS_WORDS[value] }))}
        onChange={(value) => set({ keyStatus: value })}
      />
      {isAdmin.value && members.value && (
        <Choice
          label="Enrolled by"
          value={owner}
          options={members.value.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={(value) => set({ owner: value })}
        />
      )}
      {versions.size > 0 && (
        <Choice
          label="Version"
          value={version}
          options={[...versions].map((value) => ({ value, label: value }))}
          onChange={(value) => set({ version: value })}
        />
      )}
      {Object.values(filters).some(Boolean) && (
        <LinkButton class="small" onClick={clear}>
          Clear filters
        </LinkButton>
      )}
    </search>
  );
}
