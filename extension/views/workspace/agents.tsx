import { useState } from 'preact/hooks';
import { ENROL_PERMISSION } from '../../../shared/agent-protocol.ts';
import type { Agent } from '../../../shared/contract/agents.ts';
import { agentCounts, listAgents } from '../../state/agents.ts';
import { workspace } from '../../state/workspace.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { count } from '../../ui/format.ts';
import { Banner, Callout, Empty } from '../../ui/notice.tsx';
import { useShortcuts } from '../../ui/shortcuts.ts';
import { usePaged } from '../../ui/use-paged.ts';
import { EnrolAgent, RemoveAgent } from './agent-dialogs.tsx';
import { ExportAgents } from './agent-export.tsx';
import { AgentFilterBar, useAgentFilters } from './agent-filters.tsx';
import { AgentTable } from './agent-table.tsx';
import { Page } from './shell.tsx';
import { focusSearch, ListState, MoreRows } from './table-parts.tsx';

/** How often it is asked who is connected: what the server knows is shown within a second. */
const PRESENCE_MS = 500;

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

const OutOfDate = () => (
  <Banner icon="wifi-off">
    <b>Who is connected is not known now.</b> What is shown may be out of date.
  </Banner>
);

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

/** Agents, who enrolled them with which key, and whether they are connected. */
export function Agents() {
  const { filters, set, clear, query } = useAgentFilters();
  const [removing, setRemoving] = useState<Agent>();
  const [enrolling, setEnrolling] = useState(false);
  const list = usePaged(
    JSON.stringify([workspace.value?.id, query]),
    (cursor) => listAgents({ ...query, ...(cursor ? { cursor } : {}) }),
    PRESENCE_MS,
  );
  useShortcuts([{ key: '/', words: 'Search', run: focusSearch }]);
  const some = list.items !== undefined && list.items.length > 0;
  return (
    <Page
      title="Agents"
      flush
      about={<About />}
      acts={
        <>
          <ExportAgents of={query} some={some} />
          <Button icon="plus" onClick={() => setEnrolling(true)}>
            Enrol an agent
          </Button>
        </>
      }
      bar={
        <>
          {some && list.failure && <OutOfDate />}
          <AgentFilterBar filters={filters} set={set} clear={clear} />
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
          empty={<NoAgents filtered={Object.keys(query).length > 0} onClear={clear} />}
        />
      )}
      <MoreRows hasMore={list.hasMore} loading={list.loading} onMore={list.more} />
      {removing && <RemoveAgent of={removing} onClose={() => setRemoving(undefined)} onDone={list.reload} />}
      {enrolling && <EnrolAgent onClose={() => setEnrolling(false)} />}
    </Page>
  );
}
