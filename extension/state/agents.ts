import { signal } from '@preact/signals';
import type { Agent } from '../../shared/contract/agents.ts';
import type { Result } from '../messages/failure.ts';
import type { AnswerOf, PayloadOf } from '../messages/protocol.ts';
import { ask } from '../messages/send.ts';

export type AgentQuery = PayloadOf<'agent.list'>['query'];
type Counts = AnswerOf<'agent.list'>['counts'];

/** Of all agents that the reader may see, as the latest answer has it; undefined until one has come. */
export const agentCounts = signal<Counts | undefined>(undefined);

/** Which versions they have reported, newest first, as the latest answer has it. */
export const agentVersions = signal<readonly string[]>([]);

/** A page of agents, newest first, and how many there are of which kind. */
export async function listAgents(query: Partial<AgentQuery>): Promise<Result<AnswerOf<'agent.list'>>> {
  const result = await ask('agent.list', { query: { limit: 50, ...query } });
  if (result.ok) {
    agentCounts.value = result.value.counts;
    agentVersions.value = result.value.versions;
  }
  return result;
}
/** Every agent that matches, page by page. */
export async function readAgents(query: Partial<AgentQuery>): Promise<Result<Agent[]>> {
  const agents: Agent[] = [];
  for (let cursor: string | undefined; ; ) {
    const result = await listAgents({ ...query, limit: 100, ...(cursor ? { cursor } : {}) });
    if (!result.ok) return result;
    agents.push(...result.value.items);
    if (result.value.nextCursor === null) return { ok: true, value: agents };
    cursor = result.value.nextCursor;
  }
}
/** Their number alone, for the navigation. */
export const countAgents = () => listAgents({ limit: 1 });

/** Its connection ends at once, and it can never connect again. */
export const removeAgent = (agentId: string) => ask('agent.remove', { agentId });

/** Agents that have something in common. `more`: there are others that were not read. */
export interface SomeAgents {
  agents: readonly Pick<Agent, 'name' | 'state'>[];
  more: boolean;
}
/** The newest hundred that were enrolled with a key. */
export async function agentsOf(key: string): Promise<SomeAgents | undefined> {
  const result = await listAgents({ limit: 100, key });
  return result.ok ? { agents: result.value.items, more: result.value.nextCursor !== null } : undefined;
}

/** Ids of the agents of a member that are connected now; none where that is not known. */
export async function connectedOf(owner: string): Promise<ReadonlySet<string>> {
  const result = await readAgents({ owner, state: 'connected' });
  return new Set(result.ok ? result.value.map(({ id }) => id) : []);
}
