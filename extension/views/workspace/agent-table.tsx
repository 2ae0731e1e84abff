import type { Agent } from '../../../shared/contract/agents.ts';
import { now } from '../../state/clock.ts';
import { navigate } from '../../state/route.ts';
import { ago, day, fullDay } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { reasonWords } from '../../ui/key-words.ts';
import { Prefix, Status } from '../../ui/marks.tsx';
import { MenuItem } from '../../ui/menu.tsx';
import { When } from '../../ui/when.tsx';
import { AGENT_STATE_WORDS } from '../agent-words.ts';
import { Heads, RowMenu } from './table-parts.tsx';

const STATES = {
  connected: { icon: 'pulse', tone: 'active' },
  disconnected: { icon: 'wifi-off', tone: 'disabled' },
  never_connected: { icon: 'hourglass', tone: 'disabled' },
} as const;

function State({ of: agent }: { of: Agent }) {
  const { icon, tone } = STATES[agent.state];
  return (
    <span class={`status status--${tone}`}>
      <Icon name={icon} />
      {AGENT_STATE_WORDS[agent.state]}
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
  return (
    <RowMenu of={agent.name}>
      {(choose) => (
        <>
          <MenuItem icon="key" onSelect={choose(() => navigate({ screen: 'key', id: agent.enrolledKey.id }))}>
            Open its key
          </MenuItem>
          <hr />
          <MenuItem icon="trash" danger onSelect={choose(onRemove)}>
            Remove the agent…
          </MenuItem>
        </>
      )}
    </RowMenu>
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
      <td>
        <span class="cell">
          {agent.lastSeenAt ? <When at={agent.lastSeenAt} words={ago} /> : <span class="subtle">never</span>}
          {agent.ip && <small title={agent.ip}>{agent.ip}</small>}
        </span>
      </td>
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

export function AgentTable({ agents, onRemove }: { agents: Agent[]; onRemove: (agent: Agent) => void }) {
  return (
    <table class="table table--fixed table--agents">
      <caption class="sr">Agents, newest first</caption>
      <Heads words={HEADS} acts />
      <tbody>
        {agents.map((agent) => (
          <Row key={agent.id} of={agent} onRemove={() => onRemove(agent)} />
        ))}
      </tbody>
    </table>
  );
}
