import { useState } from 'preact/hooks';
import type { Agent } from '../../../shared/contract/agents.ts';
import type { Failure } from '../../messages/failure.ts';
import { type AgentQuery, listAgents, removeAgent } from '../../state/admin.ts';
import { now } from '../../state/clock.ts';
import { navigate } from '../../state/route.ts';
import { members } from '../../state/team.ts';
import { showToast } from '../../state/toasts.ts';
import { isAdmin } from '../../state/workspace.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNote } from '../../ui/failure-note.tsx';
import { ago, count, day, fullDay } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { reasonWords } from '../../ui/key-words.ts';
import { Prefix, Status } from '../../ui/marks.tsx';
import { MenuItem, useMenu } from '../../ui/menu.tsx';
import { Callout, Empty } from '../../ui/notice.tsx';
import { useShortcuts } from '../../ui/shortcuts.ts';
import { usePaged, useSettled } from '../../ui/use-paged.ts';
import { When } from '../../ui/when.tsx';
import { Page } from './shell.tsx';
import { Choice, focusSearch, ListState, MoreRows, SearchBox } from './table-parts.tsx';

const STATES = {
  connected: { icon: 'pulse', tone: 'active', words: 'Running' },
  disconnected: { icon: 'wifi-off', tone: 'disabled', words: 'Not seen' },
  never_connected: { icon: 'hourglass', tone: 'disabled', words: 'Never seen' },
} as const;

function State({ of: agent }: { of: Agent }) {
  const { icon, tone, words } = STATES[agent.state];
  return (
    <span class={`status status--${tone}`}>
      <Icon name={icon} />
      {words}
    </span>
  );
}

/** What has become of the key: nothing of it stops the agent, so it is told without alarm. */
function KeyNow({ of: { enrolledKey } }: { of: Agent }) {
  const { status, revokedAt, revokedReason, expiresAt } = enrolledKey;
  const at = status === 'revoked' ? revokedAt : status === 'expired' ? expiresAt : null;
  const why = status === 'revoked' && revokedReason ? `${reasonWords(revokedReason, false)}, ` : '';
  return (
    <span class="cell">
      <Status of={{ status, revokedReason }} note="" />
      {at && (
        <small>
          {why}
          {day(at, now.value)}
        </small>
      )}
    </span>
  );
}

function AgentMenu({ of: agent, onRemove }: { of: Agent; onRemove: () => void }) {
  const menu = useMenu();
  return (
    <>
      <Button
        variant="ghost"
        size="sm"
        icon="more"
        label={`Actions for ${agent.name}`}
        popup="menu"
        expanded={menu.open}
        buttonRef={menu.opener}
        onClick={menu.toggle}
      />
      {menu.show({
        label: agent.name,
        align: 'end',
        children: (
          <>
            <MenuItem icon="key" onSelect={menu.choose(() => navigate({ screen: 'key', id: agent.enrolledKey.id }))}>
              Open its key
            </MenuItem>
            <hr />
            <MenuItem icon="trash" danger onSelect={menu.choose(onRemove)}>
              Remove the agent…
            </MenuItem>
          </>
        ),
      })}
    </>
  );
}

function Row({ of: agent, onRemove }: { of: Agent; onRemove: () => void }) {
  const host = [agent.hostName, agent.platform].filter(Boolean).join(' · ');
  return (
    <tr>
      <td>
        <span class="cell">
          <b class="semi" title={agent.name}>
            {agent.name}
          </b>
          <small title={host}>{host || '—'}</small>
        </span>
      </td>
      <td>
        <State of={agent} />
      </td>
      <td>{agent.lastSeenAt ? <When at={agent.lastSeenAt} words={ago} /> : <span class="subtle">never</span>}</td>
      <td>
        <span class="cell">
          <span title={agent.enrolledKey.name}>{agent.enrolledKey.name}</span>
          <small>
            <Prefix of={agent.enrolledKey.prefix} />
          </small>
        </span>
      </td>
      <td>
        <KeyNow of={agent} />
      </td>
      <td>
        <span class="cell">
          {agent.enrolledBy.name}
          <small>{fullDay(agent.enrolledAt)}</small>
        </span>
      </td>
      <td>{agent.version ? <code>{agent.version}</code> : <span class="subtle">—</span>}</td>
      <td class="r">
        <AgentMenu of={agent} onRemove={onRemove} />
      </td>
    </tr>
  );
}

const HEADS = ['Agent', 'State', 'Last seen', 'Enrolled with', 'Key now', 'Enrolled by', 'Version'];

function Table({ agents, onRemove }: { agents: Agent[]; onRemove: (agent: Agent) => void }) {
  return (
    <table class="table table--fixed table--agents">
      <caption class="sr">Agents, newest first</caption>
      <thead>
        <tr>
          {HEADS.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
          <th scope="col">
            <span class="sr">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {agents.map((agent) => (
          <Row key={agent.id} of={agent} onRemove={() => onRemove(agent)} />
        ))}
      </tbody>
    </table>
  );
}

function RemoveDialog({ of: agent, onClose, onDone }: { of: Agent; onClose: () => void; onDone: () => void }) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const act = async () => {
    setBusy(true);
    const result = await removeAgent(agent.id);
    setBusy(false);
    if (!result.ok) return setFailure(result.failure);
    showToast(`${agent.name} removed`);
    onClose();
    onDone();
  };
  return (
    <Dialog
      alert
      title={`Remove ${agent.name}?`}
      subtitle={[agent.hostName, agent.platform].filter(Boolean).join(' · ')}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="danger" busy={busy && 'Removing'} onClick={() => void act()}>
            Remove agent
          </Button>
        </>
      }
    >
      <div class="stack" style="--gap:12px">
        {failure && <FailureNote what="The agent was not removed" failure={failure} />}
        <p class="muted">
          Its connection ends at once and it can never connect again. To bring it back it has to be enrolled anew, with
          a working key.
        </p>
        {agent.state === 'connected' && (
          <Callout tone="bad" icon="pulse">
            <p>
              <b>It is running now.</b>
            </p>
          </Callout>
        )}
      </div>
    </Dialog>
  );
}

const optional = <K extends string, V>(name: K, value: V | null) =>
  value === null || value === '' ? {} : { [name]: value };

/** Agents, who enrolled them with which key, and whether they are connected. */
export function Agents() {
  const [search, setSearch] = useState('');
  const settled = useSettled(search);
  const [state, setState] = useState<Agent['state'] | null>(null);
  const [owner, setOwner] = useState<string | null>(null);
  const [removing, setRemoving] = useState<Agent>();
  const query: AgentQuery = {
    ...optional('q', settled.trim()),
    ...optional('state', state),
    ...optional('owner', owner),
  };
  const list = usePaged(JSON.stringify(query), (cursor) =>
    listAgents({ ...query, ...optional('cursor', cursor ?? null) }),
  );
  useShortcuts([{ key: '/', words: 'Search', run: focusSearch }]);
  const counts = list.last?.counts;
  const filtered = Object.keys(query).length > 0;
  return (
    <Page
      title="Agents"
      flush
      about={
        counts && (
          <span class="small muted">
            {counts.connected} running · {counts.total - counts.connected} not connected
          </span>
        )
      }
      bar={
        <search class="filters">
          <SearchBox label="Search agents" hint="Agent, key or member" value={search} onInput={setSearch} />
          <Choice
            label="State"
            value={state}
            options={Object.entries(STATES).map(([value, { words }]) => ({
              value: value as Agent['state'],
              label: words,
            }))}
            onChange={setState}
          />
          {isAdmin.value && members.value && (
            <Choice
              label="Enrolled by"
              value={owner}
              options={members.value.map(({ id, name }) => ({ value: id, label: name }))}
              onChange={setOwner}
            />
          )}
        </search>
      }
    >
      {counts && counts.keyGone > 0 && (
        <div class="page__note">
          <Callout tone="info">
            <p>
              <b>
                {count(counts.keyGone, 'running agent was', 'running agents were')} enrolled with a key that no longer
                works. That’s fine.
              </b>{' '}
              An agent uses its key once, at install. Revoking the key never disrupts it.
            </p>
          </Callout>
        </div>
      )}
      {list.items && list.items.length > 0 ? (
        <Table agents={list.items} onRemove={setRemoving} />
      ) : (
        <ListState
          what="The agents can’t be shown"
          loading={list.loading}
          failure={list.failure}
          onRetry={list.reload}
          empty={
            filtered ? (
              <Empty title="No agents match." />
            ) : (
              <Empty title="No agents yet">
                An agent enrols itself once with an API key that has the permission agents:enroll, and needs no key
                after that.
              </Empty>
            )
          }
        />
      )}
      <MoreRows hasMore={list.hasMore} loading={list.loading} onMore={list.more} />
      {removing && <RemoveDialog of={removing} onClose={() => setRemoving(undefined)} onDone={list.reload} />}
    </Page>
  );
}
