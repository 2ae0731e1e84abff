import { useState } from 'preact/hooks';
import type { Agent } from '../../../shared/contract/agents.ts';
import { csvLine } from '../../../shared/csv.ts';
import { type AgentQuery, readAgents } from '../../state/agents.ts';
import { showFailure } from '../../state/toasts.ts';
import { Button } from '../../ui/button.tsx';
import { saveFile } from '../save-file.ts';

type Cell = string | null;
const COLUMNS: readonly [title: string, value: (agent: Agent) => Cell][] = [
  ['id', (agent) => agent.id],
  ['name', (agent) => agent.name],
  ['state', (agent) => agent.state],
  ['last_seen_at', (agent) => agent.lastSeenAt],
  ['host_name', (agent) => agent.hostName],
  ['platform', (agent) => agent.platform],
  ['version', (agent) => agent.version],
  ['ip', (agent) => agent.ip],
  ['key_name', (agent) => agent.enrolledKey.name],
  ['key_prefix', (agent) => agent.enrolledKey.prefix],
  ['key_status', (agent) => agent.enrolledKey.status],
  ['enrolled_by', (agent) => agent.enrolledBy.email],
  ['enrolled_at', (agent) => agent.enrolledAt],
];

/** Agents as CSV (RFC 4180): what is shown of each, times in UTC. */
export const agentsCsv = (agents: readonly Agent[]): string =>
  [COLUMNS.map(([title]) => title), ...agents.map((agent) => COLUMNS.map(([, value]) => value(agent)))]
    .map(csvLine)
    .join('');

/** Saves the agents that match as a file, those that were not read yet included. `some`: there are any. */
export function ExportAgents({ of: query, some }: { of: Partial<AgentQuery>; some: boolean }) {
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    const result = await readAgents(query);
    setBusy(false);
    if (!result.ok) return showFailure('The agents were not exported', result.failure);
    saveFile('agents.csv', 'text/csv', agentsCsv(result.value));
  };
  return (
    <Button
      variant="ghost"
      icon="download"
      busy={busy && 'Exporting'}
      unavailable={!some && 'There are no agents to export'}
      onClick={() => void save()}
    >
      Export
    </Button>
  );
}
